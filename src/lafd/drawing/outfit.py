"""What is below the chin: neck, clothes, legs; and a tiny body for chibi characters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lafd.drawing.canvas import Canvas
from lafd.drawing.character import CUT_SHORT, Character
from lafd.drawing.curves import Points, bezier, corners, ellipse, mirrored, moved, points, ribbon, smooth
from lafd.drawing.styles import Colour, bgr, darker, lighter, skin_shadow

_WHITE = bgr("#f7f5fa")
_SHOE = bgr("#4a3a38")
_CHIN_SHADOW = points("-0.6,0.7 0.6,0.7 0.42,1.48 0.05,1.85 -0.35,1.48")


def draw_body(canvas: Canvas, character: Character) -> None:
    """Draw the body down to the shoes."""
    if character.chibi:
        _draw_chibi_body(canvas, character)
        return
    # A turning head reaches out in front of the shoulders.
    canvas = canvas.moved(-0.30 if character.profile else -0.10 * character.turn)
    skin, cloth = character.colour("skin"), _cloth(character)
    neck = mirrored(smooth(points("0.25,0.6 0.24,1.12 0.34,1.40 0.95,1.62")))
    canvas.shape(neck, skin)
    shadow = smooth(points("-0.5,0.7 0.6,0.7 0.5,1.18 0.12,1.42 -0.36,1.2"), closed=True)
    canvas.shade(shadow, skin_shadow(skin), canvas.mask(neck))
    if character.hair_style in CUT_SHORT:
        _draw_trousers(canvas, character)
    else:
        _draw_skirt(canvas, character)
    for side in (-1, 1):
        arm = smooth(points("0.92,1.96 1.10,2.7 1.20,3.5 1.13,4.5")) * (side, 1)
        canvas.shape(ellipse(side * 1.13, 4.62, 0.16, 0.26), skin)
        canvas.shape(ribbon(arm, (0.52, 0.58, 0.54, 0.50, 0.46)), cloth, to=darker(cloth, 0.5))
    torso = _half("0.50,1.46 0.94,1.57 1.20,1.80 1.14,2.5 0.96,3.3 0.90,3.9 1.0,4.3")
    canvas.shape(torso, cloth, to=darker(cloth, 0.4))
    _OUTFITS[character.outfit](canvas, character)
    shaded = smooth(points("0.96,1.5 0.92,2.4 0.70,3.3 0.62,4.4 2.4,4.4 2.4,1.5"))
    canvas.shade(shaded, darker(cloth), canvas.mask(torso), 0.4)


def _half(text: str) -> Points:
    """A symmetric outline from the corners of its right side."""
    return mirrored(smooth(points(text), steps=5))


def _cloth(character: Character) -> Colour:
    return _WHITE if character.outfit == "sailor" else character.colour("accent")


def _contrast(colour: Colour) -> Colour:
    """A red for bluish clothes and a blue for reddish ones."""
    return bgr("#c03642") if colour[0] >= colour[2] else bgr("#33508a")


def _draw_trousers(canvas: Canvas, character: Character) -> None:
    colour = darker(character.colour("accent"), 1.4)
    for side in (-1, 1):
        canvas.shape(moved(_half("0.20,8.7 0.34,9.1 0.05,9.2"), side * 0.50), _SHOE)
        canvas.shape(moved(_half("0.46,3.9 0.48,5.2 0.38,7.0 0.33,8.85"), side * 0.47), colour)


def _draw_skirt(canvas: Canvas, character: Character) -> None:
    colour = darker(character.colour("accent"), 0.6)
    for side in (-1, 1):
        leg = moved(_half("0.36,5.2 0.33,6.4 0.25,7.4 0.24,8.3 0.17,9.2"), side * 0.45)
        canvas.shape(leg, character.colour("skin"))
        canvas.shape(moved(_half("0.26,7.9 0.24,8.5 0.19,9.0"), side * 0.45), _WHITE)
        canvas.shape(moved(_half("0.18,8.75 0.32,9.1 0.05,9.2"), side * 0.47), _SHOE)
    canvas.shape(_half("0.80,3.9 1.10,4.6 1.42,5.7 0.7,5.82 0.05,5.84"), colour)
    for x in (-0.5, 0.0, 0.5):
        canvas.line(corners((x, 4.5), (x * 1.5, 5.7)), (0.0, 0.03), colour)


def _draw_throat(canvas: Canvas, character: Character, opening: Points) -> None:
    """Draw the skin in an opening of the clothes, with the shadow of the chin."""
    skin = character.colour("skin")
    canvas.fill(opening, skin)
    canvas.shade(_CHIN_SHADOW, skin_shadow(skin), canvas.mask(opening))


def _draw_sailor(canvas: Canvas, character: Character) -> None:
    collar = character.colour("accent")
    _draw_throat(
        canvas,
        character,
        points("-0.22,0.8 0.22,0.8 0.22,1.15 0.29,1.38 0.46,1.6 0.0,2.45 -0.46,1.6 -0.29,1.38 -0.22,1.15"),
    )
    for side in (-1, 1):
        flap = points("0.34,1.42 0.98,1.62 1.02,1.95 0.62,2.30 0.03,2.72 0.02,2.42 0.42,1.75")
        canvas.shape(flap * (side, 1), collar)
        canvas.fill(ribbon(points("0.90,1.70 0.93,1.92 0.56,2.23 0.04,2.60") * (side, 1), 0.035), _WHITE)
    _draw_bow(canvas.moved(0.0, 2.62), 0.42, _contrast(collar))


def _draw_blazer(canvas: Canvas, character: Character) -> None:
    cloth = character.colour("accent")
    canvas.shape(points("-0.46,1.45 0.46,1.45 0.30,2.6 0.0,3.3 -0.30,2.6"), _WHITE)
    for side in (-1, 1):
        lapel = points("0.40,1.45 0.74,1.58 0.80,2.05 0.66,2.12 0.70,2.25 0.0,3.45 0.34,2.2")
        canvas.shape(lapel * (side, 1), lighter(cloth, 0.10))
        canvas.shape(points("0.06,1.78 0.36,1.40 0.46,1.62 0.26,2.0") * (side, 1), _WHITE)
    canvas.shape(points("-0.10,1.78 0.10,1.78 0.20,2.9 0.0,3.15 -0.20,2.9"), _contrast(cloth))
    canvas.shape(points("-0.12,1.72 0.12,1.72 0.08,1.94 -0.08,1.94"), _contrast(cloth))


def _draw_hoodie(canvas: Canvas, character: Character) -> None:
    cloth = character.colour("accent")
    canvas.shape(_half("0.30,1.28 0.80,1.22 1.12,1.52 0.95,1.95 0.45,2.18 0.05,2.26"), lighter(cloth, 0.08))
    canvas.shape(_half("0.25,1.30 0.55,1.38 0.62,1.60 0.40,1.90 0.03,2.04"), darker(cloth, 1.3))
    canvas.fill(_half("0.22,1.2 0.40,1.50 0.26,1.75 0.02,1.84"), skin_shadow(character.colour("skin")))
    for side in (-1, 1):
        cord = bezier((side * 0.3, 2.08), (side * 0.36, 2.5), (side * 0.3, 3.0))
        canvas.shape(ribbon(cord, 0.055), _WHITE, weight=0.6)


def _draw_kimono(canvas: Canvas, character: Character) -> None:
    cloth = character.colour("accent")
    _draw_throat(
        canvas,
        character,
        points("-0.22,0.8 0.22,0.8 0.22,1.15 0.29,1.38 0.40,1.6 0.0,2.3 -0.40,1.6 -0.29,1.38 -0.22,1.15"),
    )
    rng = np.random.default_rng(character.variant)
    for side in (-1, 1):
        for x, y in rng.uniform((0.5, 2.5), (0.85, 4.1), (3, 2)):
            for angle in np.radians(np.arange(0, 360, 72)):
                petal = ellipse(side * x + 0.1 * np.cos(angle), y + 0.1 * np.sin(angle), 0.075, 0.075)
                canvas.fill(petal, lighter(cloth, 0.65))
        band = points("0.30,1.35 0.62,1.52 -0.05,3.0 -0.30,2.8 0.30,1.75")
        canvas.shape(band * (side, 1), _WHITE)
        canvas.shape(moved(band, 0.16) * (side, 1), lighter(cloth, 0.35))


def _draw_dress(canvas: Canvas, character: Character) -> None:
    cloth, skin = character.colour("accent"), character.colour("skin")
    _draw_throat(
        canvas,
        character,
        mirrored(points("0.22,0.8 0.22,1.15 0.32,1.40 0.62,1.60 0.55,2.0 0.3,2.17 0.03,2.22")),
    )
    for side in (-1, 1):
        collarbone = bezier((side * 0.12, 1.86), (side * 0.3, 1.78), (side * 0.48, 1.80))
        canvas.line(collarbone, (0.0, 0.025, 0.0), skin)
    canvas.shape(ribbon(_half("0.60,1.56 0.60,2.0 0.03,2.28"), 0.12), _WHITE)
    _draw_bow(canvas.moved(0.0, 2.36), 0.26, lighter(cloth, 0.4))


def _draw_bow(canvas: Canvas, size: float, colour: Colour) -> None:
    for side in (-size, size):
        canvas.shape(points("0,0.1 0.32,0.25 0.62,1.35 0.30,1.25") * (side, size), darker(colour, 0.5))
        wing = smooth(points("0,0 0.62,-0.42 1.0,-0.38 1.02,0.36 0.62,0.42"), closed=True)
        canvas.shape(wing * (side, size), colour)
    canvas.shape(ellipse(0, 0, 0.22 * size, 0.26 * size), lighter(colour, 0.15))


def _draw_chibi_body(canvas: Canvas, character: Character) -> None:
    cloth, skin, accent = _cloth(character), character.colour("skin"), character.colour("accent")
    for side in (-1, 1):
        canvas.shape(moved(_half("0.14,1.7 0.15,2.35 0.05,2.42"), side * 0.22), skin)
        canvas.shape(moved(_half("0.17,2.25 0.2,2.5 0.06,2.54"), side * 0.23), darker(accent, 1.2))
        arm = bezier((side * 0.34, 1.1), (side * 0.62, 1.32), (side * 0.86, 1.26))
        canvas.shape(ribbon(arm, (0.22, 0.26, 0.28)), cloth)
        canvas.shape(ellipse(side * 0.92, 1.25, 0.11, 0.11), skin)
    canvas.shape(_half("0.32,0.8 0.40,1.3 0.62,1.95 0.3,2.02 0.05,2.04"), cloth, to=darker(cloth, 0.5))
    if character.outfit == "sailor":
        canvas.shape(_half("0.42,1.52 0.66,1.95 0.3,2.02 0.05,2.04"), accent)
        canvas.shape(points("-0.42,0.85 0.42,0.85 0.40,1.12 0.0,1.32 -0.40,1.12"), accent)
    _draw_bow(canvas.moved(0.0, 1.22), 0.2, _contrast(accent))


_OUTFITS: dict[str, Callable[[Canvas, Character], None]] = {
    "sailor": _draw_sailor,
    "blazer": _draw_blazer,
    "hoodie": _draw_hoodie,
    "kimono": _draw_kimono,
    "dress": _draw_dress,
}
