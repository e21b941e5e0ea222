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
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32))


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4): (n, m) in [0, 1]."""
    overlap = intersection(a, b)
    union = area(a)[:, None] + area(b)[None] - overlap
    ratio: NDArray[np.float32] = overlap / np.maximum(union, np.float32(1e-9))
    return ratio


def intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Areas (n, m) that every box of `a` (n, 4) shares with every box of `b` (m, 4)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    areas: NDArray[np.float32] = np.maximum(width, 0) * np.maximum(height, 0)
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
    order = np.argsort(-scores, kind="stable")
    # suppresses[i, j]: box i would remove the later box j; solved by walking the survivors, not the candidates
    rivals = np.triu(iou(boxes[order], boxes[order]) > threshold, 1)
    alive = np.ones(len(order), bool)
    for i in np.flatnonzero(rivals.any(1)):
        if alive[i]:
            alive &= ~rivals[i]
    return order[alive]
