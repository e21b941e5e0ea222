"""`lafd quantize`: an ONNX model becomes one of eight bits."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from lafd import models
from lafd.cli import onnx_output
from lafd.cli.extras import need
from lafd.cli.paths import given_paths

PICTURES = 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("model", help="name (see lafd models) or path of an .onnx file")
    parser.add_argument(
        "pictures",
        nargs="+",
        metavar="PICTURE",
        help=f"pictures or folders like what the model will see; {PICTURES} of them are used",
    )
    onnx_output.add_argument(parser)
    parser.add_argument(
        "--card", type=Path, help="JSON with fields of the model card to set, such as name or metrics"
    )


def run(arguments: argparse.Namespace) -> int:
    """Quantizes and says what came out."""
    need("quantize")
    from lafd.quantize import quantize

    onnx_output.check(arguments.output)
    model = models.find_model(arguments.model)
    paths = sorted(given_paths(arguments.pictures))
    chosen = random.Random(0).sample(paths, min(PICTURES, len(paths)))  # noqa: S311
    quantize(model, chosen, arguments.output, arguments.card)
    sizes = (path.stat().st_size / 2**20 for path in (model, arguments.output))
    print("{}: {:.1f} MiB instead of {:.1f}".format(arguments.output, *reversed(list(sizes))))
    return 0
