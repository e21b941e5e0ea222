"""Box maths: pure functions on float32 (n, 4) xyxy arrays in pixels, right and bottom edges exclusive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


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
