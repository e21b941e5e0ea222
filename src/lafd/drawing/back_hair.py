"""Hair behind neck and shoulders: a mass that hangs, tails, buns."""

from __future__ import annotations

import numpy as np

from lafd.drawing.canvas import Canvas
from lafd.drawing.character import CUT_SHORT, Character
from lafd.drawing.curves import arc, bezier, blades, ellipse, moved, points, polar, ribbon, smooth
from lafd.drawing.face import head_middle
from lafd.drawing.hair import spikes
from lafd.drawing.styles import darker, lighter, mix

# How far down the mass hangs.
_LENGTHS = {"long": 3.1, "wavy": 2.9, "bob": 1.16}


def draw_back_hair(canvas: Canvas, character: Character) -> None:
    """Draw the hair behind neck and shoulders."""
    canvas = canvas.moved(head_middle(character))
    if character.hair_style in CUT_SHORT:
        _draw_short(canvas, character)
    else:
        _draw_mass(canvas, character, _LENGTHS.get(character.hair_style, 0.86))
    if character.hair_style == "ponytail":
        _draw_tail(canvas, character, (-0.75, -0.95), (-0.9, 1.0))
    elif character.hair_style == "twintails":
        _draw_tail(canvas, character, (-1.0, -0.75), (-0.75, 1.3))
        if not character.profile:
            _draw_tail(canvas, character, (1.0, -0.75), (0.75 - 0.15 * character.turn, 1.3))
    elif character.hair_style == "buns":
        _draw_buns(canvas, character)


def _draw_short(canvas: Canvas, character: Character) -> None:
    colour = character.colour("hair_colour")
    outline = polar(blades(spikes(character, (385, 155), 13), 0.35), (0.0, -0.40)) * (1.04, 1.04)
    canvas.shape(outline, darker(colour, 0.9))
    nape = points("0.72,-0.2 0.56,0.72 0.27,0.98 0.11,0.86 -0.09,1 -0.27,0.86 -0.56,0.72 -0.72,-0.2")
    canvas.shape(nape, darker(colour))


def _draw_mass(canvas: Canvas, character: Character, bottom: float) -> None:
    colour = darker(character.colour("hair_colour"), 0.8)
    depth = np.linspace(0, 1, 9)
    y = 0.1 + depth * (bottom - 0.1)
    if bottom > 2:  # Long hair spreads over the shoulders and gathers again.
        wide = 1.16 + 0.34 * np.sin(depth * 2.6)
        wide += 0.10 * np.sin(depth * 14) if character.hair_style == "wavy" else 0.0
    else:  # Short hair turns inwards at the neck.
        wide = (1.17 if bottom > 1 else 1.02) + 0.06 * depth - 0.22 * depth**3
    right, left = np.stack([wide, y], 1), np.stack([-wide, y], 1)[::-1]
    x = np.linspace(wide[-1], -wide[-1], 13)[1:-1]
    drop = np.where(np.arange(11) % 2, 0.20, 0.0) * (0.5 + 0.5 * min(bottom, 1.6))
    edge = np.concatenate([right[-1:], np.stack([x, bottom - 0.12 + drop], 1), left[:1]])
    edge[[0, -1], 1] += 0.1
    top = arc((0.0, -0.40), (1.14, 1.22), (185, 355))
    outline = np.concatenate([top, smooth(right, steps=4), blades(edge, 0.5), smooth(left, steps=4)])
    canvas.shape(outline, colour, to=mix(colour, darker(colour), 0.3))
    for i in (-3.4, -2.7, -2, -1, 1, 2, 2.7, 3.4) if bottom > 2 else ():
        strand = bezier((i * 0.28, 0.5), (i * 0.40, bottom * 0.55), (i * 0.33, bottom))
        canvas.line(strand, (0.0, 0.02, 0.0), colour)


def _draw_tail(
    canvas: Canvas, character: Character, root: tuple[float, float], reach: tuple[float, float]
) -> None:
    """Draw a tail of hair from a root, out by the first part of its reach and down by the second."""
    base = character.colour("hair_colour")
    (x, y), (dx, dy) = root, reach
    path = (x, y), (x + dx * 1.1, y - 0.35), (x + dx * 1.35, y + dy), (x + dx * 0.85, y + dy + 1.55)
    middle = bezier(*path, steps=20)
    loose = moved(middle[7:], -0.22 if dx > 0 else 0.22, -0.06)
    canvas.shape(ribbon(loose, (0.2, 0.3, 0.26, 0.0)), darker(base, 0.7))
    outline = ribbon(middle, (0.34, 0.60, 0.72, 0.70, 0.56, 0.30, 0.0))
    canvas.shape(outline, base, to=mix(base, darker(base), 0.6))
    mask = canvas.mask(outline)
    dark_side = ribbon(moved(middle, 0.20, 0.05), (0.1, 0.24, 0.3, 0.26, 0.12, 0.0))
    canvas.shade(dark_side, darker(base), mask, 0.9)
    canvas.shade(ribbon(moved(middle[3:9], -0.14), (0.0, 0.12, 0.0)), lighter(base, 0.55), mask, 0.8)
    for shift in (-0.10, 0.10):
        canvas.line(moved(middle[5:18], shift), (0.0, 0.02, 0.0), base)
    canvas.shape(ellipse(x + dx * 0.10, y - 0.05, 0.13, 0.21), character.colour("accent"))


def _draw_buns(canvas: Canvas, character: Character) -> None:
    colour = character.colour("hair_colour")
    for x in (-0.82, 0.82):
        canvas.shape(ellipse(x, -1.50, 0.42, 0.40), colour, to=darker(colour, 0.6))
        canvas.line(arc((x, -1.50), (0.2, 0.2), (150, 380)), (0.0, 0.02, 0.0), colour)
