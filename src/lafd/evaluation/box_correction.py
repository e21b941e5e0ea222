"""One affine correction of all boxes, so that detectors with another box rule are judged by what they detect."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths
from lafd.errors import LafdError
from lafd.evaluation.average_precision import Judged, match

SAME_FACE = 0.2  # IoU from which a box of another rule is taken to be about a face
FEWEST_PAIRS = 5
SEED = 0


@dataclass(frozen=True)
class Correction:
    """What is done to a box; in units of its own sides.

    Attributes:
        x: Shift of the centre to the right, in widths.
        y: Shift of the centre down, in heights.
        width: Factor of the width.
        height: Factor of the height.
    """

    x: float
    y: float
    width: float
    height: float

    def apply(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Corrected boxes (n, 4), xyxy."""
        sides = boxes[:, 2:] - boxes[:, :2]
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * np.array([self.x, self.y], np.float32)
        half = sides * np.array([self.width, self.height], np.float32) / 2
        return np.hstack([centre - half, centre + half])


def cross_fitted(
    judged: Sequence[Judged], sizes: Sequence[tuple[int, int]], threshold: float
) -> tuple[list[Judged], tuple[Correction, Correction]]:
    """Corrects each half of the pictures by what fits the other half.

    Args:
        judged: The pictures.
        sizes: Their (width, height); corrected boxes are clipped to them.
        threshold: Only detections of at least this score are fitted.

    Returns:
        The pictures with corrected boxes, and the corrections of the first and of the second half.

    Raises:
        LafdError: Half of the pictures have too few faces found to fit anything.
    """
    second = np.random.default_rng(SEED).permutation(len(judged)) % 2 == 1
    halves = [[j for j, other in zip(judged, second, strict=True) if other == half] for half in (False, True)]
    corrections = fit(halves[1], threshold), fit(halves[0], threshold)
    corrected = []
    for picture, half, size in zip(judged, second, sizes, strict=True):
        boxes = box_maths.clip(corrections[int(half)].apply(picture.boxes), *size)
        corrected.append(dataclasses.replace(picture, boxes=boxes))
    return corrected, corrections


def fit(judged: Sequence[Judged], threshold: float) -> Correction:
    """The median correction that turns detections into the faces they overlap.

    Raises:
        LafdError: Too few detections overlap a face.
    """
    matches = match(judged, SAME_FACE)
    pairs = np.flatnonzero(matches.correct & (matches.scores >= threshold))
    if len(pairs) < FEWEST_PAIRS:
        raise LafdError(
            f"boxes cannot be corrected: only {len(pairs)} detections in half of the pictures overlap a face."
        )
    faces = matches.face[pairs]
    found = np.array([judged[matches.picture[i]].boxes[matches.place[i]] for i in pairs])
    wanted = np.array([judged[matches.face_picture[f]].labels[matches.face_place[f]] for f in faces])
    sides = found[:, 2:] - found[:, :2]
    shift = ((wanted[:, :2] + wanted[:, 2:]) - (found[:, :2] + found[:, 2:])) / 2 / sides
    factor = (wanted[:, 2:] - wanted[:, :2]) / sides
    return Correction(*(float(v) for v in np.median(np.hstack([shift, factor]), axis=0)))
