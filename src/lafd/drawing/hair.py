"""Hair in front of the head: one shape from the crown to the tips of the fringe, and locks beside the face."""

from __future__ import annotations

import numpy as np

from lafd.drawing.canvas import Canvas, Mask
from lafd.drawing.character import CUT_SHORT, Character
from lafd.drawing.curves import Points, arc, bezier, blades, corners, moved, points, polar, ribbon, smooth
from lafd.drawing.face import head_middle, turned
from lafd.drawing.styles import darker, lighter, mix

# Gaps (at even places) and tips of the fringe from one temple to the other.
_FRINGES = {
    "swept": "-0.80,-0.42 -0.66,0.02 -0.50,-0.42 -0.40,-0.04 -0.20,-0.48 -0.02,-0.10 0.14,-0.54 "
    "0.26,-0.20 0.34,-0.66 0.66,-0.24 0.62,-0.54 0.80,-0.02 0.82,-0.40",
    "straight": "-0.80,-0.36 -0.70,-0.15 -0.56,-0.28 -0.44,-0.14 -0.31,-0.27 -0.17,-0.13 -0.05,-0.27 "
    "0.10,-0.13 0.22,-0.28 0.36,-0.14 0.47,-0.27 0.67,-0.15 0.80,-0.36",
    "parted": "-0.82,-0.38 -0.78,0.10 -0.62,-0.36 -0.58,-0.02 -0.36,-0.54 -0.30,-0.26 0.0,-0.82 "
    "0.30,-0.24 0.36,-0.52 0.60,0.0 0.62,-0.36 0.80,0.12 0.82,-0.38",
    "messy": "-0.82,-0.42 -0.74,-0.02 -0.56,-0.46 -0.54,-0.12 -0.28,-0.52 0.06,0.18 0.02,-0.50 "
    "0.24,-0.14 0.30,-0.56 0.50,-0.06 0.56,-0.48 0.82,-0.10 0.82,-0.42",
}
# How far the locks beside the face hang down.
_LOCKS = {"short": 0.34, "spiky": 0.30, "bob": 0.98, "buns": 0.80, "twintails": 0.95, "ponytail": 0.86}


def front_hair(character: Character) -> tuple[Points, Points]:
    """The outline of the hair in front of the head, and the gaps and tips of its fringe, in face units."""
    rng = np.random.default_rng(character.variant)
    fringe = moved(points(_FRINGES[character.fringe]), 0.0, -0.05)
    if character.variant % 2:
        fringe = fringe[::-1] * (-1, 1)
    fringe[1:-1] += rng.uniform(-1, 1, fringe[1:-1].shape) * (0.035, 0.03)
    if character.profile:
        return _profile_hair(character, fringe)
    turn = character.turn
    fringe = turned(fringe, turn)
    left = corners((-1.15 - 0.06 * turn, -0.20), (-1.14 - 0.03 * turn, 0.10), (-0.96 - 0.04 * turn, 0.55))
    right = corners((0.96 - 0.10 * turn, 0.55), (1.14 - 0.18 * turn, 0.10), (1.15 - 0.15 * turn, -0.20))
    sides = smooth(right, steps=5)[:-2], smooth(left, steps=5)[2:]
    edge = np.concatenate([left[-1:], fringe, right[:1]])
    outline = [sides[0], _crown(character, (348, 192)), sides[1], blades(edge)[1:-1]]
    return np.concatenate(outline), fringe


def draw_front_hair(canvas: Canvas, character: Character) -> None:
    """Draw fringe, crown and the locks beside the face."""
    colour = character.colour("hair_colour")
    shade = darker(colour)
    outline, fringe = front_hair(character)
    _draw_locks(canvas, character)
    canvas.shape(outline, lighter(colour, 0.06), to=mix(colour, shade, 0.35))
    mask = canvas.mask(outline)
    middle = head_middle(character)
    dark_side = [arc((0.0, -0.42), (1.3, 1.4), (285, 390)), arc((-0.2, -0.42), (1.14, 1.22), (390, 285))]
    canvas.shade(moved(np.concatenate(dark_side), middle), shade, mask, 0.8)
    for before, tip, gap in zip(fringe[:-2:2], fringe[1:-1:2], fringe[2::2], strict=True):
        root = middle + (gap[0] - middle) * 0.45, -1.25
        strand = bezier(gap, (gap[0] + (gap[0] - middle) * 0.12, (gap[1] - 1.2) / 2), root, steps=14)[:10]
        slit = gap + (0.06, 0.42) * (tip - gap)
        # Each strand is shaded along its side away from the light, from its tip up towards the crown.
        x, y = gap + 0.42 * (before - gap)
        edge = bezier(tip, (gap[0], gap[1] + 0.5 * (tip[1] - gap[1])), gap)
        back = bezier(strand[-1], (x, y - 0.25), (x, y + 0.1), tip)
        canvas.shade(np.concatenate([edge, strand[1:], back]), shade, mask, 0.9)
        canvas.line(np.concatenate([slit[None], strand]), (0.010, 0.022, 0.018, 0.012, 0.0), colour)
    if character.profile:
        for x, y in ((-0.55, 0.4), (-0.85, 0.7), (-1.12, 0.45)):
            strand = bezier((middle - 0.1, -1.4), (x * 1.2, -0.9), (x, y), steps=14)[5:]
            canvas.line(strand, (0.0, 0.02, 0.0), colour)
    _draw_shine(canvas.moved(middle), character, mask)
    _draw_ahoge(canvas.moved(middle), character)


