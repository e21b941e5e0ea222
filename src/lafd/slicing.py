"""Looking closer at large pictures: at the whole, and at overlapping tiles of it (SAHI, arXiv 2202.06934)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lafd.detections import Detections
from lafd.images import Picture

if TYPE_CHECKING:
    from lafd.detector import Detector, Options

OVERLAP = 0.25  # of a tile's side; a face up to this size is whole in one of the tiles that share it
STEP = 4  # from the side of the tiles to that of larger ones: what is cut in the first is whole in the next
BORDER = 0.02  # of a tile's side; a box that comes so near to where the picture was cut is a part of a face
AUTO = 2  # "auto" cuts pictures that would be shrunk by more than this

Tile: TypeAlias = tuple[
    int, int, int, int
]  # x1, y1, x2, y2 in pixels of the picture, right and bottom exclusive


def detect(detector: Detector, picture: Picture, options: Options) -> Detections:
    """The faces of a picture as a whole and of its tiles, each seen at `options.size`.

    Args:
        detector: Finds the faces of one view.
        picture: In full resolution.
        options: With `slice`, the side of the smallest tiles.
    """
    size = options.size or detector.card.size
    longer = max(picture.width, picture.height)
    side = (
        (size if longer > AUTO * size else longer)
        if options.slice == "auto"
        else int(options.slice or longer)
    )
    tiles = list(tiles_of(picture.width, picture.height, side))
    views = [Picture(picture.pixels[y1:y2, x1:x2], x2 - x1, y2 - y1) for x1, y1, x2, y2 in tiles]
    found = detector.detect_pictures(views, dataclasses.replace(options, slice=None, max_faces=None))
    moved = [whole_faces(faces, tile, picture) for faces, tile in zip(found, tiles, strict=True)]
    return detector.combine(moved, picture, options)


def tiles_of(width: int, height: int, side: int) -> Iterator[Tile]:
    """The picture as a whole, then tiles of `side` pixels, then larger ones, as long as they are smaller than it."""
    yield 0, 0, width, height
    while side < max(width, height):
        for top in starts(height, side):
            for left in starts(width, side):
                yield left, top, min(left + side, width), min(top + side, height)
        side *= STEP


def starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` pixels begin, evenly, so that they cover `length` and overlap."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - OVERLAP))) + 1
    return [round(place) for place in np.linspace(0, length - side, count)]


def whole_faces(
    faces: Detections, tile: Tile, picture: Picture
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4) in pixels of the picture, and scores (n,), without faces that the tile's border may cut."""
    boxes = faces.boxes + np.array(tile[:2] * 2, np.float32)
    border = BORDER * max(faces.width, faces.height)
    whole = np.ones(len(boxes), bool)
    for axis, end in ((0, picture.width), (1, picture.height)):
        if tile[axis] > 0:
            whole &= boxes[:, axis] > tile[axis] + border
        if tile[axis + 2] < end:
            whole &= boxes[:, axis + 2] < tile[axis + 2] - border
    return boxes[whole], faces.scores[whole]
