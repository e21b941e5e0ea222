"""Box maths: pure functions on float32 (n, 4) xyxy arrays in pixels, right and bottom edges exclusive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]

SAME_BOX = 0.7  # IoU from which boxes agree on a face
VOTER = 0.5  # of a box's score is what others need to count for its place; so no threshold of scores moves it


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
    winners, _ = suppress(boxes[order], len(order), threshold)
    kept: NDArray[np.intp] = order[winners == np.arange(len(order))]
    return kept


def suppress(boxes: Boxes, candidates: int, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Which boxes give way to which.

    Args:
        boxes: (n, 4), best first.
        candidates: Only so many of the best ones may remove others.
        threshold: As in `nms`.

    Returns:
        Index (n,) of the box to which each gives way, its own if it stays; and the IoU (n,) with that box.
    """
    x1, y1, x2, y2 = np.ascontiguousarray(boxes.T)
    areas = area(boxes)
    limit, nothing, least = np.float32(threshold), np.float32(0), np.float32(1e-9)
    winners: NDArray[np.intp] = np.arange(len(boxes))
    ratios = np.ones(len(boxes), np.float32)
    left = winners.copy()
    while len(left) and left[0] < candidates:
        best, left = left[0], left[1:]
        width = np.minimum(x2[left], x2[best]) - np.maximum(x1[left], x1[best])
        height = np.minimum(y2[left], y2[best]) - np.maximum(y1[left], y1[best])
        overlap = np.maximum(width, nothing) * np.maximum(height, nothing)
        ratio = overlap / np.maximum(areas[left] + areas[best] - overlap, least)
        apart = ratio <= limit
        gone = left[~apart]
        winners[gone], ratios[gone] = best, ratio[~apart]
        left = left[apart]
    return winners, ratios


def select(
    boxes: Boxes, scores: NDArray[np.float32], confidence: float, threshold: float
) -> tuple[Boxes, NDArray[np.float32]]:
    """Non-maximum suppression in which what is removed makes what stays more exact: box voting (arXiv 1505.01749, 4).

    A box that stays becomes the mean of itself and of those that it removed, by the squares of their scores. Of these,
    only boxes count that overlap it by more than `SAME_BOX` and have `VOTER` of its score.

    Args:
        boxes: (n, 4).
        scores: (n,), in (0, 1].
        confidence: Least score of a box that stays.
        threshold: As in `nms`; in their new places, too, no two boxes overlap by more.

    Returns:
        Boxes (m, 4) and their scores (m,), best score first.
    """
    order = (-scores).argsort(kind="stable")
    boxes, scores = boxes[order], scores[order]
    sure = int((scores >= np.float32(confidence)).sum())
    winners, ratios = suppress(boxes, sure, threshold)
    (kept,) = (winners[:sure] == np.arange(sure)).nonzero()
    counts = (ratios > np.float32(SAME_BOX)) & (scores >= np.float32(VOTER) * scores[winners])
    votes = counts * np.square(scores, dtype=np.float64)  # at this precision edges that are equal stay equal
    weights = (winners == kept[:, None]) * votes
    moved: Boxes = ((weights @ boxes) / weights.sum(1, keepdims=True)).astype(np.float32)
    scores = scores[kept]
    if len(kept) > 1 and (np.triu(iou(moved, moved), 1) > np.float32(threshold)).any():
        apart = nms(moved, scores, threshold)
        moved, scores = moved[apart], scores[apart]
    return moved, scores
