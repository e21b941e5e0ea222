"""What the original detector computed after and before its network, to the bit, its faults included.

Nothing else in lafd should use this: it is here for people who must compare with the original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd.mxnet.decoding import Branch
from lafd.opencv import needed

LEAST_SIDE = 128
TOP_K = 10_000
SMALL = 15  # NumPy leaves parts of up to 16 values to insertion sort

Rows = NDArray[np.float32]  # (n, 5): x1, y1, x2, y2, score


@dataclass(frozen=True)
class Thresholds:
    """Least score, and the share of its own area that a box may have under a better one."""

    score: float
    overlap: float


def network_scale(height: int, width: int, scale: float) -> float:
    """The scale that the original really used: the shorter side is never below 128 pixels."""
    shorter = min(height, width)
    return LEAST_SIDE / shorter if shorter * scale < LEAST_SIDE else scale


def network_input(image: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    """The image (h, w, 3) as the network saw it, float32 (1, 3, h', w'); the sampling step is exactly 1 / scale."""
    if scale != 1:
        cv2 = needed("what the original computed, to the bit,")
        image = np.asarray(
            cv2.resize(image, (0, 0), fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR), np.uint8
        )
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)


def candidates(
    maps: Sequence[NDArray[np.float32]],
    branches: Sequence[Branch],
    shape: tuple[int, int],
    scale: float,
    least: float,
) -> Rows:
    """Boxes with a score above `least`, best first, in pixels of an image of `shape` (h, w), clipped on one side each.

    Args:
        maps: Score and offset map of each branch in turn, (1, 1, h, w) and (1, 4, h, w).
        branches: What the maps mean.
        shape: (h, w) of the image before scaling.
        scale: Of the network's input.
        least: Score, exclusive.
    """
    found = []
    for branch, scores, offsets in zip(branches, maps[::2], maps[1::2], strict=True):
        rows, columns = np.nonzero(scores[0, 0] > least)
        centres = np.stack([columns, rows]) * branch.stride + int(branch.start)
        pixels = offsets[0][:, rows, columns] * (
            branch.size / 2
        )  # float32; with the whole centres it becomes float64
        corners = (np.concatenate([centres, centres]) - pixels) / scale
        corners[:2] = np.maximum(corners[:2], 0)
        corners[2:] = np.minimum(corners[2:], np.array([[shape[1]], [shape[0]]]))
        found.append(np.concatenate([corners, scores[0][:, rows, columns]]).T)
    boxes = np.concatenate(found)
    order = np.argsort(-boxes[:, 4], kind="stable")
    return boxes[order[:TOP_K]].astype(np.float32)


def suppress(boxes: Rows, threshold: float) -> Rows:
    """The original's non-maximum suppression.

    A box goes when its intersection with a better one, one pixel too wide and too high, is more than `threshold` of
    its own area. Boxes without an area go when they touch a better one.
    """
    sides = boxes[:, 2:4] - boxes[:, :2]
    areas = sides[:, 1] * sides[:, 0]
    left = quicksort_order(boxes[:, 4])
    kept = []
    while len(left):
        best, left = left[-1], left[:-1]
        kept.append(best)
        upper = np.maximum(boxes[best, :2], boxes[left, :2])
        lower = np.minimum(boxes[best, 2:4], boxes[left, 2:4])
        shared = np.maximum(0, lower - upper + 1).astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = left[~(shared.prod(1) / areas[left] > threshold)]
    return boxes[np.array(kept, np.intp)]


def quicksort_order(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Ascending order of values (n,), equal ones as by NumPy's `argsort` before it used vector instructions.

    That is Hoare's quicksort with the median of three as pivot, insertion sort for small parts.
    """
    order, v = list(range(len(values))), values.tolist()
    if len(set(v)) == len(v):
        return np.argsort(values)
    parts = [(0, len(v) - 1)]
    while parts:
        low, high = parts.pop()
        if high - low <= SMALL:
            order[low : high + 1] = sorted(order[low : high + 1], key=v.__getitem__)
            continue
        middle = low + (high - low) // 2
        for a, b in ((low, middle), (middle, high), (low, middle)):
            if v[order[b]] < v[order[a]]:
                order[a], order[b] = order[b], order[a]
        pivot, i, j = v[order[middle]], low, high - 1
        order[middle], order[j] = order[j], order[middle]
        while True:
            i, j = i + 1, j - 1
            while v[order[i]] < pivot:
                i += 1
            while pivot < v[order[j]]:
                j -= 1
            if i >= j:
                break
            order[i], order[j] = order[j], order[i]
        order[i], order[high - 1] = order[high - 1], order[i]
        parts += [(low, i - 1), (i + 1, high)]
    return np.array(order, np.intp)
