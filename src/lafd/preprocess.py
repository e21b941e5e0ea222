"""From an image to the network's input, and the way back for the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd.images import Picture
from lafd.transform import halve, interpolate

STRIDE = 32  # px; the network's input sides are multiples of it
MAX_ENLARGEMENT = 2.0  # by `size`; beyond, small images cost more and gain nothing


@dataclass(frozen=True)
class Fit:
    """How an image meets the network: scaled to (height, width), then padded with black on the right and bottom."""

    height: int
    width: int
    padded_height: int
    padded_width: int


def fit(height: int, width: int, size: int, resize_scale: float | None) -> Fit:
    """Chooses the network's view of an image of (height, width) pixels.

    Args:
        height: Of the image, px.
        width: Of the image, px.
        size: Wanted longer side; small images are enlarged at most twice.
        resize_scale: Overrides `size`: the factor by which the image is scaled.
    """
    scale = resize_scale if resize_scale is not None else min(size / max(height, width), MAX_ENLARGEMENT)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    return Fit(new_height, new_width, -(-new_height // STRIDE) * STRIDE, -(-new_width // STRIDE) * STRIDE)


def stack(images: Sequence[NDArray[np.uint8]], views: Sequence[Fit]) -> NDArray[np.uint8]:
    """The network's input, uint8 (n, padded_height, padded_width, 3), of n images whose padded shape is the same."""
    canvas = np.empty((len(images), views[0].padded_height, views[0].padded_width, 3), np.uint8)
    for image, view, spot in zip(images, views, canvas, strict=True):
        place(image, view, spot)
    return canvas


def place(image: NDArray[np.uint8], view: Fit, canvas: NDArray[np.uint8]) -> None:
    """Writes the scaled image, uint8 (h, w, 3), into a canvas (padded_height, padded_width, 3) in place.

    Larger images are halved as long as they stay larger, then scaled bilinearly, as with mipmaps (Williams 1983). Where
    the factor is not whole that is several times as fast as OpenCV's area averaging, and finds as many faces.
    """
    for _ in range(halvings(image.shape[0], image.shape[1], view)):
        image = halve(image)
    target = canvas[: view.height, : view.width]
    if image.shape[:2] == (view.height, view.width):
        target[:] = image
    else:
        interpolate(image, target)
    canvas[view.height :] = 0
    canvas[: view.height, view.width :] = 0


def halvings(height: int, width: int, view: Fit) -> int:
    """How often an image of (height, width) is halved before it is scaled to a view."""
    count = 0
    while height >> count > 2 * view.height and width >> count > 2 * view.width:
        count += 1
    return count


def restore(boxes: NDArray[np.float32], view: Fit, picture: Picture) -> NDArray[np.float32]:
    """Maps boxes (n, 4) from the network's input to the full picture: the exact inverse of the scaling."""
    height, width = picture.pixels.shape[:2]
    block = 2 ** halvings(height, width, view)  # pixels beyond the last whole block are not seen
    across = width // block * block / width * picture.width / view.width
    down = height // block * block / height * picture.height / view.height
    return boxes * np.array([across, down, across, down], np.float32)
