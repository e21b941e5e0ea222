"""`lafd import-mxnet`: weights of the original detectors (LFFD, in MXNet's files) become a model for lafd."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd.cli import onnx_output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("parameters", type=Path, metavar="PARAMS", help="the .params file")
    parser.add_argument("symbol", type=Path, metavar="SYMBOL", help="the symbol .json file")
    onnx_output.add_argument(parser)
    parser.add_argument(
        "--decoding", type=Path, metavar="JSON", help="lffd.json; published networks need none"
    )


def run(arguments: argparse.Namespace) -> int:
    """Converts and says what came out."""
    from lafd.mxnet.convert import Original, convert

    onnx_output.check(arguments.output)
    card = convert(Original(arguments.parameters, arguments.symbol, arguments.decoding), arguments.output)
    print(
        f"{arguments.output}: {card.parameters} parameters, branches of stride {', '.join(map(str, card.strides))}"
    )
    return 0
