"""Box maths: pure functions on float32 (n, 4) xyxy arrays in pixels, right and bottom edges exclusive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

SAME_BOX = 0.7  # IoU from which boxes agree on a face
VOTER = 0.5  # of the score of a box is what others need to count for its place: so no threshold of scores moves a box


def area(boxes: Boxes) -> NDArray[np.float32]:
    """Areas (n,); 0 for inverted boxes."""
    width, height = np.maximum(boxes[:, 2:] - boxes[:, :2], np.float32(0)).T
    areas: NDArray[np.float32] = width * height
    return areas


def clip(boxes: Boxes, width: float, height: float) -> Boxes:
    """Boxes limited to an image of (width, height)."""
    limits = np.array([width, height, width, height], np.float32)
    inside: Boxes = np.minimum(np.maximum(boxes, np.float32(0)), limits)  # np.clip takes longer to start
    return inside


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m) in [0, 1]."""
    overlap = intersection(a, b)
    union = area(a)[:, None] + area(b)[None] - overlap
    ratio: NDArray[np.float32] = overlap / np.maximum(union, np.float32(1e-9))
    return ratio


def coverage(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Share of every box of `a` (n, 4) that every box of `b` (m, 4) covers: (n, m) in [0, 1]."""
    least = np.float32(1e-9)  # of an area
    areas: NDArray[np.float32] = np.maximum(area(a), least)
    share: NDArray[np.float32] = intersection(a, b) / areas[:, None]
    return share


def intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Areas (n, m) that every box of `a` (n, 4) shares with every box of `b` (m, 4)."""
    (a_low, a_high), (b_low, b_high) = a.T.reshape(2, 2, -1, 1), b.T.reshape(2, 2, 1, -1)
    width, height = np.maximum(np.minimum(a_high, b_high) - np.maximum(a_low, b_low), np.float32(0))
    areas: NDArray[np.float32] = width * height
    return areas


def nms(boxes: Boxes, scores: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: (n, 4).
        scores: (n,); equal scores keep the order of the input.
        threshold: A box goes when its IoU with a better box that stays is above this.

    Returns:
        Indices of the boxes that stay, best score first.
    """
    order = (-scores).argsort(kind="stable")
    boxes = boxes[order]
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)
    areas = area(boxes)
    limit, nothing = np.float32(threshold), np.float32(0)
    left = np.arange(len(order))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        width = np.minimum(x2[left], x2[best]) - np.maximum(x1[left], x1[best])
        height = np.minimum(y2[left], y2[best]) - np.maximum(y1[left], y1[best])
        overlap = np.maximum(width, nothing) * np.maximum(height, nothing)
        left = left[overlap <= limit * (areas[left] + areas[best] - overlap)]
    return order[kept]


def select(
    boxes: Boxes, scores: NDArray[np.float32], confidence: float, threshold: float
) -> tuple[Boxes, NDArray[np.float32]]:
    """Non-maximum suppression, in which what is removed makes what stays more exact.

    Args:
        boxes: (n, 4).
        scores: (n,), in (0, 1].
        confidence: Least score of a box that may stay; those with `VOTER` of it may count for its place.
        threshold: IoU, as in `nms`. Also of the boxes in their new places no two overlap by more.

    Returns:
        Boxes (m, 4) and their scores (m,), best score first.
    """
    (sure,) = (scores >= np.float32(confidence)).nonzero()
    kept = sure[nms(boxes[sure], scores[sure], threshold)]
    moved, scores = vote(boxes, scores, kept, max(SAME_BOX, threshold)), scores[kept]
    apart = nms(moved, scores, threshold)
    return moved[apart], scores[apart]


def vote(boxes: Boxes, scores: NDArray[np.float32], kept: NDArray[np.intp], agreement: float) -> Boxes:
    """Box voting (arXiv 1505.01749, 4): the means of the boxes that agree.

    Args:
        boxes: (n, 4).
        scores: (n,), in (0, 1].
        kept: Indices (m,) of boxes.
        agreement: IoU above which a box counts for one of these, if it has `VOTER` of its score.

    Returns:
        Boxes (m, 4) in the order of `kept`, each the mean of itself and of what counts for it, weighted by the squares
        of the scores.
    """
    counts = (iou(boxes[kept], boxes) > np.float32(agreement)) & (
        scores >= np.float32(VOTER) * scores[kept, None]
    )
    counts[np.arange(len(kept)), kept] = True
    weights = counts * np.square(scores)
    means: Boxes = (weights @ boxes) / weights.sum(1, keepdims=True)
    return means
