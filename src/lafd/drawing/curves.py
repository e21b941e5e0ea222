"""Curves as arrays of points: float64 (n, 2), x to the right and y down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@cache
def _parsed(text: str) -> Points:
    return np.array([[float(number) for number in pair.split(",")] for pair in text.split()], np.float64)


def points(text: str) -> Points:
    """The corners in a text like the `points` of an SVG polygon: `0,0 1,0 1,1`."""
    return _parsed(text).copy()


def corners(*xy: tuple[float, float]) -> Points:
    """The given corners as an array."""
    return np.array(xy, np.float64)


def moved(curve: Points, x: float, y: float = 0.0) -> Points:
    """A curve shifted by x and y."""
    shifted: Points = curve + np.array([x, y])
    return shifted


def mirrored(half: Points) -> Points:
    """A right half, listed from top to bottom, followed by its mirror image from bottom to top."""
    return np.concatenate([half, (half * (-1, 1))[::-1]])


def smooth(curve: Points, closed: bool = False, steps: int = 8) -> Points:
    """A Catmull-Rom curve through the corners, `steps` points for each piece."""
    if closed:
        before, start, end, after = (np.roll(curve, shift, 0) for shift in (1, 0, -1, -2))
    else:
        padded = np.concatenate([2 * curve[:1] - curve[1:2], curve, 2 * curve[-1:] - curve[-2:-1]])
        before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (q[:, None] for q in (before, start, end, after))
    pieces = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    path: Points = pieces.reshape(-1, 2)
    return path if closed else np.concatenate([path, curve[-1:]])


def bezier(*controls: Sequence[float] | Points, steps: int = 10) -> Points:
    """A Bezier curve of any degree, from the first control point to the last."""
    t = np.linspace(0, 1, steps)[:, None, None]
    p = np.repeat(np.array(controls, np.float64)[None], steps, 0)
    while p.shape[1] > 1:
        p = p[:, :-1] * (1 - t) + p[:, 1:] * t
    path: Points = p[:, 0]
    return path


def polar(curve: Points, center: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Points given as (degrees, radius) around a centre; 0 degrees points right, 90 down, 180 left, 270 up."""
    angle, radius = np.radians(curve[:, 0]), curve[:, 1]
    return np.stack([center[0] + np.cos(angle) * radius, center[1] + np.sin(angle) * radius], 1)


def arc(center: tuple[float, float], radii: tuple[float, float], degrees: tuple[float, float]) -> Points:
    """A piece of an ellipse in 24 points; degrees as in `polar`."""
    circle = polar(np.stack([np.linspace(*degrees, 24), np.ones(24)], 1))
    return np.array(center) + circle * radii


def ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    """A whole ellipse."""
    return arc((x, y), (rx, ry), (0, 345))


def ribbon(curve: Points, widths: float | Sequence[float]) -> Points:
    """The outline of a brush stroke along a curve.

    Args:
        curve: The middle of the stroke.
        widths: One full width, or several that are spread evenly from start to end.
    """
    along = np.gradient(curve, axis=0)
    normal = along[:, ::-1] * (-1, 1) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    stops = np.atleast_1d(np.asarray(widths, np.float64))
    half = np.interp(np.linspace(0, 1, len(curve)), np.linspace(0, 1, len(stops)), stops)[:, None] / 2
    return np.concatenate([curve + normal * half, (curve - normal * half)[::-1]])


def blades(edge: Points, roundness: float = 0.55) -> Points:
    """The lower edge of hair: points that alternate between the tip of a strand and the gap beside it."""
    pieces = []
    for i in range(len(edge) - 1):
        tip, gap = (edge[i], edge[i + 1]) if i % 2 == 0 else (edge[i + 1], edge[i])
        # The control point sits under the gap, so that both sides of a strand bulge like a leaf.
        control = gap + (tip - gap) * (0.22, roundness)
        pieces.append(bezier(edge[i], control, edge[i + 1], steps=8)[: None if i == len(edge) - 2 else -1])
    return np.concatenate(pieces)
