"""The ways of drawing, and colours: (blue, green, red) from 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lafd.errors import UsageError

Colour = tuple[int, int, int]


def bgr(text: str) -> Colour:
    """The colour that a text like `#ffd0a0` (red, green, blue) stands for."""
    value = int(text.removeprefix("#"), 16)
    return value & 255, value >> 8 & 255, value >> 16


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour between `a` (share 0) and `b` (share 1)."""
    return tuple(round(p + (q - p) * share) for p, q in zip(a, b, strict=True))  # type: ignore[return-value]


def darker(colour: Colour, amount: float = 1.0) -> Colour:
    """The colour in shadow: darker, and drawn towards violet as in painted animation."""
    factors = (1 - 0.20 * amount, 1 - 0.33 * amount, 1 - 0.24 * amount)
    return tuple(max(0, round(c * f)) for c, f in zip(colour, factors, strict=True))  # type: ignore[return-value]


def skin_shadow(skin: Colour) -> Colour:
    """Return skin in shadow, which stays warm."""
    return mix(darker(skin, 0.8), (150, 150, 245), 0.2)


def lighter(colour: Colour, amount: float = 0.5) -> Colour:
    """The colour in the light: mixed with a warm white."""
    return mix(colour, (240, 252, 255), amount)


def luminance(colour: Colour) -> float:
    """Return how light a colour looks, from 0 to 1."""
    return float(np.dot(colour, (0.114, 0.587, 0.299))) / 255


@dataclass(frozen=True)
class Style:
    """How shapes become pixels; lengths are in face units (half the height of a face).

    Attributes:
        outline: Width of the line around shapes; 0 draws none.
        detail: Factor on the width of inner lines.
        ink: Colour of all lines, or None for a dark tone of the shape's own colour.
        shading: Whether shadows and lights are drawn.
        softness: Blur of shadows and lights.
        wobble: How far a hand-drawn line strays.
        tones: "colour", "screentone" (white, black and dots) or "paper" (a faint wash).
    """

    outline: float
    detail: float = 1.0
    ink: Colour | None = None
    shading: bool = True
    softness: float = 0.0
    wobble: float = 0.0
    tones: str = "colour"

    def paint(self, colour: Colour) -> tuple[Colour, float]:
        """The colour to fill with and the share of it to cover with dots of screentone."""
        light = luminance(colour)
        if self.tones == "screentone":
            if light < 0.34:
                return (34, 34, 34), 0.0
            return (255, 255, 255), 0.0 if light > 0.72 else (0.88 - light) * 0.8
        if self.tones == "paper":
            grey = round(250 - (1 - light) * (38 if light > 0.22 else 190))
            return (grey - 4, grey, grey), 0.0
        return colour, 0.0

    def line(self, colour: Colour) -> Colour:
        """The colour of a line along a shape of the given colour."""
        return self.ink or mix(darker(darker(colour, 1.6), 1.2), (48, 28, 44), 0.5)


STYLES = {
    "cel": Style(outline=0.030),
    "soft": Style(outline=0.016, detail=0.8, softness=0.035),
    "manga": Style(outline=0.030, ink=(20, 20, 20), tones="screentone"),
    "sketch": Style(outline=0.018, ink=(74, 66, 66), shading=False, wobble=0.018, tones="paper"),
    "flat": Style(outline=0.0, shading=False),
}


def style_named(name: str) -> Style:
    """A style.

    Raises:
        UsageError: No style has this name.
    """
    if name not in STYLES:
        raise UsageError(f"there is no drawing style {name!r}; choose one of {', '.join(STYLES)}")
    return STYLES[name]
