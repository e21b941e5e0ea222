"""`lafd convert`: annotations from one file format to another."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lafd.annotations import FORMATS, Dataset, output_format, read_annotations, write_annotations
from lafd.annotations.checking import picture_faults
from lafd.annotations.writing import copy_pictures
from lafd.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("input", type=Path, metavar="IN", help="file, or folder for yolo, voc and labelme")
    parser.add_argument("output", type=Path, metavar="OUT", help="file, or folder for yolo, voc and labelme")
    parser.add_argument(
        "--from", dest="source", choices=FORMATS, help="format of IN (default: by its content)"
    )
    parser.add_argument(
        "--to", choices=FORMATS, help="format of OUT (default: coco for .json, cvat for .xml)"
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="folder of the pictures (default: where IN has them)",
    )
    parser.add_argument(
        "--copy", action="store_true", help="copy the pictures to where the format OUT has them"
    )


def run(arguments: argparse.Namespace) -> int:
    """Reads, writes and lists what was lost on the way."""
    to = output_format(arguments.output, arguments.to)
    if arguments.images and not arguments.images.is_dir():
        raise UsageError(f"--images: {arguments.images} is not a folder.")
    dataset = read_annotations(arguments.input, arguments.source, arguments.images)
    warnings = [*dataset.problems, *picture_problems(dataset)]
    if arguments.copy:
        dataset, missing = copy_pictures(dataset, FORMATS[to].picture_folder(arguments.output))
        warnings += missing
    losses = write_annotations(dataset, arguments.output, to)
    for warning in (*warnings, *losses):
        print(f"lafd: {warning}", file=sys.stderr)
    boxes = sum(len(image.annotations) for image in dataset.images)
    print(
        f"{len(dataset.images)} pictures, {boxes} boxes, {len(warnings) + len(losses)} warnings",
        file=sys.stderr,
    )
    return 0


def picture_problems(dataset: Dataset) -> list[str]:
    """Pictures that are missing, unreadable, or of another size than the annotations say."""
    count = len(dataset.images)
    if count and not any(dataset.path(image).is_file() for image in dataset.images):
        return [f"none of the {count} pictures is in {dataset.root}; --images says where they are."]
    return list(picture_faults(dataset).values())
