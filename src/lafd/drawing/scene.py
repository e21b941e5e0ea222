"""Scenes: characters on a background, with the boxes of their faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.drawing.backgrounds import BACKGROUNDS, Image, draw_background
from lafd.drawing.character import Character, random_character
from lafd.drawing.figure import draw_figure, face_polygon
from lafd.drawing.styles import STYLES, style_named
from lafd.errors import UsageError

_SMALLEST_FACE = 8.0
_LEAST_VISIBLE = 1 / 3  # the box rule: a face that shows less is no face


@dataclass(frozen=True)
class Placement:
    """A character and where its face goes.

    Attributes:
        character: Who.
        x: Centre of the face in pixels from the left.
        y: Centre of the face in pixels from the top.
        size: Height in pixels of the upright face, chin to forehead.
    """

    character: Character
    x: float
    y: float
    size: float


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with known faces.

    Attributes:
        image: uint8 (height, width, 3), BGR.
        boxes: float32 (n, 4), the faces as xyxy in pixels, clipped to the picture.
        characters: The n characters, in the order of the boxes.
    """

    image: Image
    boxes: NDArray[np.float32]
    characters: tuple[Character, ...]


def draw_scene(
    width: int,
    height: int,
    seed: int,
    *,
    faces: int | Sequence[tuple[float, float, float]] = 3,
    style: str | None = None,
    background: str | None = None,
) -> Scene:
    """Draw random characters; the same arguments always give the same pixels.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        seed: Picks characters, places and background.
        faces: How many faces to place without much overlap, or for each face the x and y of its centre and its
            height, in pixels. Boxes list the faces that show at least a third.
        style: A name in STYLES for the whole picture; None picks one.
        background: A name in BACKGROUNDS; None picks one.

    Returns:
        The picture with its boxes.

    Raises:
        UsageError: A side is under 16 pixels, a face is no larger than 0, or a name is unknown.
    """
    if min(width, height) < 16:
        raise UsageError(f"a scene of {width} x {height} pixels is too small; each side needs at least 16")
    if isinstance(faces, int) and faces < 0:
        raise UsageError(f"faces is {faces}; it has to be 0 or more")
    rng = np.random.default_rng(seed)
    style = style or str(rng.choice(tuple(STYLES), p=(0.42, 0.25, 0.15, 0.08, 0.10)))
    kind = background or str(rng.choice(tuple(BACKGROUNDS)))
    picture = draw_background(kind, (width, height), rng, style_named(style))
    count = faces if isinstance(faces, int) else len(faces)
    cast = [random_character(rng, style) for _ in range(count)]
    if isinstance(faces, int):
        placements = scatter(cast, (width, height), rng)
    else:
        placements = [Placement(c, *place) for c, place in zip(cast, faces, strict=True)]
        placements = sorted((_upright_if_hiding(p, placements) for p in placements), key=_nearness)
    return compose(picture, placements)


def compose(background: Image, placements: Sequence[Placement]) -> Scene:
    """Draw characters onto a background, the first one farthest away.

    Args:
        background: uint8 (height, width, 3), BGR; it is not changed.
        placements: The characters from back to front.

    Returns:
        The picture, and a box for each face of which at least a third shows.

    Raises:
        UsageError: A face is no larger than 0 pixels.
    """
    image = background.copy()
    height, width = image.shape[:2]
    owner = np.full((height, width), -1, np.int16)
    for i, p in enumerate(placements):
        if p.size <= 0:
            raise UsageError(f"the size of a face is {p.size}; it has to be more than 0 pixels")
        (x, y, w, h), layer = draw_figure(p.character, (p.x, p.y), p.size, (width, height))
        region = np.s_[y : y + h, x : x + w]
        rest = 255 - layer[..., 3:].astype(np.uint16)
        image[region] = layer[..., :3] + ((image[region] * rest + 127) // 255).astype(np.uint8)
        owner[region][layer[..., 3] > 127] = i
    boxes, characters = [], []
    for i, p in enumerate(placements):
        outline = face_polygon(p.character, (p.x, p.y), p.size)
        if _visible_share(outline, owner == i) >= _LEAST_VISIBLE:
            low, high = (np.clip(edge(0), 0, (width, height)) for edge in (outline.min, outline.max))
            boxes.append((*low, *high))
            characters.append(p.character)
    return Scene(image, np.array(boxes, np.float32).reshape(-1, 4), tuple(characters))


def scatter(cast: Sequence[Character], shape: tuple[int, int], rng: np.random.Generator) -> list[Placement]:
    """Place characters at random so that no face hides another.

    Args:
        cast: Those who are to be seen; one for whom there is no room is left out.
        shape: Width and height of the picture in pixels.
        rng: Source of randomness.

    Returns:
        The placements from back to front, as `compose` takes them.
    """
    width, height = shape
    placed: list[Placement] = []
    # A crowd shares the room.
    largest = max(_SMALLEST_FACE, 0.5 * min(width, height) / max(1.0, len(cast) / 2) ** 0.5)
    smallest = min(largest, max(_SMALLEST_FACE, 0.06 * min(width, height)))
    for character in cast:
        size = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
        for attempt in range(200):
            margin = min(0.5 * size, 0.45 * min(width, height))
            x, y = rng.uniform((margin, margin), (width - margin, height - margin))
            candidate = _upright_if_hiding(Placement(character, float(x), float(y), size), placed)
            apart = (np.hypot(p.x - x, p.y - y) > 0.85 * (p.size + size) for p in placed)
            if all(apart) and not any(_hides(candidate, p) or _hides(p, candidate) for p in placed):
                placed.append(candidate)
                break
            if attempt % 10 == 9:
                size = max(_SMALLEST_FACE, size * 0.85)
    return sorted(placed, key=_nearness)


def _visible_share(outline: NDArray[np.float64], shown: NDArray[np.bool_]) -> float:
    """The share of a face, the part outside the picture included, whose pixels are its own."""
    # Faces of a few pixels are measured too: the outline is rounded to sixteenths of a pixel.
    mask = np.zeros(shown.shape, np.uint8)
    cv2.fillPoly(mask, [np.round((outline - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    area = cv2.contourArea(outline.astype(np.float32))
    return float(np.count_nonzero(shown & (mask > 0))) / max(area, 1e-6)


def _nearness(p: Placement) -> float:
    """The order of drawing: who stands lower is nearer."""
    return p.y + p.size / 2


def _upright_if_hiding(p: Placement, others: Sequence[Placement]) -> Placement:
    """The placement, upright where the body of the tilted character would lie on another's face."""
    if any(_hides(p, other) for other in others if other is not p):
        return replace(p, character=replace(p.character, tilt=0.0))
    return p


def _hides(front: Placement, other: Placement) -> bool:
    """Whether the body below the head of `front` covers the face of `other` behind it."""
    if _nearness(front) < _nearness(other):
        return False
    angle = np.radians(front.character.tilt)
    dx, dy = other.x - front.x, other.y - front.y
    along = -np.sin(angle) * dx + np.cos(angle) * dy
    across = np.cos(angle) * dx + np.sin(angle) * dy
    return bool(along > 0 and abs(across) < front.size + other.size / 2)
