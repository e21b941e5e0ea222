"""The face: its outline, which makes its box, and what is on its skin.

Face units: the chin is at y = 1, the eyes are near y = 0, and the top of an upright face's box is at y = TOP; x grows
to the right. Turned heads are drawn facing right and mirrored by the canvas where they face left.
"""

from __future__ import annotations

import numpy as np

from lafd.drawing.canvas import Canvas, Mask
from lafd.drawing.character import Character
from lafd.drawing.curves import Points, bezier, corners, ellipse, mirrored, moved, points, smooth
from lafd.drawing.styles import bgr, darker, lighter, mix, skin_shadow

TOP = -0.82

_FRONT = points(
    "0,-0.82 0.40,-0.76 0.70,-0.56 0.83,-0.22 0.86,0.12 0.82,0.42 0.64,0.69 0.38,0.90 0.14,0.985 0,1"
)
_PROFILE = points(
    "0.05,-0.81 0.40,-0.71 0.585,-0.50 0.63,-0.26 0.615,-0.05 0.665,0.15 0.785,0.335 0.75,0.385 0.66,0.42 "
    "0.655,0.47 0.69,0.535 0.65,0.585 0.67,0.635 0.645,0.70 0.62,0.77 0.615,0.88 0.54,0.985 0.38,0.98 "
    "0.05,0.85 -0.24,0.62 -0.40,0.36 -0.43,0.05 -0.41,-0.35 -0.26,-0.70"
)
_EAR = points("0,-0.22 0.14,-0.26 0.19,-0.08 0.12,0.18 0,0.26 -0.06,0")


def turned(xy: Points, turn: float) -> Points:
    """Points of the front of a head after it has turned to the right by `turn` (1: three-quarter view)."""
    x = xy[:, 0]
    return np.stack([x + turn * (0.22 - 0.09 * x - 0.31 * x * x), xy[:, 1]], 1)


def head_middle(character: Character) -> float:
    """The x of the middle of the skull, which a turning face leaves behind."""
    return -0.28 if character.profile else -0.15 * character.turn


def face_outline(character: Character) -> Points:
    """The outline of the face by the project's box rule, float64 (n, 2) in face units."""
    if character.profile:
        return smooth(_PROFILE, closed=True, steps=5)
    front = turned(mirrored(_FRONT)[:-1], character.turn)
    # A turned head shows the socket and the cheek of its far side.
    far = np.where(front[:, 0] > 0.3, character.turn, 0.0)
    y = front[:, 1]
    front[:, 0] += far * (
        0.05 * np.exp(-(((y - 0.40) / 0.16) ** 2)) - 0.05 * np.exp(-(((y + 0.10) / 0.2) ** 2))
    )
    return smooth(front, closed=True, steps=6)


def eye_places(character: Character) -> list[tuple[float, float, float, int]]:
    """For each visible eye its centre x, y, its half width, and its side: -1 left, 1 right of the nose."""
    y = 0.07 if character.chibi else 0.03
    width = 0.285 if character.chibi else 0.265
    if character.profile:
        return [(0.40, y, width * 0.62, -1)]
    apart = 0.47 if character.chibi else 0.445
    left, right = turned(corners((-apart, y), (apart, y)), character.turn)[:, 0]
    return [(left, y, width, -1), (right, y, width * (1 - 0.25 * character.turn), 1)]


def draw_face(canvas: Canvas, character: Character) -> Mask:
    """Draw the skin of the face with ears, nose and mouth; return where the skin lies."""
    skin = character.colour("skin")
    shade = skin_shadow(skin)
    outline = face_outline(character)
    for ear in _ears(character):
        canvas.shape(ear, skin)
        canvas.fill((ear - ear.mean(0)) * 0.55 + ear.mean(0), shade)
    canvas.shape(outline, skin, to=mix(skin, (205, 215, 255), 0.18))
    mask = canvas.mask(outline)
    # The shaded side of the jaw, away from the light.
    canvas.fill(
        outline, shade, within=canvas.mask(outline, without=moved(outline, -0.07, -0.04)), opacity=0.5
    )
    _draw_blush(canvas, character, mask)
    if not character.profile:
        x, y = _in_front(character, 0.43)
        nose = bezier((x + 0.03, y - 0.05), (x + 0.07, y + 0.01), (x, y + 0.025))
        canvas.line(nose, (0.008, 0.024, 0.008), shade)
    _draw_mouth(canvas, character)
    return mask


