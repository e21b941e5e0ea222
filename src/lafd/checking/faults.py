"""Faults of annotations: what their files, their boxes and their pictures have that training cannot use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lafd import boxes as box_maths
from lafd.annotations import AnnotatedImage, Dataset
from lafd.annotations.checking import picture_faults
from lafd.annotations.dataset import Box

ENTRY, PICTURE, OUTSIDE, EMPTY = "entry", "picture", "outside", "empty"
TWICE, UNLABELLED, UNSEEN, SAME_PICTURE = "twice", "unlabelled", "unseen", "same-picture"
KINDS = {
    ENTRY: "entries that cannot be kept",
    PICTURE: "pictures missing, unreadable or of another size",
    OUTSIDE: "boxes outside their picture",
    EMPTY: "boxes without area",
    TWICE: "boxes that are there twice",
    UNLABELLED: "faces that the model is sure of and nobody has labelled",
    UNSEEN: "labels where the model sees nothing",
    SAME_PICTURE: "pictures that are nearly the same",
}
UNUSABLE = (ENTRY, PICTURE, OUTSIDE, EMPTY)  # by training as they are
SLACK = 1.0  # px that a box may reach over the edge, by rounding
TWICE_IOU = 0.95


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        kind: One of KINDS.
        text: A sentence that names the picture or file.
        path: The picture; None if the fault is of no single one.
        box: What it is about, xyxy in pixels; None if it is the picture.
        other: The picture that it is nearly the same as.
    """

    kind: str
    text: str
    path: Path | None = None
    box: Box | None = None
    other: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """What there is of it, ready for JSON."""
        paths = {"picture": self.path, "other": self.other}
        data: dict[str, Any] = {"kind": self.kind, "text": self.text}
        data |= {name: path.as_posix() for name, path in paths.items() if path is not None}
        return data if self.box is None else {**data, "box": [round(side, 2) for side in self.box]}


def find_faults(dataset: Dataset) -> Iterator[Fault]:
    """Faults that need no look at pixels."""
    for problem in dataset.problems:
        yield Fault(ENTRY, problem)
    for i, text in picture_faults(dataset).items():
        yield Fault(PICTURE, text, dataset.path(dataset.images[i]))
    for image in dataset.images:
        yield from box_faults(dataset.path(image), image)


def box_faults(path: Path, image: AnnotatedImage) -> Iterator[Fault]:
    """Faults of the boxes of a picture, which lies at `path`."""
    boxes = image.boxes
    limits = np.array([image.width, image.height], np.float32) + SLACK
    outside = (boxes[:, :2] < -SLACK).any(1) | (boxes[:, 2:] > limits).any(1)
    for kind, wrong in ((OUTSIDE, outside), (EMPTY, box_maths.area(boxes) <= 0)):
        for i in np.flatnonzero(wrong):
            box = image.annotations[i].box
            yield Fault(kind, f"{path}: {shown(box)} in {image.width} x {image.height} pixels.", path, box)
    for i, j in np.argwhere(np.triu(box_maths.iou(boxes, boxes) >= TWICE_IOU, 1)):
        first, second = image.annotations[i], image.annotations[j]
        if first.category == second.category:
            yield Fault(TWICE, f"{path}: {shown(first.box)} and {shown(second.box)}.", path, second.box)


def shown(box: Box) -> str:
    """A box for people."""
    return f"[{', '.join(f'{side:g}' for side in np.round(box, 1).tolist())}]"
