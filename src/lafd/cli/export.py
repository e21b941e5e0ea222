"""`lafd export`: a checkpoint of `lafd train` becomes an ONNX model with its card."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd.cli.extras import need
from lafd.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("checkpoint", type=Path, help="best.safetensors of lafd train")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write"
    )
    parser.add_argument(
        "--card", type=Path, help="JSON with fields of the model card to set, such as name or licence"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports and proves that the graph computes what the network does."""
    need("train")
    from lafd.training import card as cards
    from lafd.training import export

    if arguments.output.suffix != ".onnx":
        raise UsageError(f"{arguments.output}: the output must end in .onnx.")
    network = export.export(arguments.checkpoint, arguments.output)
    card = cards.write_card(network, arguments.output, arguments.card)
    print(
        f"{arguments.output}: {card.parameters} parameters, equal to the network within {export.TOLERANCE:g}"
    )
    return 0