def spikes(character: Character, degrees: tuple[float, float], count: int) -> Points:
    """Tips and gaps of short hair as (degrees, radius); the tips lean to one side, as combed."""
    rng = np.random.default_rng(character.variant + 2)
    angles = np.linspace(*degrees, count)
    tips = np.arange(count) % 2 == 0
    reach = 1.72 if character.hair_style == "spiky" else 1.42
    radius = np.where(tips, reach * rng.uniform(0.94, 1.06, count), 1.16)
    # A head is higher than it is wide.
    radius *= 1 + 0.06 * np.abs(np.sin(np.radians(angles)))
    lean = rng.uniform(10, 18, count) * (1 if character.variant % 2 else -1)
    return np.stack([angles + np.where(tips, lean, 0.0), radius], 1)


def _crown(character: Character, degrees: tuple[float, float]) -> Points:
    """The top of the head: round, or a row of spikes."""
    center = head_middle(character), -0.42
    if character.hair_style in CUT_SHORT:
        return polar(blades(spikes(character, degrees, 9), 0.35), center)
    top = arc(center, (1.16, 1.26), degrees)[np.linspace(0, 23, 9).astype(int)]
    bumps = np.random.default_rng(character.variant + 4).uniform(-0.02, 0.02, (len(top), 1))
    bumps[[0, -1]] = 0.0
    return smooth(top + (top - center) * bumps, steps=5)


def _draw_locks(canvas: Canvas, character: Character) -> None:
    """Draw the locks that hang beside the face, a long one and a shorter one on each side."""
    colour, turn = character.colour("hair_colour"), character.turn
    full = _LOCKS.get(character.hair_style, 1.85)
    left, right = -0.96 - 0.05 * turn, 0.97 - 0.08 * turn
    places = [(left, -1, full), (left + 0.13, -1, 0.72 * full)]
    places += [(right, 1, 0.96 * full), (right - 0.12 + 0.10 * turn, 1, 0.68 * full)]
    if character.profile:
        places = [(-0.36, -1, full), (-0.24, -1, 0.74 * full)]
    for x, side, length in places:
        bend = x + side * 0.10
        middle = bezier((x, -0.6), (bend, 0.1), (bend, 0.6 * length), (x - side * 0.08, length), steps=14)
        lock = ribbon(middle, (0.30, 0.34, 0.34, 0.30, 0.22, 0.0))
        canvas.shape(lock, colour, to=mix(colour, darker(colour), 0.6))
        dark_side = ribbon(moved(middle, 0.10), (0.10, 0.12, 0.14, 0.12, 0.06, 0.0))
        canvas.shade(dark_side, darker(colour), canvas.mask(lock), 0.9)
        canvas.line(moved(middle[5:12], -0.04), (0.0, 0.014, 0.0), colour)


def _draw_shine(canvas: Canvas, character: Character, mask: Mask) -> None:
    """Draw the ring of light around the crown, with spikes along the strands."""
    rng = np.random.default_rng(character.variant + 3)
    light = lighter(character.colour("hair_colour"), 0.62)
    for start, end in ((206, 254), (262, 300), (312, 328)):
        count = 2 * max(4, (end - start) // 5) + 1
        angle = np.linspace(start, end, count)
        inner = np.where(np.arange(count) % 2, rng.uniform(0.80, 0.88, count), 0.94)
        inner[[0, -1]] = 0.97
        angle[1:-1] += rng.uniform(-1.6, 1.6, count - 2)
        band = np.concatenate([np.stack([angle, inner], 1), np.stack([angle, np.ones(count)], 1)[::-1]])
        canvas.shade(moved(polar(band) * (1.02, 0.90), -0.02, -0.34), light, mask, 0.75)


def _draw_ahoge(canvas: Canvas, character: Character) -> None:
    """Draw the loose strand that many heads have on top."""
    rng = np.random.default_rng(character.variant + 1)
    if rng.random() < 0.5 and character.headwear != "hat":
        side = float(rng.choice([-1, 1]))
        curve = bezier((0.0, -1.60), (0.05 * side, -2.0), (0.40 * side, -2.02), (0.52 * side, -1.74))
        canvas.shape(ribbon(curve, (0.13, 0.11, 0.07, 0.0)), character.colour("hair_colour"))


def _profile_hair(character: Character, fringe: Points) -> tuple[Points, Points]:
    """The front hair of a head seen from its right side; the far half is hidden."""
    near = points("-0.24,-0.30 -0.12,0.08 0.0,-0.42")
    front = points("0.56,-0.55 0.72,-0.10 0.74,-0.5")
    fringe = np.concatenate([near, moved(fringe[5:10] * (0.72, 1.0), 0.22, -0.02), front])
    back = points("-1.40,-0.20 -1.34,0.25 -1.15,0.66 -0.78,0.98")
    lock = points("-0.60,0.30 -0.46,0.72 -0.40,0.3 -0.28,0.50")
    edge = np.concatenate([back[-1:], lock, fringe])
    return np.concatenate([_crown(character, (342, 190)), smooth(back, steps=5), blades(edge)[1:]]), fringe
