"""Scaling and turning pictures for the network: the same pixels with OpenCV and, give or take 1 of 255, without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lafd.opencv import cv2
from lafd.pixels import Pixels

Values = NDArray[np.uint16]

_STRIP = 16  # rows of the result that are made at once: their 16-bit numbers stay in the cache
_ONE = 256  # weights of the two neighbours of a pixel add up to it


def halve(image: Pixels) -> Pixels:
    """The rounded means of blocks of 2x2 pixels of an image (h, w, 3): (h // 2, w // 2, 3)."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * rows, : 2 * columns]
    if cv2 is None:
        return _halve(even)
    return np.asarray(cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def interpolate(image: Pixels, target: Pixels) -> None:
    """Scales an image (h, w, 3) bilinearly into a target (h', w', 3); nothing is smoothed where it shrinks."""
    if cv2 is None:
        _interpolate(image, target)
    else:
        cv2.resize(image, target.shape[1::-1], target, interpolation=cv2.INTER_LINEAR)


def turn(image: Pixels, quarters: int) -> Pixels:
    """An image (h, w, 3) turned counter-clockwise by 1 to 3 quarters of a circle, C-contiguous."""
    if cv2 is None:
        return np.ascontiguousarray(np.rot90(image, quarters))
    turns = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
    return np.asarray(cv2.rotate(image, turns[quarters - 1]), np.uint8)


def _halve(even: Pixels) -> Pixels:
    halved = np.empty((even.shape[0] // 2, even.shape[1] // 2, 3), np.uint8)
    for start in range(0, len(halved), _STRIP):
        rows = even[2 * start : 2 * (start + _STRIP)]
        sums = np.add(rows[::2], rows[1::2], dtype=np.uint16)
        for channel in range(3):  # NumPy is slow where its innermost loop has three steps
            total = sums[:, ::2, channel] + sums[:, 1::2, channel]
            total += 2
            total >>= 2
            halved[start : start + _STRIP, :, channel] = total
    return halved


def _interpolate(image: Pixels, target: Pixels) -> None:
    if image.shape[:2] == (2 * target.shape[0], 2 * target.shape[1]):
        target[:] = _halve(image)  # the same, sooner
        return
    top, bottom, down = _neighbours(image.shape[0], target.shape[0])
    left, right, across = _neighbours(image.shape[1], target.shape[1])
    left, right = (((columns[:, None] * 3) + np.arange(3)).ravel() for columns in (left, right))
    across = np.repeat(across, 3)
    rows = image.reshape(image.shape[0], -1)
    for start in range(0, len(target), _STRIP):
        strip = slice(start, start + _STRIP)
        first, second = (rows[some[strip]].astype(np.uint16) for some in (top, bottom))
        column = _between(first, second, down[strip, None])
        # np.take is faster than column[:, left]
        part = _between(np.take(column, left, 1), np.take(column, right, 1), across)
        target[strip] = part.reshape(len(part), -1, 3)


def _neighbours(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Values]:
    """For each of `new` pixels in a row the two of `old` around its middle, and the weight of the second."""
    middles = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    first = middles.astype(np.intp)
    weights = np.rint((middles - first) * _ONE).astype(np.uint16)
    return first, np.minimum(first + 1, old - 1), weights


def _between(first: Values, second: Values, weights: Values) -> Values:
    """The weighted means of two arrays of values up to 255, in the memory of the first."""
    first *= _ONE - weights
    second *= weights
    first += second
    first += _ONE // 2
    first >>= 8
    return first