def _in_front(character: Character, y: float) -> tuple[float, float]:
    """Where a point of the middle line lies that stands out of the face, as nose and mouth do."""
    return float(turned(corners((0.0, y)), character.turn)[0, 0]) + 0.06 * character.turn, y


def _ears(character: Character) -> list[Points]:
    if character.profile:
        return []
    near = float(turned(corners((-0.87, 0.0)), character.turn)[0, 0])
    far = 0.86 - 0.45 * character.turn
    shapes = (moved(_EAR * (-1, 1), near, 0.12), moved(_EAR, far, 0.12))
    return [smooth(shape, closed=True) for shape in shapes]


def _draw_blush(canvas: Canvas, character: Character, mask: Mask) -> None:
    blush = mix(character.colour("skin"), bgr("#ff6f73"), 0.42)
    merry = character.chibi or character.expression in ("closed_eyes", "open", "wink")
    for eye_x, eye_y, width, side in eye_places(character):
        x, y = eye_x + side * 0.06, eye_y + 0.40
        if canvas.style.tones == "colour":
            spot = ellipse(x, y, width * 0.80, 0.12)
            canvas.fill(spot, blush, within=mask, opacity=0.75 if merry else 0.5, blur=0.06)
        for shift in (-0.09, 0.0, 0.09) if merry and canvas.style.outline else ():
            stroke = corners((x + shift + 0.03, y - 0.045), (x + shift - 0.03, y + 0.045))
            canvas.line(stroke, (0.008, 0.016, 0.006), blush)


def _draw_mouth(canvas: Canvas, character: Character) -> None:
    lip = darker(mix(character.colour("skin"), (110, 110, 225), 0.35), 0.8)
    size = 0.9 if character.chibi else 1.15
    if character.profile:
        x, y, left, right = 0.56, 0.595, 0.46, 0.645
        size = 0.8
    else:
        x, y = _in_front(character, 0.63)
        left, right = x - 0.17 * size, x + 0.17 * size * (1 - 0.15 * character.turn)
    if character.expression in ("open", "closed_eyes"):
        _draw_open_mouth(canvas, (left, x, right, y), size, lip)
    elif character.expression == "surprised":
        hole = smooth(ellipse(x, y + 0.02, 0.075 * size, 0.10 * size)[::3], closed=True)
        canvas.shape(hole, bgr("#9c323e"), weight=0.7)
    else:
        dip = {"smile": 0.085, "wink": 0.10}.get(character.expression, 0.02)
        narrow = 0.75 if character.expression == "calm" else 1.0
        start, end = x + (left - x) * narrow, x + (right - x) * narrow
        curve = bezier((start, y - dip / 2), (x, y + dip), (end, y - dip / 2))
        canvas.line(curve, (0.012, 0.028, 0.03, 0.028, 0.012), lip)
        if canvas.style.shading and not character.profile:
            below = bezier((x - 0.05, y + 0.10), (x, y + 0.115), (x + 0.05, y + 0.10))
            canvas.line(below, (0.0, 0.014, 0.0), lighter(lip))


def _draw_open_mouth(
    canvas: Canvas, place: tuple[float, float, float, float], size: float, lip: tuple[int, int, int]
) -> None:
    left, x, right, y = place
    drop = y + 0.24 * size
    upper = bezier((left, y - 0.045), (x, y + 0.01), (right, y - 0.045))
    lower = bezier((right, y - 0.045), (right - 0.02, drop), (left + 0.02, drop), (left, y - 0.045))
    mouth = np.concatenate([upper, lower[1:-1]])
    canvas.fill(mouth, bgr("#9c323e"))
    hole = canvas.mask(mouth)
    canvas.fill(ellipse(x, y + 0.17 * size, 0.12 * size, 0.085 * size), bgr("#f08a86"), within=hole)
    canvas.fill(np.concatenate([upper, moved(upper[::-1], 0.0, 0.035)]), (252, 252, 255), within=hole)
    canvas.line(np.concatenate([upper[-3:], lower, upper[:3]]), 0.02, lip)
    canvas.line(upper, (0.018, 0.026, 0.018), lip)
