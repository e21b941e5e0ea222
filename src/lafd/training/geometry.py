"""Random views of annotated pictures: one affine map per view, and the boxes that follow it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd.opencv import cv2
from lafd.pixels import Pixels
from lafd.training.samples import Sample

Boxes = NDArray[np.float32]
Labels = tuple[Boxes, NDArray[np.bool_]]
Point = NDArray[np.floating[Any]]

MIN_FACE = 5.0  # px in the view; smaller faces are ignored, nobody can tell them
MIN_VISIBLE = 0.35  # of a face's area; the box rule asks for a third
SMALLEST, LARGEST = 8.0, 1.25  # sides of the face that a view is centred on: px, and times the view's side
MAX_ENLARGEMENT = 4.0
TURNED_WHOLES = 0.15  # of whole pictures are turned by any angle
LEAST_FIT = 0.6  # of the scale that fits a picture into a view: empty margins teach little


def random_view(rng: np.random.Generator, sample: Sample, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A random affine map (2, 3) from a sample's picture to a view of `shape` (h, w).

    About half of the views of a picture with faces hold a chosen one, whose longer side is log-uniform between 8 px and
    more than the whole view, so that the network sees a continuum of scales (LFFD, arXiv 1904.10633, 3.3, draws
    from discrete ones). The others show most of the picture, as detection does.
    """
    height, width = shape
    picture_width, picture_height = sample.size
    faces = sample.boxes[~sample.ignore]
    fit = min(width / picture_width, height / picture_height)
    if len(faces) and rng.random() < 0.55:
        box = faces[rng.integers(len(faces))]
        side = max(box[2] - box[0], box[3] - box[1])
        wanted = math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST * min(shape))))
        scale = min(max(wanted / side, LEAST_FIT * fit), MAX_ENLARGEMENT)
        middle = (box[:2] + box[2:]) / 2
        slack = 0.5 * np.abs(np.array([width, height]) - side * scale)
        target = np.array([width, height]) / 2 + rng.uniform(-1, 1, 2) * slack * 0.9
    else:
        scale = fit * math.exp(rng.uniform(math.log(0.7), math.log(2.2)))
        middle = np.array([picture_width, picture_height]) / 2
        slack = 0.5 * np.abs(np.array([width, height]) - np.array([picture_width, picture_height]) * scale)
        target = np.array([width, height]) / 2 + rng.uniform(-1, 1, 2) * slack
    return affine(rng, scale, middle, target)


def whole_view(rng: np.random.Generator, sample: Sample, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A map (2, 3) that shows most of the picture or all, mostly upright, maybe mirrored, at about the size that fits.

    Some are turned by any angle, or the network would forget faces upside down.
    """
    room = np.array(shape[::-1])
    picture = np.array(sample.size)
    scale = min(room / picture) * math.exp(rng.uniform(math.log(0.7), math.log(1.5)))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    target = room / 2 + rng.uniform(-0.5, 0.5, 2) * np.abs(room - picture * scale)
    angle = rng.uniform(-180, 180) if rng.random() < TURNED_WHOLES else 0.0
    linear = rotation(angle) @ np.diag([flip * scale, scale])
    return np.hstack([linear, (target - linear @ (picture / 2))[:, None]]).astype(np.float32)


def affine(rng: np.random.Generator, scale: float, middle: Point, target: Point) -> NDArray[np.float32]:
    """Scales by about `scale`, flips and turns at random, and moves the point `middle` to `target`."""
    kind = rng.random()
    angle = rng.uniform(-25, 25) if kind < 0.3 else rng.uniform(-180, 180) if kind < 0.55 else 0.0
    stretch = math.exp(rng.normal(0, 0.08))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    linear = rotation(angle) @ np.diag([flip * scale * stretch, scale / stretch])
    return np.hstack([linear, (target - linear @ middle)[:, None]]).astype(np.float32)


def rotation(degrees: float) -> Point:
    """The matrix (2, 2) that turns by an angle."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def warp(
    rng: np.random.Generator, picture: Pixels, matrix: NDArray[np.float32], shape: tuple[int, int]
) -> Pixels:
    """Applies the map; strong reductions are averaged first, as good resizing does, to keep aliasing out."""
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    if scale < 0.6:
        step = max(scale, 8 / min(picture.shape[:2]))
        reduced = cv2.resize(picture, None, fx=step, fy=step, interpolation=cv2.INTER_AREA)
        back = np.array([picture.shape[1] / reduced.shape[1], picture.shape[0] / reduced.shape[0]])
        picture, matrix = np.asarray(reduced, np.uint8), matrix.copy()
        matrix[:, :2] *= back
    linear = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    border = int(rng.integers(256)) if rng.random() < 0.3 else 0
    fill = (border,) * picture.shape[2]
    warped = cv2.warpAffine(picture, matrix, (shape[1], shape[0]), flags=linear, borderValue=fill)
    return np.asarray(warped, np.uint8)


def map_boxes(boxes: Boxes, matrix: NDArray[np.float32]) -> Boxes:
    """Boxes of the mapped ellipses that are inscribed in `boxes`: tight for faces at any angle.

    A turned box's corners would give a box up to 1.4 times too large.
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    half = np.sqrt((half**2) @ (matrix[:, :2] ** 2).T)
    return np.hstack([centre - half, centre + half]).astype(np.float32)


def labels_in_view(boxes: Boxes, ignore: NDArray[np.bool_], shape: tuple[int, int]) -> Labels:
    """Clips mapped boxes to the view; those that are mostly outside or tiny become ignore regions."""
    limit = np.array([shape[1], shape[0], shape[1], shape[0]], np.float32)
    clipped = np.clip(boxes, 0, limit)
    sides = clipped[:, 2:] - clipped[:, :2]
    visible = sides.prod(1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    ignore = ignore | (visible < MIN_VISIBLE) | (sides.max(1, initial=0) < MIN_FACE)
    present = (sides > 0).all(1)
    return clipped[present], ignore[present]
