"""`lafd demo`: finds the faces of a picture that lafd drew, and writes the picture with them marked."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd import images
from lafd.cli import options
from lafd.draw import draw

PICTURE = Path(__file__).parents[1] / "demo.webp"  # `lafd.drawing.demo_scene`, by tools/draw_demo.py
FACES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("lafd-demo.png"),
        metavar="FILE",
        help="default: lafd-demo.png",
    )
    options.add_detection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Reads, detects, writes."""
    image = images.load_image(PICTURE)
    faces = options.make_detector(arguments, arguments.threads).detect(
        image, options.detection_options(arguments)
    )
    images.save_image(arguments.output, draw(image, faces))
    print(f"{len(faces)} of {FACES} drawn faces found; see {arguments.output}")
    return 0
