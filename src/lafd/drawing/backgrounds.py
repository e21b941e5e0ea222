"""What is behind the characters: pictures uint8 (height, width, 3) BGR without any face."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.drawing.styles import Colour, Style, bgr, lighter, mix
from lafd.errors import UsageError

Image = NDArray[np.uint8]

_SKIES = (
    ("#3f8fe0", "#bfe6fb"),
    ("#7fb8f0", "#fde9d6"),
    ("#f08a5a", "#fbd9a0"),
    ("#1f2a5a", "#6a5a9a"),
    ("#8fc8d8", "#f3f6ea"),
)
_WALLS = ("#f3ead8", "#dbe6ee", "#f6dfe2", "#e2e8d4", "#d8d0c4", "#c9d4c5")
_VIVID = (
    "#f6c6d4",
    "#bfe0f2",
    "#fbe6a6",
    "#cfe8c4",
    "#d8cdf0",
    "#f8d2b4",
    "#ffffff",
    "#5a6a9a",
    "#e86f7a",
    "#3a3a4a",
)


def draw_background(kind: str, size: tuple[int, int], rng: np.random.Generator, style: Style) -> Image:
    """A background.

    Args:
        kind: A name in BACKGROUNDS.
        size: Width and height in pixels.
        rng: Source of randomness.
        style: How the characters in front are drawn; without colour, the background has none either.

    Raises:
        UsageError: There is no such kind.
    """
    if kind not in BACKGROUNDS:
        raise UsageError(f"there is no background {kind!r}; choose one of {', '.join(BACKGROUNDS)}")
    picture = BACKGROUNDS[kind](*size, rng)
    if style.tones == "colour":
        return picture
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    # Manga and sketches leave the background pale, so that the characters stand out.
    pale = cv2.convertScaleAbs(grey, alpha=0.45, beta=140) if style.tones == "screentone" else grey // 8 + 222
    return np.asarray(cv2.cvtColor(pale, cv2.COLOR_GRAY2BGR), np.uint8)


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Image:
    """A picture that fades from one colour to another."""
    column = np.linspace(top, bottom, height).round().astype(np.uint8)
    return np.repeat(column[:, None], width, 1)


def fill_polygon(picture: Image, outline: NDArray[np.float64], colour: Colour) -> None:
    """Fill a polygon given in pixels, with smooth edges."""
    cv2.fillPoly(picture, [np.round(outline * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def draw_cloud(picture: Image, center: tuple[float, float], size: float, rng: np.random.Generator) -> None:
    """Draw a cumulus cloud of about `size` pixels width onto a picture."""
    x, y = center
    spread = rng.uniform(-0.5, 0.5, 14)
    height = (0.25 - spread**2) * rng.uniform(0.6, 1.2, 14)
    radius = size * (0.07 + 0.30 * height)
    puffs = np.stack([x + spread * size, y - height * size * 0.9, radius], 1)
    # Only the cloud's own part of the picture is touched.
    left, right = np.clip((x - 0.7 * size, x + 0.7 * size), 0, picture.shape[1]).astype(int)
    top, bottom = np.clip((y - 0.6 * size, y + 0.1 * size), 0, picture.shape[0]).astype(int)
    if left >= right or top >= bottom:
        return
    sky = picture[top:bottom, left:right]
    for drop, scale, share in ((0.18, 1.0, 0.72), (0.0, 1.0, 0.95), (-0.11, 0.72, 1.0)):
        layer = np.zeros(sky.shape[:2], np.uint8)
        for px, py, r in puffs - (left, top, 0):
            center_px = round(float(px - r * (1 - scale))), round(float(py + drop * r))
            cv2.circle(layer, center_px, max(1, round(float(r) * scale)), 255, -1, cv2.LINE_AA)
        layer[max(0, round(y + size * 0.03) - top) :] = 0
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), max(0.5, size * 0.006)), np.uint8)
        white = np.array(mix(bgr("#a9c4e4"), (255, 255, 255), share), np.float32)
        sky[...] = sky + (white - sky) * (layer[..., None].astype(np.float32) / 255 * 0.9)


def draw_buildings(picture: Image, base: int, colour: Colour, rng: np.random.Generator) -> None:
    """Draw a row of buildings from the line `base` to the bottom of a picture."""
    height, width = picture.shape[:2]
    x = -int(rng.integers(0, 30))
    while x < width:
        wide = int(rng.uniform(0.05, 0.12) * width) + 4
        top = base - int(rng.uniform(0.05, 0.38) * height)
        wall = mix(colour, (255, 255, 255), float(rng.uniform(0, 0.25)))
        cv2.rectangle(picture, (x, top), (x + wide, height), wall, -1)
        cv2.rectangle(
            picture, (x + wide - max(1, wide // 6), top), (x + wide, height), mix(wall, (60, 40, 40), 0.2), -1
        )
        step = max(4, height // 40)
        pane = mix(wall, bgr("#fdf3c4") if rng.random() < 0.5 else bgr("#40506a"), 0.6)
        for wy in range(top + step, height, 2 * step):
            for wx in range(x + step // 2, x + wide - wide // 5, step + step // 2):
                cv2.rectangle(picture, (wx, wy), (wx + step // 2, wy + step), pane, -1)
        x += wide + int(rng.integers(0, max(2, width // 60)))


def _sky(width: int, height: int, rng: np.random.Generator) -> Image:
    top, bottom = (bgr(c) for c in _SKIES[rng.integers(len(_SKIES))])
    picture = gradient(width, height, top, bottom)
    for _ in range(int(rng.integers(2, 6))):
        center = float(rng.uniform(0, width)), float(rng.uniform(0.2, 0.8) * height)
        draw_cloud(picture, center, float(rng.uniform(0.15, 0.5)) * width, rng)
    if rng.random() < 0.6:
        x = np.linspace(0, width, 40)
        for level, colour in ((0.80, "#7fae8a"), (0.88, "#5f9a68")):
            hill = height * (level + 0.04 * np.sin(x / width * rng.uniform(4, 9) + rng.uniform(0, 6)))
            ridge = np.concatenate([np.stack([x, hill], 1), [[width, height], [0, height]]])
            fill_polygon(picture, ridge, mix(bgr(colour), bottom, 0.25))
    return picture


def _flat(width: int, height: int, rng: np.random.Generator) -> Image:
    return np.full((height, width, 3), bgr(_VIVID[rng.integers(len(_VIVID))]), np.uint8)


def _fade(width: int, height: int, rng: np.random.Generator) -> Image:
    top, bottom = (bgr(_VIVID[i]) for i in rng.choice(len(_VIVID), 2, replace=False))
    return gradient(width, height, top, bottom)


def _room(width: int, height: int, rng: np.random.Generator) -> Image:
    wall = bgr(_WALLS[rng.integers(len(_WALLS))])
    picture = gradient(width, height, lighter(wall, 0.2), wall)
    floor = round(height * 0.82)
    picture[floor:] = gradient(width, height - floor, bgr("#b98a5e"), bgr("#8f6844"))
    cv2.line(picture, (0, floor), (width, floor), lighter(wall, 0.6), max(2, height // 60))
    left, right = round(width * rng.uniform(0.05, 0.3)), round(width * rng.uniform(0.45, 0.7))
    top, bottom = round(height * 0.10), round(height * 0.58)
    picture[top:bottom, left:right] = _sky(right - left, bottom - top, rng)
    frame = max(2, height // 70)
    for start, end in (((left, top), (right, bottom)), (((left + right) // 2, top), (right, bottom))):
        cv2.rectangle(picture, start, end, bgr("#fbf8f2"), frame)
    shelf = round(height * 0.5)
    x = right + width // 20
    cv2.rectangle(picture, (x, shelf), (width, shelf + frame), bgr("#7a5638"), -1)
    while x < width:
        wide, tall = int(rng.uniform(0.012, 0.03) * width) + 2, int(rng.uniform(0.1, 0.2) * height)
        cv2.rectangle(
            picture, (x, shelf - tall), (x + wide, shelf - 1), bgr(_VIVID[rng.integers(len(_VIVID))]), -1
        )
        x += wide + 1
    return picture


def _city(width: int, height: int, rng: np.random.Generator) -> Image:
    top, bottom = (bgr(c) for c in _SKIES[rng.integers(len(_SKIES))])
    picture = gradient(width, height, top, bottom)
    draw_buildings(picture, round(height * 0.72), mix(bottom, bgr("#6a7a9a"), 0.4), rng)
    draw_buildings(picture, round(height * 0.86), bgr("#6a7088"), rng)
    return picture


def _pattern(width: int, height: int, rng: np.random.Generator) -> Image:
    first, second = (bgr(_VIVID[i]) for i in rng.choice(len(_VIVID), 2, replace=False))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    pitch = max(6.0, float(rng.uniform(0.03, 0.12)) * min(width, height))
    kind = rng.integers(4)
    if kind == 0:  # dots
        inside = np.cos(x * np.pi / pitch) * np.cos(y * np.pi / pitch) > 0.35
    elif kind == 1:  # stripes
        inside = (x + y * float(rng.uniform(-1, 1))) % (2 * pitch) < pitch
    elif kind == 2:  # checks
        inside = (x // pitch + y // pitch) % 2 < 1
    else:  # rays
        angle = np.arctan2(y - height * rng.uniform(0.3, 0.7), x - width * rng.uniform(0.3, 0.7))
        inside = np.sin(angle * int(rng.integers(8, 24))) > 0
    picture = np.full((height, width, 3), first, np.uint8)
    picture[inside] = mix(first, second, float(rng.uniform(0.3, 1.0)))
    return picture


BACKGROUNDS: dict[str, Callable[[int, int, np.random.Generator], Image]] = {
    "sky": _sky,
    "fade": _fade,
    "flat": _flat,
    "room": _room,
    "city": _city,
    "pattern": _pattern,
}
