"""Eyes and brows: what a detector, and everybody else, looks at first."""

from __future__ import annotations

import numpy as np

from lafd.drawing.canvas import Canvas, Mask
from lafd.drawing.character import Character
from lafd.drawing.curves import Points, bezier, corners, ellipse, moved, points, smooth
from lafd.drawing.face import eye_places
from lafd.drawing.styles import bgr, darker, lighter, mix

# Centre x, y, half width, and side: -1 left, 1 right of the nose.
EyePlace = tuple[float, float, float, int]

# One eye, x from nose to temple, both axes from -1 to 1.
_WHITE = points(
    "-0.94,-0.10 -0.72,-0.66 -0.18,-0.98 0.42,-0.94 0.86,-0.56 1.0,-0.12 0.88,0.36 0.50,0.86 -0.05,0.98 "
    "-0.56,0.80 -0.86,0.36"
)
_UPPER_LID = points("-1.02,0.02 -0.80,-0.62 -0.20,-1.0 0.44,-0.96 0.90,-0.56 1.18,0.0")
_LOWER_LID = points("0.98,0.22 0.74,0.66 0.40,0.95 0.0,1.03 -0.35,0.98")
_CREASE = points("-0.70,-0.95 -0.15,-1.27 0.48,-1.22 0.92,-0.90")
_LASH = bgr("#3a2530")
_RAISED_BROWS = {"surprised": -0.10, "open": -0.04, "closed_eyes": -0.02}
_OPENING = {"surprised": 1.12, "calm": 0.9}


def draw_eyes(canvas: Canvas, character: Character, mask: Mask) -> None:
    """Draw the eyes within the skin of the face."""
    for place in eye_places(character):
        if character.expression == "closed_eyes" or (character.expression == "wink" and place[3] == 1):
            _draw_closed(canvas, place)
        else:
            _draw_open(canvas, character, place, mask)


def draw_brows(canvas: Canvas, character: Character) -> None:
    """Draw the brows, which stay visible on top of the fringe."""
    colour = darker(character.colour("hair_colour"), 0.4)
    slope = 0.035 * character.slant
    for x, eye_y, width, side in eye_places(character):
        y = eye_y - 0.48 + _RAISED_BROWS.get(character.expression, 0.0)
        reach = side * width * (1.6 if character.profile else 1.0)
        start, end = (x - reach * 0.85, y + 0.03 + slope), (x + reach * 1.05, y + 0.05 - slope)
        canvas.line(bezier(start, (x, y - 0.10), end), (0.022, 0.05, 0.042, 0.012), colour)


def _draw_open(canvas: Canvas, character: Character, place: EyePlace, mask: Mask) -> None:
    height = 0.285 * _OPENING.get(character.expression, 1.0) * (1.08 if character.chibi else 1.0)
    height *= 1 - 0.14 * max(0.0, character.slant)

    def at(xy: Points) -> Points:
        return _placed(xy, place, height, character.slant)

    white = at(smooth(_WHITE, closed=True))
    canvas.fill(white, (252, 250, 250), within=mask)
    inside = np.minimum(canvas.mask(white), mask)
    _draw_iris(canvas, character, (place, height), inside)
    lid = at(smooth(_UPPER_LID))
    if canvas.style.tones == "colour":
        shadow = np.concatenate([lid, moved(lid[::-1], 0.0, 0.10)])
        canvas.fill(shadow, bgr("#6a5a86"), within=inside, opacity=0.45)
    lash = mix(_LASH, darker(character.colour("hair_colour"), 1.5), 0.35)
    canvas.line(lid, (0.025, 0.05, 0.07, 0.085, 0.10, 0.02), lash)
    for start, bend, end in (
        ((0.80, -0.66), (1.12, -0.54), (1.30, -0.72)),
        ((0.98, -0.42), (1.24, -0.30), (1.42, -0.34)),
    ):
        canvas.line(at(bezier(start, bend, end)), (0.05, 0.03, 0.0), lash)
    canvas.line(at(smooth(_LOWER_LID)), (0.035, 0.03, 0.024, 0.016, 0.0), lash)
    canvas.line(at(smooth(_CREASE)), (0.0, 0.016, 0.018, 0.0), darker(character.colour("skin")))


def _draw_iris(canvas: Canvas, character: Character, shape: tuple[EyePlace, float], inside: Mask) -> None:
    (x, y, half, side), height = shape
    colour = character.colour("eye_colour")
    small = 0.78 if character.expression == "surprised" else 1.0
    rx, ry = half * 0.76 * small, height * 0.98 * small
    if character.profile:
        x, rx = x + half * 0.30, rx * 0.85
    else:
        x += half * (0.10 * character.turn - 0.04 * side)
    deep = darker(darker(colour, 1.5), 1.2)
    canvas.fill(ellipse(x, y, rx, ry), mix(deep, (30, 16, 20), 0.5), within=inside)
    iris = ellipse(x, y, rx * 0.88, ry * 0.91)
    canvas.fill(iris, mix(deep, colour, 0.25), to=lighter(colour, 0.45), within=inside)
    if canvas.style.shading:
        glow = ellipse(x, y + 0.56 * ry, rx * 0.64, ry * 0.30)
        canvas.fill(glow, lighter(colour, 0.65), within=inside, opacity=0.7, blur=0.012)
        canvas.fill(ellipse(x, y - 0.66 * ry, rx * 0.98, ry * 0.46), deep, within=inside, opacity=0.7)
    pupil = ellipse(x, y - 0.02 * ry, rx * 0.40, ry * 0.40)
    canvas.fill(pupil, mix(deep, (24, 10, 16), 0.75), within=inside)
    # Both eyes catch the light on the same side.
    canvas.fill(ellipse(x - rx * 0.40, y - ry * 0.45, rx * 0.36, ry * 0.27), (255, 255, 255), within=inside)
    canvas.fill(ellipse(x + rx * 0.42, y + ry * 0.46, rx * 0.18, ry * 0.13), (255, 255, 255), within=inside)


def _draw_closed(canvas: Canvas, place: EyePlace) -> None:
    curve = bezier((-1.0, 0.45), (-0.5, -0.45), (0.45, -0.5), (1.1, 0.42))
    canvas.line(_placed(curve, place, 0.26), (0.03, 0.06, 0.075, 0.07, 0.03), _LASH)
    for start, end in (((0.70, -0.02), (1.10, -0.22)), ((0.92, 0.20), (1.34, 0.08))):
        canvas.line(_placed(corners(start, end), place, 0.26), (0.045, 0.0), _LASH)


def _placed(xy: Points, place: EyePlace, height: float, slant: float = 0.0) -> Points:
    """Points of an eye in face units."""
    x, y, width, side = place
    lift = 0.035 * slant * xy[:, 0]
    return np.stack([x + side * width * xy[:, 0], y + height * xy[:, 1] - lift], 1)
