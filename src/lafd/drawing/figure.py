"""A whole character: its layers from back to front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lafd.drawing.back_hair import draw_back_hair
from lafd.drawing.canvas import Canvas, Window
from lafd.drawing.character import Character
from lafd.drawing.curves import Points, corners, moved
from lafd.drawing.eyes import draw_brows, draw_eyes
from lafd.drawing.face import TOP, draw_face, face_outline
from lafd.drawing.hair import draw_front_hair, front_hair
from lafd.drawing.headwear import draw_headwear, draw_headwear_behind
from lafd.drawing.outfit import draw_body
from lafd.drawing.styles import skin_shadow, style_named

_CHIBI_WIDTH = 1.22
# All that is drawn lies within these bounds, in face units; a chibi has no more than small feet below.
_BOUNDS = corners((-2.7, -2.5), (2.7, -2.5), (2.7, 9.3), (-2.7, 9.3))
_CHIBI_BOUNDS = corners((-2.7, -2.5), (2.7, -2.5), (2.7, 3.6), (-2.7, 3.6))


def face_polygon(character: Character, center: tuple[float, float], size: float) -> Points:
    """The outline of the face in pixels, float64 (n, 2); its bounds are the face's box.

    Args:
        character: Who.
        center: Where the centre of the face lies, x and y in pixels.
        size: Height of the upright face in pixels.
    """
    return _projected(face_outline(character), _matrix(character, center, size))


def draw_figure(
    character: Character, center: tuple[float, float], size: float, picture: tuple[int, int]
) -> tuple[Window, NDArray[np.uint8]]:
    """Draw a character as a layer to lay over a picture.

    Args:
        character: What to draw.
        center: Where the centre of the face lies, x and y in pixels.
        size: Height of the upright face in pixels.
        picture: Width and height of the picture in pixels.

    Returns:
        The part (x, y, width, height) of the picture that the layer covers, and the layer: uint8 (height, width,
        4), premultiplied BGRA. Nothing lies outside the picture; width or height may be 0.
    """
    matrix = _matrix(character, center, size)
    reach = _projected(_CHIBI_BOUNDS if character.chibi else _BOUNDS, matrix)
    x, y = np.clip(np.floor(reach.min(0)), 0, picture).astype(int).tolist()
    right, bottom = np.clip(np.ceil(reach.max(0)), 0, picture).astype(int).tolist()
    window = x, y, right - x, bottom - y
    if not (window[2] and window[3]):
        return window, np.zeros((window[3], window[2], 4), np.uint8)
    oversampling = 4 if size < 48 else 3 if size < 120 else 2 if size < 400 else 1
    canvas = Canvas(window, matrix, style_named(character.style), oversampling)
    draw_headwear_behind(canvas, character)
    draw_back_hair(canvas, character)
    draw_body(canvas, character)
    skin = draw_face(canvas, character)
    # The fringe throws a shadow onto the forehead.
    canvas.shade(
        moved(front_hair(character)[0], 0.03, 0.08), skin_shadow(character.colour("skin")), skin, 0.8
    )
    draw_eyes(canvas, character, skin)
    draw_front_hair(canvas, character)
    draw_brows(canvas, character)
    draw_headwear(canvas, character)
    return window, canvas.finish()


def _matrix(character: Character, center: tuple[float, float], size: float) -> NDArray[np.float64]:
    """The affine map, float64 (2, 3), from face units to pixels."""
    angle = np.radians(character.tilt)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirror = -1.0 if character.yaw < 0 else 1.0
    stretch = np.diag([mirror * (_CHIBI_WIDTH if character.chibi else 1.0), 1.0]) * (size / (1 - TOP))
    linear = turn @ stretch
    return np.concatenate([linear, (np.array(center) - linear @ (0.0, (1 + TOP) / 2))[:, None]], 1)


def _projected(curve: Points, matrix: NDArray[np.float64]) -> Points:
    return np.asarray(curve @ matrix[:, :2].T + matrix[:, 2], np.float64)
