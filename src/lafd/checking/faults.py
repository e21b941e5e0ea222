"""Faults of annotations: what their files, their boxes and their pictures have that training cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lafd import boxes as box_maths
from lafd.annotations import AnnotatedImage, Dataset
from lafd.annotations.checking import picture_faults

FILE, PICTURE = "annotations that cannot be kept", "pictures missing, unreadable or of another size"
OUTSIDE, EMPTY = "boxes outside their picture", "boxes without area"
TWICE, SAME_PICTURE = "boxes that are there twice", "pictures that are nearly the same"
UNUSABLE = (FILE, PICTURE, OUTSIDE, EMPTY)
KINDS = (*UNUSABLE, TWICE, SAME_PICTURE)
SLACK = 1.0  # px that a box may reach over the edge, by rounding
TWICE_IOU = 0.95


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, one of KINDS, and a sentence that names the picture or file."""

    kind: str
    text: str


def find_faults(path: Path, dataset: Dataset) -> Iterator[Fault]:
    """Faults of the annotations at `path`."""
    for problem in dataset.problems:
        yield Fault(FILE, problem)
    for fault in picture_faults(dataset).values():
        yield Fault(PICTURE, fault)
    for image in dataset.images:
        yield from box_faults(f"{path}: {image.name}", image)


def box_faults(where: str, image: AnnotatedImage) -> Iterator[Fault]:
    """Faults of the boxes of a picture."""
    boxes = image.boxes
    limits = np.array([image.width, image.height], np.float32) + SLACK
    outside = (boxes[:, :2] < -SLACK).any(1) | (boxes[:, 2:] > limits).any(1)
    for kind, wrong in ((OUTSIDE, outside), (EMPTY, box_maths.area(boxes) <= 0)):
        for i in np.flatnonzero(wrong).tolist():
            yield Fault(kind, f"{where}: {boxes[i].tolist()} in {image.width} x {image.height} pixels.")
    for i, j in np.argwhere(np.triu(box_maths.iou(boxes, boxes) >= TWICE_IOU, 1)).tolist():
        if image.annotations[i].category == image.annotations[j].category:
            yield Fault(TWICE, f"{where}: {boxes[i].tolist()} and {boxes[j].tolist()}.")
