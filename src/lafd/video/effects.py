"""What is done to faces in the pictures: boxes drawn around them, or made unrecognisable. All on YUV planes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from lafd.draw import COLOUR
from lafd.tracking import TrackedFaces
from lafd.video.frame import planes_of

Effect = Callable[[VideoFrame, TrackedFaces], None]

_CELLS = 8  # of a hidden face's longer side; what is left tells nobody apart
_AROUND = 0.12  # of a face's sides, hidden on every side too
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def _yuv(bgr: tuple[int, int, int]) -> tuple[int, int, int]:
    """A colour in 8-bit limited-range BT.709."""
    blue, green, red = (part / 255 for part in bgr)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    u, v = (blue - luma) / 1.8556, (red - luma) / 1.5748
    return round(16 + 219 * luma), round(128 + 224 * u), round(128 + 224 * v)


_COLOUR = _yuv(COLOUR)
_BLACK = 16


def draw(image: VideoFrame, faces: TrackedFaces) -> None:
    """Draws a box for every face, with its number, if it has one, and its score in per cent."""
    planes, depth = _writable(image)
    thickness = max(1, round(max(planes[0].shape) / 400))
    numbers = faces.ids.tolist() if faces.ids is not None else [None] * len(faces.detections)
    for face, number in zip(faces.detections, numbers, strict=True):
        x1, y1, x2, y2 = (round(side) for side in face.box)
        for plane, value, (sx, sy) in zip(planes, _COLOUR, _steps(planes), strict=True):
            corners = (x1 // sx, y1 // sy), (max(x2 - 1, 0) // sx, max(y2 - 1, 0) // sy)
            cv2.rectangle(plane, *corners, value * depth, max(1, thickness // sx))
        text = f"{face.score:.0%}" if number is None else f"{number}  {face.score:.0%}"
        _label(planes, depth, text, (x1, y1, y2))


def blur(image: VideoFrame, faces: TrackedFaces) -> None:
    """Blurs every face beyond recognition."""
    _coarsen(image, faces, cv2.INTER_CUBIC)


def pixelate(image: VideoFrame, faces: TrackedFaces) -> None:
    """Turns every face into a few flat squares."""
    _coarsen(image, faces, cv2.INTER_NEAREST)


def _coarsen(image: VideoFrame, faces: TrackedFaces, enlargement: int) -> None:
    planes, _ = _writable(image)
    for x1, y1, x2, y2 in faces.detections.boxes.tolist():
        dx, dy = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
        for plane, (sx, sy) in zip(planes, _steps(planes), strict=True):
            left, top = max(0, int((x1 - dx) / sx)), max(0, int((y1 - dy) / sy))
            part = plane[top : int((y2 + dy) / sy) + 1, left : int((x2 + dx) / sx) + 1]
            if not part.size:
                continue
            height, width = part.shape
            cell = max(1, max(height, width) / _CELLS)
            few = max(1, round(width / cell)), max(1, round(height / cell))
            small = cv2.resize(part, few, interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(small, (width, height), interpolation=enlargement)


def _label(planes: list[NDArray[Any]], depth: int, text: str, place: tuple[int, int, int]) -> None:
    """Black on colour above the box, or below it at the picture's top edge, always inside the picture."""
    left, top, bottom = place
    height, width = planes[0].shape
    scale = max(0.4, max(height, width) / 1600)
    stroke = max(1, round(scale))
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, scale, stroke)
    full = text_height + baseline + 2
    y = top - full if top >= full else min(bottom, height - full)
    x = max(0, min(left, width - text_width))
    y = max(0, y)
    for plane, value, (sx, sy) in zip(planes, _COLOUR, _steps(planes), strict=True):
        plane[y // sy : (y + full) // sy, x // sx : (x + text_width) // sx] = value * depth
    part = planes[0][y : y + full, x : x + text_width]
    ink = np.zeros(part.shape, np.uint8)  # OpenCV writes in 8 bits alone
    cv2.putText(ink, text, (0, text_height + 1), _FONT, scale, 255, stroke, cv2.LINE_AA)
    part[:] = part - (part - _BLACK * depth) * (ink / 255)


def _writable(image: VideoFrame) -> tuple[list[NDArray[Any]], int]:
    """The planes, safe to change, and how much one step of 8 bits is in them."""
    image.make_writable()
    return planes_of(image), 1 << (image.format.components[0].bits - 8)


def _steps(planes: list[NDArray[Any]]) -> list[tuple[int, int]]:
    """How many pixels one sample of each plane spans, (across, down)."""
    height, width = planes[0].shape
    return [(round(width / plane.shape[1]), round(height / plane.shape[0])) for plane in planes]


__all__ = ["Effect", "blur", "draw", "pixelate"]
