"""Drawing detections onto a copy of an image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.detections import Detections

COLOUR = (80, 200, 60)  # BGR


def draw(image: NDArray[np.uint8], detections: Detections, *, scores: bool = True) -> NDArray[np.uint8]:
    """Draws a box, and the score in per cent, for every face.

    Args:
        image: uint8 (h, w, 3), BGR; it stays as it is.
        detections: The faces of this image.
        scores: Whether to write the scores.

    Returns:
        A new uint8 (h, w, 3) image.
    """
    picture = np.ascontiguousarray(image).copy()
    thickness = max(1, round(max(picture.shape[:2]) / 400))
    for face in detections:
        x1, y1, x2, y2 = (round(side) for side in face.box)
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), COLOUR, thickness, cv2.LINE_AA)
        if scores:
            label(picture, f"{face.score:.0%}", (x1, y1, y2), thickness)
    return picture


def label(picture: NDArray[np.uint8], text: str, place: tuple[int, int, int], thickness: int) -> None:
    """Writes black on colour above the box, or below it at the picture's top edge, always inside the picture."""
    left, top, bottom = place
    scale = 0.4 * max(1.0, thickness * 0.75)
    (width, height), baseline = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, thickness // 2))
    full = height + baseline + 2
    y = top - full if top >= full else min(bottom, picture.shape[0] - full)
    x = max(0, min(left, picture.shape[1] - width))
    cv2.rectangle(picture, (x, y), (x + width, y + full), COLOUR, cv2.FILLED)
    spot = (x, y + height + 1)
    cv2.putText(
        picture, text, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), max(1, thickness // 2), cv2.LINE_AA
    )
