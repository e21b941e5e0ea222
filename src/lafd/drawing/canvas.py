"""A transparent sheet on which shapes in face units become pixels."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.drawing.curves import Points, ribbon
from lafd.drawing.styles import Colour, Style

Mask = NDArray[np.uint8]
Window = tuple[int, int, int, int]

_SUBPIXEL_BITS = 4
_TONE_PITCH = 5.0  # pixels of the finished picture between dots of screentone
_TONE_INK = 34


class Canvas:
    """A sheet of premultiplied BGRA pixels, drawn larger than needed and shrunk at the end.

    Args:
        window: The part (x, y, width, height) of the picture that the sheet covers, in pixels.
        matrix: float64 (2, 3), from face units to pixels of the picture.
        style: How shapes are drawn.
        oversampling: Pixels of the sheet along each pixel of the picture.
    """

    def __init__(self, window: Window, matrix: NDArray[np.float64], style: Style, oversampling: int) -> None:
        x, y, width, height = window
        self.style = style
        self.oversampling = oversampling
        self.matrix = (matrix - [[0, 0, x], [0, 0, y]]) * oversampling
        self.unit = float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))
        self.pixels = np.zeros((height * oversampling, width * oversampling, 4), np.uint8)
        self._noise = np.random.default_rng(0)

    def moved(self, x: float, y: float = 0.0) -> Canvas:
        """The same sheet with its origin shifted by x and y face units."""
        view = copy.copy(self)
        view.matrix = self.matrix.copy()
        view.matrix[:, 2] += self.matrix[:, :2] @ (x, y)
        return view

    def finish(self) -> NDArray[np.uint8]:
        """The sheet at the picture's size, uint8 (height, width, 4), premultiplied BGRA."""
        height, width = (side // self.oversampling for side in self.pixels.shape[:2])
        return np.asarray(cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def mask(self, outline: Points, without: Points | None = None) -> Mask:
        """Where a shape lies, to draw other shapes within it, less where the shape `without` lies."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._project(outline)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        if without is not None:
            cv2.fillPoly(mask, [self._project(without)], 0, cv2.LINE_AA, _SUBPIXEL_BITS)
        return mask

    def shape(self, outline: Points, colour: Colour, to: Colour | None = None, weight: float = 1.0) -> None:
        """Draw a filled shape with the style's outline.

        Args:
            outline: The corners.
            colour: Its colour, at the top where `to` is given.
            to: Its colour at the bottom.
            weight: Factor on the outline's width.
        """
        width = self.style.outline * weight
        if width and not self.style.wobble:
            ink = (*self.style.line(colour), 255)
            # The fill covers the inner half of the line; the shift makes it heavier away from the light.
            thickness = max(1, round(width * self.unit * 1.7))
            shifted = self._project(outline) + round(width * self.unit * 0.25 * (1 << _SUBPIXEL_BITS))
            cv2.polylines(self.pixels, [shifted], True, ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
        self.fill(outline, colour, to=to)
        if width and self.style.wobble:
            self.line(np.concatenate([outline, outline[:1]]), width, colour)

    def line(self, curve: Points, widths: float | Sequence[float], colour: Colour) -> None:
        """Draw an ink line along a shape of the given colour; several widths make it taper."""
        ink = self.style.line(colour)
        scaled = np.atleast_1d(widths) * self.style.detail
        if not self.style.wobble:
            self._polygon(ribbon(curve, scaled.tolist()), ink)
            return
        for share in (0.45, 0.8):  # a pencil goes over each line twice
            stray = self._noise.normal(0, self.style.wobble, (max(2, len(curve) // 6), 2))
            at = np.linspace(0, len(stray) - 1, len(curve))
            offsets = np.stack([np.interp(at, np.arange(len(stray)), s) for s in stray.T], 1)
            self._polygon(ribbon(curve + offsets, (scaled * share).tolist()), ink)

    def fill(
        self,
        outline: Points,
        colour: Colour,
        *,
        to: Colour | None = None,
        within: Mask | None = None,
        opacity: float = 1.0,
        blur: float = 0.0,
    ) -> None:
        """Fill a shape without an outline.

        Args:
            outline: The corners.
            colour: Its colour, at the top where `to` is given.
            to: Its colour at the bottom.
            within: Where to draw; None draws everywhere.
            opacity: From 0 to 1.
            blur: Softness of the edge in face units.
        """
        flat, dots = self.style.paint(colour)
        fades = to is not None and self.style.tones == "colour"
        if not (fades or dots or within is not None or opacity < 1 or blur):
            self._polygon(outline, flat)
            return
        region, cover = self._cover(outline, blur * self.unit)
        if not cover.size:
            return
        if within is not None:
            cover = np.asarray(cv2.multiply(cover, within[region], scale=1 / 255), np.uint8)
        if opacity < 1:
            cover = np.asarray(cv2.convertScaleAbs(cover, alpha=opacity), np.uint8)
        if fades and to is not None:
            paint = self._gradient(outline, (colour, to), region)
        elif dots:
            paint = self._screentone(dots, region)
        else:
            paint = np.full((1, 1, 4), (*flat, 255), np.uint8)
        below = self.pixels[region]
        weight = cover[..., None].astype(np.int32) * 257 + (cover[..., None] >> 7)
        self.pixels[region] = below + ((paint.astype(np.int32) - below) * weight >> 16)

    def shade(self, outline: Points, colour: Colour, within: Mask, opacity: float = 1.0) -> None:
        """Fill a shadow or a light in the way of the style, or not at all."""
        if self.style.shading:
            self.fill(outline, colour, within=within, opacity=opacity, blur=self.style.softness)

    def _project(self, outline: Points) -> NDArray[np.int32]:
        p = outline @ self.matrix[:, :2].T + self.matrix[:, 2]
        return np.asarray(np.round((p - 0.5) * (1 << _SUBPIXEL_BITS)), np.int32)

    def _polygon(self, outline: Points, colour: Colour) -> None:
        # Onto transparent black an antialiased edge leaves exactly the premultiplied colour.
        cv2.fillPoly(self.pixels, [self._project(outline)], (*colour, 255), cv2.LINE_AA, _SUBPIXEL_BITS)

    def _cover(self, outline: Points, sigma: float) -> tuple[tuple[slice, slice], Mask]:
        """The part of the sheet that a shape touches, and how much of each of its pixels the shape covers."""
        polygon = self._project(outline)
        exact = polygon / (1 << _SUBPIXEL_BITS)
        size = np.array(self.pixels.shape[1::-1])
        low = np.clip(np.floor(exact.min(0) - 2 - 3 * sigma), 0, size).astype(np.int32)
        high = np.clip(np.ceil(exact.max(0) + 3 + 3 * sigma), low, size).astype(np.int32)
        cover = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        if cover.size:
            cv2.fillPoly(cover, [polygon - (low << _SUBPIXEL_BITS)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
            if sigma > 0.3:
                cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.uint8)
        return (slice(low[1], high[1]), slice(low[0], high[0])), cover

    def _gradient(
        self, outline: Points, ends: tuple[Colour, Colour], region: tuple[slice, slice]
    ) -> NDArray[np.uint8]:
        rows, columns = region
        top, height = outline[:, 1].min(), max(float(np.ptp(outline[:, 1])), 1e-9)
        inverse = np.asarray(cv2.invertAffineTransform(self.matrix), np.float64)
        x, y = np.arange(columns.start, columns.stop), np.arange(rows.start, rows.stop)[:, None]
        depth = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2] - top) / height
        steps = np.linspace((*ends[0], 255), (*ends[1], 255), 64).round().astype(np.uint8)
        paint: NDArray[np.uint8] = steps[np.clip(depth * 63, 0, 63).astype(np.uint8)]
        return paint

    def _screentone(self, share: float, region: tuple[slice, slice]) -> NDArray[np.uint8]:
        pace = 2 * np.pi / (_TONE_PITCH * self.oversampling)
        wave = np.outer(*(np.cos(np.arange(part.start, part.stop) * pace) for part in region))
        paint = np.full((*wave.shape, 4), 255, np.uint8)
        paint[wave > _dot_level(round(share, 2)), :3] = _TONE_INK
        return paint


@cache
def _dot_level(share: float) -> float:
    """The height above which the product of two cosines lies over this share of the plane."""
    wave = np.cos(np.linspace(0, 2 * np.pi, 64, endpoint=False))
    return float(np.quantile(np.outer(wave, wave), 1 - min(share, 1.0)))
