"""Which pictures a person should look at first: as a file says, or by the scores."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lafd.annotations import AnnotatedImage, Dataset
from lafd.annotations.reading import describe, number
from lafd.errors import LafdError

_THRESHOLD = 0.4  # scores near it are as often faces as not
_NEAR = 0.15


@dataclass(frozen=True)
class Doubt:
    """How doubtful a picture is.

    Attributes:
        priority: Higher is looked at first.
        boxes: Indices of the doubtful boxes.
    """

    priority: float = 0.0
    boxes: tuple[int, ...] = ()


def doubt_of(image: AnnotatedImage) -> Doubt:
    """The doubt of a picture by its scores: how near the nearest is to the threshold, in [0, 1]."""
    distances = {i: abs(a.score - _THRESHOLD) for i, a in enumerate(image.annotations) if a.score is not None}
    if not distances:
        return Doubt()
    return Doubt(1 - min(distances.values()), tuple(i for i, d in distances.items() if d < _NEAR))


def doubts_of(dataset: Dataset, order: Path | None) -> tuple[list[Doubt], list[str]]:
    """The doubts of all pictures, and what of the file could not be used, one sentence each.

    Args:
        dataset: The pictures.
        order: A file of JSON lines {"file_name", "priority", "doubtful": indices of boxes}; pictures that it does
            not name come last. None goes by the scores.

    Raises:
        LafdError: The file cannot be read.
    """
    if order is None:
        return [doubt_of(image) for image in dataset.images], []
    listed, problems = read_order(order, dataset)
    lowest = min((doubt.priority for doubt in listed.values()), default=1.0) - 1
    return [listed.get(image.name, Doubt(lowest)) for image in dataset.images], problems


def read_order(path: Path, dataset: Dataset) -> tuple[dict[str, Doubt], list[str]]:
    """The doubts that a file has, by the names of pictures, and its problems."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise LafdError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from None
    images = {image.name: image for image in dataset.images}
    doubts, problems = {}, []
    for i, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        name = entry.get("file_name") if isinstance(entry, Mapping) else None
        doubt = doubt_from(entry) if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or doubt is None:
            problems.append(f"{path}: line {i} is left out: {describe(line)} has no file_name and priority.")
        elif name not in images:
            problems.append(f"{path}: line {i} is left out: {name} is not among the pictures.")
        elif max(doubt.boxes, default=-1) >= len(images[name].annotations):
            problems.append(f"{path}: line {i} marks boxes that {name} does not have.")
            doubts[name] = Doubt(doubt.priority)
        else:
            doubts[name] = doubt
    return doubts, problems


def doubt_from(entry: Mapping[str, object]) -> Doubt | None:
    """One line of the file; None if it is not as it should be."""
    priority, boxes = number(entry.get("priority")), entry.get("doubtful", [])
    if math.isnan(priority) or not isinstance(boxes, list):
        return None
    if not all(isinstance(i, int) and i >= 0 for i in boxes):
        return None
    return Doubt(priority, tuple(boxes))
