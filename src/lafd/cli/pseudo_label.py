"""`lafd pseudo-label`: labels that a model makes for training the next one."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path

from lafd.annotations import FORMATS, AnnotatedImage, Dataset, output_format, read_annotations
from lafd.cli import candidates
from lafd.cli.paths import given_paths
from lafd.errors import UsageError
from lafd.labelling.labels import pseudo_labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="picture, folder (recursive), glob, or - for a list on stdin"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="annotations to write"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="format of OUT (default: coco for .json, cvat for .xml)"
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="label the pictures of these annotations anew, and keep their other fields",
    )
    candidates.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Labels, and returns 1 when a picture failed."""
    wanted = candidates.thresholds(arguments)
    format_name = output_format(arguments.output, arguments.format)
    known = annotated(arguments)
    paths: Iterable[Path] = known or given_paths(arguments.paths)
    memory = arguments.output.with_name(f"{arguments.output.name}.views")
    found, failures = candidates.collect(arguments, paths, memory)
    folder = candidates.common_folder(arguments.paths, found)
    images = []
    for path, seen in found.items():
        image = AnnotatedImage(
            candidates.name_below(folder, path), seen.width, seen.height, pseudo_labels(seen, wanted)
        )
        attributes = known[path].attributes if path in known else {}
        images.append(dataclasses.replace(image, attributes=attributes))
    dataset = Dataset(tuple(images), root=folder)
    candidates.write(dataset, arguments.output, format_name, arguments.copy)
    doubtful = sum(int(image.ignore.sum()) for image in images)
    print(candidates.summary(dataset, doubtful, failures), file=sys.stderr)
    return 1 if failures else 0


def annotated(arguments: argparse.Namespace) -> dict[Path, AnnotatedImage]:
    """The pictures of --annotations.

    Raises:
        UsageError: Neither or both of pictures and annotations are given.
    """
    if bool(arguments.paths) == bool(arguments.annotations):
        raise UsageError("give pictures and folders, or --annotations FILE, one of the two.")
    if arguments.annotations is None:
        return {}
    dataset = read_annotations(arguments.annotations)
    for problem in dataset.problems:
        print(f"lafd: {problem}", file=sys.stderr)
    if not dataset.images:
        raise UsageError(f"{arguments.annotations}: there are no pictures in it.")
    return {dataset.path(image): image for image in dataset.images}
