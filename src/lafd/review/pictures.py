"""Pictures as a browser can show them: the file itself where that will do, else an upright JPEG for the screen."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lafd.crop import resized
from lafd.images import DEFAULT_MAX_PIXELS, encode_image, read_image
from lafd.opening import opened

_SHOWN_AS_THEY_ARE = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
_LARGEST_FILE = 8_000_000  # bytes


def for_browser(path: Path, side: int) -> tuple[bytes, str]:
    """A picture for the screen and its media type.

    Args:
        path: The picture, of any format that lafd reads.
        side: The longer side that is needed, in pixels; a picture of up to twice that is not made smaller.

    Raises:
        ImageError: It cannot be read.
    """
    with opened(path, DEFAULT_MAX_PIXELS) as image:
        media_type = media_type_of(image)
        too_large = max(image.size) > 2 * side
    if media_type and not too_large and path.stat().st_size <= _LARGEST_FILE:
        return path.read_bytes(), media_type
    picture = read_image(path, reduce_to=side)
    height, width = picture.pixels.shape[:2]
    pixels = picture.pixels
    if max(height, width) > side:
        scale = side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = resized(pixels, size)
    return encode_image(pixels, ".jpg", 90), "image/jpeg"


def media_type_of(image: Image.Image) -> str | None:
    """What the file is to a browser; None if it would show it in another way than lafd reads it."""
    turned = image.format != "JPEG" and "exif" in image.info  # browsers differ
    if turned or getattr(image, "is_animated", False):
        return None
    return _SHOWN_AS_THEY_ARE.get(image.format or "")
