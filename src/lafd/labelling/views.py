"""One picture seen several times: at several sizes, and in the mirror; and what all views say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.images import Picture

FAINTEST = 0.05  # score in a view from which a box is looked at
SAME = 0.5  # IoU from which boxes of two views are of one face


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be faces of one picture, best score first.

    Attributes:
        boxes: float32 (n, 4), xyxy in pixels of the picture.
        votes: float32 (n, views), the score that every view gives; 0 where it does not find the box.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """

    boxes: NDArray[np.float32]
    votes: NDArray[np.float32]
    width: int
    height: int

    @property
    def scores(self) -> NDArray[np.float32]:
        """Mean of the votes, float32 (n,) in [0, 1]: low where the views are unsure, and where they disagree."""
        means: NDArray[np.float32] = self.votes.mean(1)
        return means

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, rounded to 0.01 px and 0.0001."""
        boxes, votes = self.boxes.astype(float).round(2).tolist(), self.votes.astype(float).round(4).tolist()
        return {"width": self.width, "height": self.height, "boxes": boxes, "votes": votes}

    @classmethod
    def from_dict(cls, data: dict[str, Any], views: int) -> Candidates:
        """What `to_dict` gave, of so many views."""
        boxes = np.array(data["boxes"], np.float32).reshape(-1, 4)
        votes = np.array(data["votes"], np.float32).reshape(-1, views)
        return cls(boxes, votes, int(data["width"]), int(data["height"]))


def look(detector: Detector, path: Path, sizes: Sequence[int]) -> Candidates:
    """Looks at a picture at every size, as it is and in the mirror.

    Args:
        detector: The detector.
        path: The picture.
        sizes: Longer sides at which the network sees the picture, px.

    Raises:
        LafdError: The picture cannot be read.
    """
    picture = detector.read(path, Options(size=max(sizes)))
    mirrored = Picture(np.ascontiguousarray(picture.pixels[:, ::-1]), picture.width, picture.height)
    views: list[Detections] = []
    for size in sizes:
        options = Options(size=size, confidence=FAINTEST)
        found, turned = detector.detect_pictures([picture, mirrored], options)
        views += [found, in_the_mirror(turned)]
    return fuse(views)


def in_the_mirror(found: Detections) -> Detections:
    """The same faces in the picture whose left is right."""
    x1, y1, x2, y2 = found.boxes.T
    boxes = np.stack([found.width - x2, y1, found.width - x1, y2], 1).astype(np.float32)
    return Detections(boxes, found.scores, found.width, found.height)


def fuse(views: Sequence[Detections]) -> Candidates:
    """Weighted boxes fusion (arXiv 1910.13302): boxes of one face become their mean, weighted by their scores."""
    found = [
        (score, view, box)
        for view, d in enumerate(views)
        for score, box in zip(d.scores, d.boxes, strict=True)
    ]
    found.sort(key=lambda entry: -entry[0])
    boxes = np.zeros((len(found), 4), np.float32)
    votes = np.zeros((len(found), len(views)), np.float32)
    count = 0
    for score, view, box in found:
        overlap = box_maths.iou(box[None], boxes[:count])[0] * (votes[:count, view] == 0)  # a view votes once
        best = int(overlap.argmax()) if count else 0
        if not count or overlap[best] < SAME:
            best, count = count, count + 1
        total = votes[best].sum()
        boxes[best] = (boxes[best] * total + box * score) / (total + score)
        votes[best, view] = score
    order = np.argsort(-votes[:count].mean(1), kind="stable")
    return Candidates(boxes[order], votes[order], views[0].width, views[0].height)
