"""Accuracy over the size of the network's input and over the angle of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lafd.evaluation import operating_points as at
from lafd.evaluation.average_precision import Judged, Matches, average_precision, match
from lafd.evaluation.slices import sides_of

RESOLVABLE = 10.0  # px; the longer side of a face, as the network sees it, from which it can be told


@dataclass(frozen=True)
class SizePoint:
    """Figures at one size.

    Attributes:
        size: Longer side at which the network sees a picture, px.
        ap50: On all faces.
        faces: How many there are.
        ap50_resolvable: On the faces of at least 10 px in the network at this size; others are ignored.
        faces_resolvable: How many there are.
        ap50_common: On the faces of at least 10 px in the network at every size of the curve.
        faces_common: How many there are.
    """

    size: int
    ap50: float
    faces: int
    ap50_resolvable: float
    faces_resolvable: int
    ap50_common: float
    faces_common: int


@dataclass(frozen=True)
class AnglePoint:
    """Figures on pictures with faces, turned by `angle` degrees counter-clockwise.

    Attributes:
        angle: Degrees.
        ap50: Average precision at IoU 0.5.
        recall_at_1: Recall at one false positive per picture.
        recall: Recall at the default threshold.
    """

    angle: int
    ap50: float
    recall_at_1: float
    recall: float


def size_point(size: int, judged: Sequence[Judged], scales: Sequence[Callable[[int], float]]) -> SizePoint:
    """Figures at one size.

    Args:
        size: The size, px.
        judged: The detections at it.
        scales: By how much the network sees a picture (by its number) enlarged: at this size, and at the smallest
            size of the curve.
    """
    matches = match(judged, 0.5)
    resolvable, common = (resolved(matches, judged, scale) for scale in scales)
    return SizePoint(
        size,
        ap50=average_precision(matches),
        faces=len(matches.face_picture),
        ap50_resolvable=average_precision(resolvable),
        faces_resolvable=len(resolvable.face_picture),
        ap50_common=average_precision(common),
        faces_common=len(common.face_picture),
    )


def resolved(matches: Matches, judged: Sequence[Judged], scale: Callable[[int], float]) -> Matches:
    """With all faces ignored that are smaller than 10 px in the network."""
    found, faces = sides_of(matches, judged, lambda i: 1 / scale(i))
    return matches.restricted(found >= RESOLVABLE, faces >= RESOLVABLE)


def angle_point(angle: int, judged: Sequence[Judged], threshold: float) -> AnglePoint:
    """Figures at one angle."""
    matches = match(judged, 0.5)
    return AnglePoint(
        angle, average_precision(matches), at.recall_at(matches, 1.0), at.recall(matches, threshold)
    )


def spread(points: Sequence[SizePoint]) -> float:
    """How far AP50 on the same faces differs between the sizes; nan without points."""
    values = np.array([point.ap50_common for point in points])
    return float(values.max() - values.min()) if len(values) else float("nan")
