"""Faces that lie or hang: a picture is looked at upright, and turned by 90, 180 and 270 degrees."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from lafd import transform
from lafd.boxes import Boxes
from lafd.detections import Detections
from lafd.images import Picture

if TYPE_CHECKING:
    from lafd.detector import Detector, Options

QUARTERS = 4  # turns; one of them leaves any face within 45 degrees of upright
SAME_FACE = 0.3  # IoU; boxes of one face that come from different turns overlap less than those of one turn


def detect(detector: Detector, picture: Picture, options: Options) -> Detections:
    """The faces of a picture at any angle: of those that overlap, from whichever turn, the better one stays.

    Args:
        detector: Finds the faces of one view.
        picture: As it was read.
        options: With `turned`.
    """
    once = dataclasses.replace(options, turned=False, max_faces=None)
    parts = []
    for quarters in range(QUARTERS):  # one by one: each is a copy of what may be a large picture
        (faces,) = detector.detect_pictures([turn(picture, quarters)], once)
        parts.append((turn_back(faces.boxes, quarters, picture), faces.scores))
    limit = min(SAME_FACE, detector.iou(options))
    return detector.combine(parts, picture, dataclasses.replace(options, iou=limit))


def turn(picture: Picture, quarters: int) -> Picture:
    """The picture turned counter-clockwise by 0 to 3 quarters of a circle."""
    if not quarters:
        return picture
    width, height = (picture.width, picture.height)[:: -1 if quarters % 2 else 1]
    return Picture(transform.turn(picture.pixels, quarters), width, height)


def turn_back(boxes: Boxes, quarters: int, picture: Picture) -> Boxes:
    """Boxes (n, 4) that were found in the turned picture, in the upright one, exactly."""
    width, height = picture.width, picture.height
    x1, y1, x2, y2 = boxes.T
    upright = (
        (x1, y1, x2, y2),
        (width - y2, x1, width - y1, x2),
        (width - x2, height - y2, width - x1, height - y1),
        (y1, height - x2, y2, height - x1),
    )
    return np.stack(upright[quarters], axis=1)
