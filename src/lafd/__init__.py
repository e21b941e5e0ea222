"""lafd: the light and fast anime face detector.

Examples:
    >>> from lafd import Detector
    >>> detector = Detector()
"""

from __future__ import annotations

from lafd.detections import Detections, Face
from lafd.detector import Detector, Options
from lafd.draw import draw
from lafd.errors import ImageError, LafdError, ModelError, UsageError
from lafd.images import load_image

__version__ = "0.1.0"
__all__ = [
    "Detections",
    "Detector",
    "Face",
    "ImageError",
    "LafdError",
    "ModelError",
    "Options",
    "UsageError",
    "draw",
    "load_image",
]
