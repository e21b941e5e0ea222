"""Crops: which part of a picture belongs to a face or to a thumbnail, and cutting it out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lafd import boxes as box_maths
from lafd.errors import UsageError
from lafd.images import DEFAULT_MAX_PIXELS
from lafd.pixels import Colour, Pixels, from_pillow, to_pillow

MAX_SIDE = 32_766  # px of a crop; more is a mistake, and few formats hold it
HAIR = (
    0.2,
    0.6,
    0.2,
    0.0,
)  # left, top, right, bottom: what a head has around its face, shares of the box's sides
EYE_LINE = 0.4  # of a frame's height: where the centre of faces goes


@dataclass(frozen=True)
class Region:
    """A rectangle of a picture, upright or turned.

    Attributes:
        x: Centre from the left, in pixels.
        y: Centre from the top, in pixels.
        width: In pixels.
        height: In pixels.
        tilt: Degrees by which it is turned clockwise around its centre.
    """

    x: float
    y: float
    width: float
    height: float
    tilt: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x1, y1, x2, y2) in pixels before it is turned."""
        dx, dy = self.width / 2, self.height / 2
        return self.x - dx, self.y - dy, self.x + dx, self.y + dy

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in pixels of the upright box around it."""
        cos, sin = abs(math.cos(math.radians(self.tilt))), abs(math.sin(math.radians(self.tilt)))
        return self.width * cos + self.height * sin, self.width * sin + self.height * cos


@dataclass(frozen=True)
class CropRule:
    """How a crop is placed around a face.

    Attributes:
        margin: Left, top, right and bottom, each as a share of the box's width or height; negative ones cut into it.
        aspect: Width / height; the shorter direction grows until it is reached. None keeps what the margins give.
        pad: At the picture's edge: True keeps the face in the middle and fills what is missing, False moves the crop
            into the picture, and makes it smaller where the picture is smaller.

    Raises:
        UsageError: A margin cuts everything away, or a number is out of range.
    """

    margin: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    aspect: float | None = None
    pad: bool = False

    def __post_init__(self) -> None:
        left, top, right, bottom = self.margin
        if not all(map(math.isfinite, self.margin)) or max(self.margin) > 100:
            raise UsageError(f"margins must be numbers up to 100, not {self.margin}.")
        if left + right <= -1 or top + bottom <= -1:
            raise UsageError(f"the margins {self.margin} leave nothing of a face.")
        check_aspect(self.aspect)


def check_aspect(aspect: float | None) -> None:
    """Raises UsageError unless the aspect is None or between 0.01 and 100."""
    if aspect is not None and not 0.01 <= aspect <= 100:
        raise UsageError(f"the aspect must be between 1:100 and 100:1, not {aspect:g}.")


def face_region(
    box: NDArray[np.float32], picture: tuple[int, int], rule: CropRule, tilt: float = 0.0
) -> Region:
    """The crop of one face.

    Args:
        box: float32 (4,), xyxy in pixels; with a tilt the box of the upright face, turned around its centre.
        picture: (width, height) in pixels.
        rule: Margins, aspect and what happens at the edge.
        tilt: Degrees by which the face leans clockwise; the crop leans with it, so that the cut face is upright.

    Returns:
        The region. Upright ones lie on whole pixels.
    """
    x1, y1, x2, y2 = map(float, box)
    width, height = x2 - x1, y2 - y1
    left, top, right, bottom = rule.margin
    grown = Region(
        (x1 + x2) / 2,
        (y1 + y2) / 2,
        max(width * (1 + left + right), 1),
        max(height * (1 + top + bottom), 1),
        tilt,
    )
    grown = moved(grown, width * (right - left) / 2, height * (bottom - top) / 2)
    if rule.aspect:
        sides = max(grown.width, grown.height * rule.aspect), max(grown.height, grown.width / rule.aspect)
        grown = replace(grown, width=sides[0], height=sides[1])
    if not rule.pad:
        grown = inside(grown, picture, keep_aspect=rule.aspect is not None)
    return grown if tilt else on_pixels(grown, None if rule.pad else picture)


def moved(region: Region, across: float, down: float) -> Region:
    """The region moved by pixels along its own axes."""
    cos, sin = math.cos(math.radians(region.tilt)), math.sin(math.radians(region.tilt))
    return replace(region, x=region.x + across * cos - down * sin, y=region.y + across * sin + down * cos)


def inside(region: Region, picture: tuple[int, int], *, keep_aspect: bool) -> Region:
    """The region moved into the picture, and made smaller where it is larger than the picture."""
    if keep_aspect or region.tilt:
        # the extent of a face that is a point is 0
        shrink = min(
            [1.0, *(side / own for side, own in zip(picture, region.extent, strict=True) if own > 0)]
        )
        region = replace(region, width=region.width * shrink, height=region.height * shrink)
    else:
        region = replace(region, width=min(region.width, picture[0]), height=min(region.height, picture[1]))
    half_width, half_height = (side / 2 for side in region.extent)
    x = min(max(region.x, half_width), picture[0] - half_width)
    y = min(max(region.y, half_height), picture[1] - half_height)
    return replace(region, x=x, y=y)


def on_pixels(region: Region, picture: tuple[int, int] | None) -> Region:
    """An upright region on whole pixels, at least one each way, and inside the picture if one is given."""
    width, height = max(round(region.width), 1), max(round(region.height), 1)
    left, top = round(region.x - width / 2), round(region.y - height / 2)
    if picture:
        width, height = min(width, picture[0]), min(height, picture[1])
        left, top = min(max(left, 0), picture[0] - width), min(max(top, 0), picture[1] - height)
    return Region(left + width / 2, top + height / 2, width, height)


def frame_region(
    boxes: NDArray[np.float32], picture: tuple[int, int], aspect: float, margin: float | None = None
) -> Region:
    """One crop of a picture that shows its faces well: a thumbnail.

    Without a margin it is the largest frame of this aspect; with one, the smallest that holds the faces and a margin
    of so many heights of the main face. Faces are taken in from the largest to the smallest as long as they fit
    together with their hair; those that do not fit are left out. The frame's middle is the middle of the
    faces, its eye line at two fifths from the top is their centre, moved where a face or its hair would be cut, and
    the frame never leaves the picture. Without faces it is the middle of the picture.

    Args:
        boxes: float32 (n, 4), xyxy in pixels.
        picture: (width, height) in pixels.
        aspect: Width / height of the frame.
        margin: In heights of the largest face.

    Raises:
        UsageError: The aspect or the margin is out of range.
    """
    check_aspect(aspect)
    if margin is not None and not 0 <= margin <= 100:
        raise UsageError(f"the margin of a frame must be between 0 and 100, not {margin}.")
    width, height = min(picture[0], picture[1] * aspect), min(picture[1], picture[0] / aspect)
    if not len(boxes):
        return on_pixels(Region(picture[0] / 2, picture[1] / 2, width, height), picture)
    hair = np.array((-1, -1, 1, 1), np.float32) * np.array(HAIR, np.float32)
    heads = box_maths.clip(boxes + hair * np.tile(boxes[:, 2:] - boxes[:, :2], 2), *picture)
    order = np.argsort(-box_maths.area(boxes), kind="stable")
    group = order[group_that_fits(heads[order], (width, height))]
    head, face = around(heads[group]), around(boxes[group])
    if margin is not None:
        space = 2 * margin * float(boxes[group[0], 3] - boxes[group[0], 1])
        width = min(width, max(head[2] - head[0] + space, (head[3] - head[1] + space) * aspect))
        height = width / aspect
    left = within((face[0] + face[2] - width) / 2, head[2] - width, head[0])
    top = within((face[1] + face[3]) / 2 - height * EYE_LINE, head[3] - height, head[1])
    left, top = (
        within(left, face[2] - width, face[0]),
        within(top, face[3] - height, face[1]),
    )  # faces before hair
    return on_pixels(
        inside(Region(left + width / 2, top + height / 2, width, height), picture, keep_aspect=True), picture
    )


def around(boxes: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """The box (x1, y1, x2, y2) around boxes (n, 4), n > 0."""
    (x1, y1), (x2, y2) = boxes[:, :2].min(0).tolist(), boxes[:, 2:].max(0).tolist()
    return x1, y1, x2, y2


def group_that_fits(heads: NDArray[np.float32], frame: tuple[float, float]) -> list[int]:
    """Indices of the first head and of all later ones whose common box with those before fits a (width, height)."""
    group = [0]
    for i in range(1, len(heads)):
        x1, y1, x2, y2 = around(heads[[*group, i]])
        if x2 - x1 <= frame[0] and y2 - y1 <= frame[1]:
            group.append(i)
    return group


def within(value: float, low: float, high: float) -> float:
    """The value limited to [low, high]; their middle where they are the wrong way round."""
    return min(max(value, low), high) if low <= high else (low + high) / 2


def cut(image: Pixels, region: Region, fill: Colour | None = None) -> Pixels:
    """Cuts a region out; a turned one comes out upright.

    Args:
        image: uint8 (h, w, 3), BGR.
        region: What to cut; upright regions are rounded to whole pixels.
        fill: RGB colour in [0, 255] outside the picture; None repeats the picture's edge.

    Returns:
        uint8 (round(region.height), round(region.width), 3), BGR, in an array of its own.

    Raises:
        UsageError: The region is too large.
    """
    width, height = max(round(region.width), 1), max(round(region.height), 1)
    if max(width, height) > MAX_SIDE or width * height > DEFAULT_MAX_PIXELS:
        raise UsageError(f"a crop of {width} x {height} pixels is too large: choose smaller margins.")
    if region.tilt:
        return cut_turned(image, region, (width, height), fill)
    left, top = round(region.x - width / 2), round(region.y - height / 2)
    picture_height, picture_width = image.shape[:2]
    x1, x2 = (min(max(side, 0), picture_width) for side in (left, left + width))
    y1, y2 = (min(max(side, 0), picture_height) for side in (top, top + height))
    if x1 == x2 or y1 == y2:
        raise UsageError("a crop must share at least a pixel with its picture.")
    part = image[y1:y2, x1:x2]
    if fill is None:
        missing = (y1 - top, top + height - y2), (x1 - left, left + width - x2), (0, 0)
        return np.pad(part, missing, "edge")
    canvas = np.full((height, width, 3), fill[::-1], np.uint8)
    canvas[y1 - top : y2 - top, x1 - left : x2 - left] = part
    return canvas


def cut_turned(image: Pixels, region: Region, size: tuple[int, int], fill: Colour | None) -> Pixels:
    """Cuts a turned region out, upright and at a (width, height): from the upright part around it."""
    width, height = (math.ceil(side) + 4 for side in region.extent)  # and what bilinear sampling looks at
    left, top = round(region.x - width / 2), round(region.y - height / 2)
    around_it = cut(image, Region(left + width / 2, top + height / 2, width, height), fill)
    (a, b, x), (c, d, y) = to_picture(region, size).tolist()
    # Pillow counts from the edge of the first pixel, not from its middle
    matrix = (a, b, x - left + (1 - a - b) / 2, c, d, y - top + (1 - c - d) / 2)
    turned = to_pillow(around_it).transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return from_pillow(turned)


def to_picture(region: Region, size: tuple[int, int]) -> NDArray[np.float64]:
    """The affine map (2, 3) from pixel indices of a crop of (width, height) to those of the picture."""
    cos, sin = math.cos(math.radians(region.tilt)), math.sin(math.radians(region.tilt))
    turn = np.array([[cos, -sin], [sin, cos]]) * (region.width / size[0], region.height / size[1])
    # half a pixel: indices are at the centres of pixels, regions are at their edges
    centre = np.array([size[0] / 2 - 0.5, size[1] / 2 - 0.5])
    shift = np.array([region.x - 0.5, region.y - 0.5]) - turn @ centre
    return np.column_stack([turn, shift])


def resized(image: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture at a (width, height) in pixels, smoothed when it shrinks and sharp when it grows."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return from_pillow(scaled(image, size))


def scaled(image: Pixels, size: tuple[int, int]) -> Image.Image:
    """The picture at a (width, height) in pixels, likewise, as a Pillow image, RGB."""
    return to_pillow(image).resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
