"""Drawing detections onto a copy of an image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from lafd.detections import Detections
from lafd.pixels import Colour, from_pillow, to_pillow

COLOUR = (80, 200, 60)  # BGR
TEXT = 12  # px; the height of a line on pictures of up to 400 px


def draw(image: NDArray[np.uint8], detections: Detections, *, scores: bool = True) -> NDArray[np.uint8]:
    """Draws a box, and the score in per cent, for every face.

    Args:
        image: uint8 (h, w, 3), BGR; it stays as it is.
        detections: The faces of this image.
        scores: Whether to write the scores.

    Returns:
        A new uint8 (h, w, 3) image.
    """
    picture = to_pillow(image)
    pen = ImageDraw.Draw(picture)
    thickness = max(1, round(max(picture.size) / 400))
    size = round(TEXT * max(1.0, thickness * 0.75))
    for face in detections:
        x1, y1, x2, y2 = (round(side) for side in face.box)
        frame(pen, (x1, y1, x2 - 1, y2 - 1), COLOUR, thickness)
        if scores:
            text = f"{face.score:.0%}"
            width, height = extent(text, size)
            # above the box, or below it at the picture's top edge, always inside the picture
            top = y1 - height if y1 >= height else min(y2, picture.height - height)
            write(pen, text, (max(0, min(x1, picture.width - width)), top), size, COLOUR)
    return from_pillow(picture)


def frame(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], bgr: Colour, thickness: int) -> None:
    """Draws a rectangle whose line has the box, all four sides included, in its middle."""
    x1, y1, x2, y2 = box
    out = (thickness - 1) // 2
    sides = x1 - out, y1 - out, max(x1, x2) + out, max(y1, y2) + out
    pen.rectangle(sides, outline=bgr[::-1], width=thickness)


def write(pen: ImageDraw.ImageDraw, text: str, corner: tuple[int, int], size: int, bgr: Colour) -> None:
    """Writes black on colour; the corner is the upper left one."""
    width, height = extent(text, size)
    x, y = corner
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill=bgr[::-1])
    pen.text((x + 1, y + height / 2), text, (0, 0, 0), _font(size), "lm")


def extent(text: str, size: int) -> tuple[int, int]:
    """Width and height in pixels of what `write` covers."""
    return round(_font(size).getlength(text)) + 2, size + 2


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
