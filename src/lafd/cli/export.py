"""`lafd export`: a checkpoint of `lafd train` becomes an ONNX model with its card."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd.cli import onnx_output
from lafd.cli.extras import need


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("checkpoint", type=Path, help="best.safetensors of lafd train")
    onnx_output.add_argument(parser)
    parser.add_argument(
        "--compact",
        action="store_true",
        help="store the weights in 8 bits: a quarter of the file, the same time",
    )
    parser.add_argument(
        "--card", type=Path, help="JSON with fields of the model card to set, such as name or licence"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports and proves that the graph computes what the network does."""
    need("train")
    from lafd.training import card as cards
    from lafd.training import export

    onnx_output.check(arguments.output)
    network = export.export(arguments.checkpoint, arguments.output, small=arguments.compact)
    card = cards.write_card(network, arguments.output, arguments.card)
    rest = ", then stored in 8 bits" if arguments.compact else ""
    print(
        f"{arguments.output}: {card.parameters} parameters, equal to the network within {export.TOLERANCE:g}{rest}"
    )
    return 0
