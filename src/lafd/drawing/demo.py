"""The picture that shows what lafd is for: friends under a cherry tree, and a page of manga."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.drawing.backgrounds import Image, draw_buildings, draw_cloud, fill_polygon, gradient
from lafd.drawing.blossoms import draw_branch, scatter_petals
from lafd.drawing.character import Character
from lafd.drawing.scene import Placement, Scene, compose
from lafd.drawing.styles import bgr

_WIDTH, _HEIGHT = 1280, 720
# The corners of the manga panel, clockwise.
_PANEL = np.array([(1016, 34), (1246, 52), (1224, 300), (996, 282)], np.float64)

_IN_PANEL = Placement(
    Character(
        hair_colour="#2a2430",
        hair_style="twintails",
        fringe="straight",
        expression="surprised",
        outfit="sailor",
        eye_colour="#566a8a",
        yaw=-0.2,
        tilt=5.0,
        style="manga",
    ),
    1120,
    180,
    104,
)

_FRIENDS = (
    Placement(
        Character(
            hair_colour="#e9c46f",
            hair_style="twintails",
            fringe="parted",
            eye_colour="#2fa58c",
            expression="open",
            outfit="blazer",
            accent="#b8383f",
            yaw=0.3,
            variant=2,
        ),
        396,
        236,
        108,
    ),
    Placement(
        Character(
            hair_colour="#3a3346",
            hair_style="spiky",
            fringe="messy",
            eye_colour="#c8862c",
            skin="#f6d0b4",
            expression="calm",
            outfit="blazer",
            accent="#3f7a5f",
            yaw=-0.35,
            slant=0.9,
            variant=4,
        ),
        748,
        226,
        112,
    ),
    Placement(
        Character(
            hair_colour="#5b6fc4",
            hair_style="ponytail",
            fringe="messy",
            eye_colour="#3f7fd0",
            outfit="kimono",
            accent="#d7688a",
            yaw=-1.0,
            variant=6,
        ),
        1126,
        438,
        140,
    ),
    Placement(
        Character(
            hair_colour="#7d4b32",
            hair_style="long",
            fringe="swept",
            eye_colour="#c8862c",
            outfit="sailor",
            headwear="flower",
            yaw=0.42,
            variant=0,
        ),
        168,
        396,
        162,
    ),
    Placement(
        Character(
            hair_colour="#d9dbe6",
            hair_style="wavy",
            fringe="swept",
            eye_colour="#8a55c8",
            expression="closed_eyes",
            headwear="cat_ears",
            outfit="hoodie",
            accent="#6a4f94",
            tilt=-20.0,
            yaw=-0.15,
            style="soft",
            variant=9,
        ),
        874,
        474,
        150,
    ),
    Placement(
        Character(
            hair_colour="#f3a9bf",
            hair_style="bob",
            fringe="swept",
            eye_colour="#c8405a",
            expression="open",
            outfit="sailor",
            accent="#2f4a86",
            tilt=6.0,
            variant=12,
        ),
        560,
        440,
        190,
    ),
    Placement(
        Character(
            hair_colour="#6fb7e0",
            hair_style="buns",
            fringe="swept",
            eye_colour="#3f7fd0",
            expression="wink",
            outfit="dress",
            accent="#d98a3a",
            chibi=True,
            tilt=8.0,
            variant=3,
        ),
        352,
        574,
        100,
    ),
)


def demo_scene() -> Scene:
    """The demonstration picture, 1280 x 720 pixels, always the same."""
    rng = np.random.default_rng(4)
    picture = _landscape(rng)
    page = compose(_focus_lines(rng), [_IN_PANEL])
    _paste_panel(picture, page.image)
    friends = compose(picture, _FRIENDS)
    boxes = np.concatenate([page.boxes, friends.boxes])
    scatter_petals(friends.image, boxes, rng)
    return Scene(friends.image, boxes, page.characters + friends.characters)


def _landscape(rng: np.random.Generator) -> Image:
    picture = gradient(_WIDTH, _HEIGHT, bgr("#3d8fe6"), bgr("#d8f0fb"))
    for center, size in (((210, 250), 420), ((700, 190), 300), ((930, 330), 520), ((470, 330), 360)):
        draw_cloud(picture, center, size, rng)
    x = np.linspace(0, _WIDTH, 60)
    for level, swing, colour in ((395, 26, "#9cc3d8"), (430, 18, "#86b8a8")):
        _fill_below(picture, x, level + swing * np.sin(x / 150 + level), bgr(colour))
    for top, bottom, share in ((330, 510, 0.45), (390, 530, 0.7)):
        town = picture.copy()
        draw_buildings(town[top:bottom], bottom - top, bgr("#c9d6e6"), rng)
        picture[...] = cv2.addWeighted(town, share, picture, 1 - share, 0)
    _fill_below(picture, x, 500 + 14 * np.sin(x / 210 + 1), bgr("#7fbf7a"))
    _fill_below(picture, x, 560 + 10 * np.sin(x / 170), bgr("#67ab68"))
    draw_branch(picture, rng)
    return picture


def _fill_below(
    picture: Image, x: NDArray[np.float64], y: NDArray[np.float64], colour: tuple[int, int, int]
) -> None:
    edge = np.concatenate([np.stack([x, y], 1), [[_WIDTH, _HEIGHT], [0, _HEIGHT]]])
    fill_polygon(picture, edge, colour)


def _focus_lines(rng: np.random.Generator) -> Image:
    """A white page with the lines that point at what surprises."""
    page = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    center = _PANEL.mean(0)
    for angle in np.radians(np.arange(0, 360, 4) + rng.uniform(-1.5, 1.5, 90)):
        direction = np.array([np.cos(angle), np.sin(angle)])
        side = direction[::-1] * (-1, 1) * rng.uniform(1.0, 3.4)
        far, near = center + direction * 260, center + direction * rng.uniform(104, 128)
        wedge = np.array([near, far + side, far - side])
        fill_polygon(page, wedge, (28, 28, 28))
    return page


def _paste_panel(picture: Image, page: Image) -> None:
    """Lay the panel with its white margin and a shadow onto the picture."""
    margin = (_PANEL - _PANEL.mean(0)) * 1.09 + _PANEL.mean(0)
    shadow = np.zeros_like(picture)
    fill_polygon(shadow, margin + 8, (90, 90, 90))
    shadow = np.asarray(cv2.GaussianBlur(shadow, (0, 0), 7), np.uint8)
    picture[...] = cv2.multiply(picture, 255 - shadow, scale=1 / 255)
    fill_polygon(picture, margin, (252, 252, 252))
    inside = np.zeros_like(picture)
    fill_polygon(inside, _PANEL, (255, 255, 255))
    cv2.copyTo(page, inside[..., 0], picture)
    frame = np.round(_PANEL * 16).astype(np.int32)
    cv2.polylines(picture, [frame], True, (24, 24, 24), 4, cv2.LINE_AA, 4)
