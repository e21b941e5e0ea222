"""A cherry branch in bloom and its falling petals."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.drawing.backgrounds import Image, fill_polygon
from lafd.drawing.curves import bezier, points, polar, ribbon
from lafd.drawing.styles import bgr, mix

_PETAL = points("0,1 -0.55,0.2 -0.42,-0.72 -0.1,-0.95 0,-0.72 0.1,-0.95 0.42,-0.72 0.55,0.2")
_TWIGS = (
    (((-20, 40), (200, 30), (430, 92)), 16),
    (((120, 34), (240, 90), (300, 150)), 8),
    (((250, 46), (420, 20), (560, 36)), 8),
)


def draw_branch(picture: Image, rng: np.random.Generator) -> None:
    """Draw a branch in bloom across the upper left corner."""
    for path, width in _TWIGS:
        curve = bezier(*path, steps=20)
        fill_polygon(picture, ribbon(curve, (width, 2)), bgr("#6b4a42"))
        for spot in np.repeat(curve[2:], 7, 0) + rng.normal(0, 20, (126, 2)):
            _draw_blossom(picture, spot, float(rng.uniform(7, 13)), rng)


def scatter_petals(picture: Image, boxes: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Draw falling petals everywhere but on the faces."""
    height, width = picture.shape[:2]
    for center in rng.uniform((0, 0), (width, height), (60, 2)):
        size, degrees = float(rng.uniform(4, 9)), float(rng.uniform(0, 360))
        pink = mix(bgr("#f9b3ca"), bgr("#fff0f5"), float(rng.uniform(0, 1)))
        if not ((boxes[:, :2] - 8 < center) & (center < boxes[:, 2:] + 8)).all(1).any():
            _draw_petal(picture, (center, size, degrees), pink)


def _draw_blossom(picture: Image, center: NDArray[np.float64], size: float, rng: np.random.Generator) -> None:
    pink = mix(bgr("#fbc4d6"), bgr("#fff2f6"), float(rng.uniform(0, 1)))
    for degrees in rng.uniform(0, 72) + np.arange(0, 360, 72):
        outwards = polar(np.array([[degrees - 90, 0.55 * size]]))[0]
        _draw_petal(picture, (center + outwards, 0.6 * size, degrees), pink)
    heart = int(center[0]), int(center[1])
    cv2.circle(picture, heart, max(1, round(size * 0.16)), bgr("#e0708e"), -1, cv2.LINE_AA)


def _draw_petal(
    picture: Image, place: tuple[NDArray[np.float64], float, float], colour: tuple[int, int, int]
) -> None:
    center, size, degrees = place
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    fill_polygon(picture, _PETAL * size @ np.array([[cos, sin], [-sin, cos]]) + center, colour)
