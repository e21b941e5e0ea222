"""The .onnx file that several commands write."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd.errors import UsageError


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Adds the file."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write"
    )


def check(path: Path) -> None:
    """Refuses a file of another ending.

    Raises:
        UsageError: It does not end in .onnx.
    """
    if path.suffix != ".onnx":
        raise UsageError(f"{path}: the output must end in .onnx.")
