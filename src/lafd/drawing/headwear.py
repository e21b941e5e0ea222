"""What is worn on the head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lafd.drawing.canvas import Canvas
from lafd.drawing.character import Character
from lafd.drawing.curves import arc, bezier, corners, ellipse, points, ribbon, smooth
from lafd.drawing.face import eye_places, head_middle
from lafd.drawing.styles import bgr, darker, lighter, mix


def draw_headwear_behind(canvas: Canvas, character: Character) -> None:
    """Draw what the hair hides in part."""
    canvas = canvas.moved(head_middle(character))
    if character.headwear == "cat_ears":
        _draw_cat_ears(canvas, character)
    elif character.headwear == "ribbon":
        _draw_ribbon(canvas, character)


def draw_headwear(canvas: Canvas, character: Character) -> None:
    """Draw what sits on top of hair and face."""
    if character.headwear == "glasses":
        _draw_glasses(canvas, character)
    elif character.headwear in _ON_TOP:
        _ON_TOP[character.headwear](canvas.moved(head_middle(character)), character)


def _draw_cat_ears(canvas: Canvas, character: Character) -> None:
    hair = character.colour("hair_colour")
    inner_side = bezier((0.30, -1.52), (0.55, -2.0), (0.92, -2.22))
    ear = np.concatenate([inner_side, bezier((0.92, -2.22), (1.15, -1.7), (1.02, -1.02))])
    inside = (ear - ear.mean(0)) * (0.62, 0.72) + ear.mean(0)
    for side in (-1, 1):
        canvas.shape(ear * (side, 1), hair)
        canvas.fill(inside * (side, 1), mix(bgr("#f6b3b0"), hair, 0.15))


def _draw_ribbon(canvas: Canvas, character: Character) -> None:
    colour = character.colour("accent")
    for side in (-1, 1):
        wing = smooth(points("0.1,-1.5 0.55,-2.05 1.12,-2.0 1.05,-1.35 0.5,-1.3"), closed=True)
        canvas.shape(wing * (side, 1), colour, to=darker(colour, 0.8))
        fold = bezier((side * 0.2, -1.55), (side * 0.5, -1.75), (side * 0.75, -1.7))
        canvas.line(fold, (0.03, 0.0), colour)


def _draw_knot(canvas: Canvas, character: Character) -> None:
    canvas.shape(ellipse(0.0, -1.62, 0.17, 0.16), lighter(character.colour("accent"), 0.15))


def _draw_hat(canvas: Canvas, character: Character) -> None:
    colour = character.colour("accent")
    edge = bezier((1.2, -0.92), (0.0, -1.18), (-1.2, -0.92))
    crown = np.concatenate([arc((0.0, -0.92), (1.20, 1.02), (180, 360)), edge])
    canvas.shape(crown, colour, to=darker(colour, 0.5))
    canvas.shade(arc((0.35, -1.0), (0.95, 0.9), (270, 420)), darker(colour), canvas.mask(crown), 0.5)
    reach = 0.55 * (1.6 if character.profile else character.turn)
    upper = bezier((-1.22, -0.96), (reach / 2, -1.40), (1.22, -0.96))
    front = ((1.22, -0.96), (1.2 + reach, -0.62), (reach, -0.66), (reach / 2 - 1.2, -0.62), (-1.22, -0.96))
    canvas.shape(np.concatenate([upper, bezier(*front)]), darker(colour, 0.7))
    canvas.shape(ellipse(0.0, -1.93, 0.09, 0.06), darker(colour, 0.7))


def _draw_headphones(canvas: Canvas, character: Character) -> None:
    colour = character.colour("accent")
    canvas.shape(ribbon(arc((0.0, -0.40), (1.22, 1.32), (182, 358)), 0.13), bgr("#3a3a46"))
    for side in (-1,) if character.profile else (-1, 1):
        canvas.shape(ellipse(side * 1.14, -0.02, 0.24, 0.40), colour)
        canvas.fill(ellipse(side * 1.12, -0.02, 0.11, 0.22), lighter(colour, 0.5))


def _draw_flower(canvas: Canvas, character: Character) -> None:
    for angle in np.radians(np.arange(-90, 270, 72)):
        petal = ellipse(-0.82 + 0.17 * np.cos(angle), -0.82 + 0.17 * np.sin(angle), 0.14, 0.14)
        canvas.shape(petal, bgr("#fbb6cb"), weight=0.7)
    canvas.fill(ellipse(-0.82, -0.82, 0.08, 0.08), bgr("#f6d365"))


def _draw_glasses(canvas: Canvas, character: Character) -> None:
    frame = darker(character.colour("accent"), 0.8)
    places = eye_places(character)
    for x, y, width, _ in places:
        lens = smooth(ellipse(x, y + 0.04, width * 1.28, 0.34)[::2], closed=True)
        canvas.fill(lens, (255, 255, 255), opacity=0.10)
        canvas.line(np.concatenate([lens, lens[:2]]), 0.028, frame)
    left, y, reach, _ = places[0]
    canvas.line(corners((left - reach * 1.28, y), (-0.85, y - 0.1)), 0.028, frame)
    if len(places) == 2:
        right = places[1][0] - places[1][2] * 1.26
        bridge = bezier((left + reach * 1.26, y), ((left + right) / 2 + 0.1, y - 0.08), (right, y))
        canvas.line(bridge, 0.03, frame)


_ON_TOP: dict[str, Callable[[Canvas, Character], None]] = {
    "ribbon": _draw_knot,
    "hat": _draw_hat,
    "headphones": _draw_headphones,
    "flower": _draw_flower,
}
