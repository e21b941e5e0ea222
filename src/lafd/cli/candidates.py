"""What `lafd pseudo-label` and `lafd prelabel` share: from pictures to candidates, and from labels to files."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from lafd.annotations import FORMATS, Dataset, write_annotations
from lafd.annotations.dataset import relative_name
from lafd.annotations.writing import copy_pictures
from lafd.cli import options
from lafd.errors import UsageError
from lafd.labelling.labels import Thresholds
from lafd.labelling.survey import Memory, survey
from lafd.labelling.views import Candidates

SCALES = (0.75, 1.0, 1.5)  # of the model's size, at which pictures are looked at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what decides about candidates and labels."""
    labels = parser.add_argument_group("labels")
    labels.add_argument(
        "--keep",
        type=float,
        default=Thresholds.keep,
        help="score from which a candidate is a face (default: %(default)s)",
    )
    labels.add_argument(
        "--drop",
        type=float,
        default=Thresholds.drop,
        help="score below which a candidate is nothing; between the two it is doubtful (default: %(default)s)",
    )
    labels.add_argument(
        "--sizes",
        type=options.parse_sizes,
        metavar="N,N,...",
        help="longer sides at which pictures are seen, as they are and mirrored, px "
        "(default: 0.75, 1 and 1.5 times the model's)",
    )
    labels.add_argument(
        "--copy", action="store_true", help="copy the pictures to where the format OUT has them"
    )
    options.add_model_arguments(parser)


def thresholds(arguments: argparse.Namespace) -> Thresholds:
    """The thresholds that were given."""
    return Thresholds(arguments.keep, arguments.drop)


def collect(
    arguments: argparse.Namespace, paths: Iterable[Path], memory: Path
) -> tuple[dict[Path, Candidates], int]:
    """Looks at all pictures; failures are listed at the end.

    Args:
        arguments: Those of `add_arguments`.
        paths: The pictures.
        memory: Where to remember them, see `Memory`.

    Returns:
        Candidates by picture, and the number of failures.
    """
    detector = options.make_detector(arguments, 1)
    sizes = arguments.sizes or [round(scale * detector.card.size) for scale in SCALES]
    workers = options.worker_count(arguments)
    found, failures = {}, []
    with contextlib.closing(Memory(memory, detector, sizes)) as remembered:
        results = survey(detector, paths, sizes, remembered, workers)
        for result in tqdm(results, unit=" pictures", disable=not sys.stderr.isatty(), dynamic_ncols=True):
            if result.candidates is None:
                failures.append(result.error)
            else:
                found[result.path] = result.candidates
    for failure in failures:
        print(f"lafd: {failure}", file=sys.stderr)
    if not found:
        raise UsageError("none of the pictures can be read.")
    return found, len(failures)


def common_folder(arguments: list[str], paths: Iterable[Path]) -> Path:
    """Where the names of pictures start: the folder that was given, or the one that has all of them."""
    if len(arguments) == 1 and Path(arguments[0]).is_dir():
        return Path(arguments[0])
    try:
        return Path(os.path.commonpath({path.absolute().parent for path in paths}))
    except ValueError:  # on several drives
        return Path()


def name_below(folder: Path, path: Path) -> str:
    """The name of a picture in annotations that start from a folder."""
    return relative_name(str(path.absolute()), str(folder.absolute()))


def write(dataset: Dataset, output: Path, format_name: str, copy: bool) -> Dataset:
    """Writes annotations, prints what they cannot carry, and returns them with the names that they got."""
    warnings: list[str] = []
    folder = FORMATS[format_name].picture_folder(output)
    if copy:
        dataset, warnings = copy_pictures(dataset, folder)
    elif format_name in ("coco", "labelme"):  # their pictures may lie anywhere
        dataset = dataset.seen_from(folder)
    for warning in (*warnings, *write_annotations(dataset, output, format_name)):
        print(f"lafd: {warning}", file=sys.stderr)
    return dataset


def summary(dataset: Dataset, doubtful: int, failures: int) -> str:
    """What was labelled."""
    boxes = sum(len(image.annotations) for image in dataset.images)
    empty = sum(not image.annotations for image in dataset.images)
    return (
        f"{len(dataset.images)} pictures, {empty} of them without boxes, {boxes - doubtful} faces, "
        f"{doubtful} doubtful boxes, {failures} failures"
    )
