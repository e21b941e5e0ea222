"""`lafd demo`: draws a picture, finds its faces and writes the picture with them marked."""

from __future__ import annotations

import argparse
from pathlib import Path

from lafd import images
from lafd.cli import options
from lafd.draw import draw


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
    """Draws, detects, writes."""
    from lafd.drawing import demo_scene

    detector = options.make_detector(arguments, arguments.threads)
    scene = demo_scene()
    faces = detector.detect(scene.image, options.detection_options(arguments))
    images.save_image(arguments.output, draw(scene.image, faces))
    print(f"{len(faces)} of {len(scene.boxes)} drawn faces found; see {arguments.output}")
    return 0
