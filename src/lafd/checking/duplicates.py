"""Pictures that are nearly the same: scaled, recompressed or slightly brightened copies, by a perceptual hash."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 16
NEAR = 20  # bits that may differ
BLOCK = 512  # hashes that are compared with all others at once
_ONES = np.array([value.bit_count() for value in range(65536)], np.uint8)


def picture_hash(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Whether brightness rises from left to right, at 16 x 16 places: 256 bits as uint16 (16,).

    Args:
        pixels: uint8 (h, w, 3) BGR.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    small = np.asarray(cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA))
    return np.packbits(small[:, 1:] > small[:, :-1]).view(np.uint16)


def near_pairs(hashes: NDArray[np.uint16], most: int) -> list[tuple[int, int, int]]:
    """Pairs (i, j, differing bits) with i < j of hashes (n, 16) that differ in at most so many bits."""
    pairs = []
    for start in range(0, len(hashes), BLOCK):
        distance = np.zeros((len(hashes[start : start + BLOCK]), len(hashes)), np.uint16)
        for column in hashes.T:
            distance += _ONES[column[start : start + BLOCK, None] ^ column]
        for i, j in np.argwhere(distance <= most).tolist():
            if start + i < j:
                pairs.append((start + i, j, int(distance[i, j])))
    return pairs
