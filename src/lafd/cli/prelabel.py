"""`lafd prelabel`: labels that a model makes for a person to correct, and which pictures to look at first."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lafd.annotations import FORMATS, AnnotatedImage, Dataset
from lafd.cli import candidates
from lafd.cli.paths import given_paths
from lafd.errors import UsageError
from lafd.files import make_folder
from lafd.labelling.labels import DOUBTFUL, pre_labels, priority, write_order

FILES = {"coco": "annotations.json", "label-studio": "annotations.json", "cvat": "annotations.xml"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of pictures, with its subfolders")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="folder for the annotations and order.jsonl",
    )
    parser.add_argument("--format", choices=FORMATS, default="coco", help="default: coco")
    candidates.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Labels, and returns 1 when a picture failed."""
    wanted = candidates.thresholds(arguments)
    if not arguments.folder.is_dir():
        raise UsageError(f"{arguments.folder} is not a folder.")
    if arguments.output.is_file():
        raise UsageError(f"{arguments.output} is a file, but -o needs a folder.")
    paths = given_paths([str(arguments.folder)])
    make_folder(arguments.output)
    found, failures = candidates.collect(arguments, paths, arguments.output / "views")
    images = tuple(
        AnnotatedImage(
            candidates.name_below(arguments.folder, path), seen.width, seen.height, pre_labels(seen, wanted)
        )
        for path, seen in found.items()
    )
    annotations = arguments.output / FILES.get(arguments.format, "")
    dataset = Dataset(images, root=arguments.folder)
    dataset = candidates.write(dataset, annotations, arguments.format, arguments.copy)
    write_order(arguments.output / "order.jsonl", dataset.images, [priority(seen) for seen in found.values()])
    doubtful = sum(DOUBTFUL in a.attributes for image in images for a in image.annotations)
    print(candidates.summary(dataset, doubtful, failures), file=sys.stderr)
    print(f"now: lafd review {arguments.folder} --annotations {annotations}", file=sys.stderr)
    return 1 if failures else 0
