"""Reading and writing pictures: every picture enters lafd through `read_image` or `load_frames`."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lafd.errors import ImageError, UsageError
from lafd.files import replacing
from lafd.opencv import cv2
from lafd.opening import check_frame, check_size, opened, pillow_is_quiet
from lafd.pixels import WHITE, Colour, Pixels, check_background, decoded_to_bgr, to_bgr, to_pillow, upright

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "WRITTEN_ENDINGS",
    "ImageSource",
    "Picture",
    "encode_image",
    "load_frames",
    "load_image",
    "read_image",
    "save_image",
    "to_bgr",
]

ImageSource: TypeAlias = Union[str, "os.PathLike[str]", bytes, BinaryIO, Image.Image, NDArray[Any]]

DEFAULT_MAX_PIXELS = 200_000_000

_EXIF_ORIENTATION = 0x0112
_PNG_LEVEL = 1  # of zlib: a third of the time of its default for files a tenth larger
_FORMATS_WITH_FRAMES = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")
_JPEG_SCALES = (8, 4, 2)  # a JPEG is decoded at one of these fractions as quickly as it is small
_WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
WRITTEN_ENDINGS = tuple(_WRITTEN)

Elsewhere: TypeAlias = "Callable[[ImageSource, dict[str, Any]], Iterator[Picture]]"
elsewhere: Elsewhere | None = None  # decodes instead of this process; a `lafd.sandbox.Sandbox` sets it


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as `read_image` returns it.

    Attributes:
        pixels: uint8 (h, w, 3) BGR, C-contiguous; smaller than the picture if it was reduced.
        width: Full width of the upright picture in pixels.
        height: Full height of the upright picture in pixels.
    """

    pixels: Pixels
    width: int
    height: int


def load_image(
    source: ImageSource, *, background: Colour = WHITE, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Pixels:
    """Reads a picture as uint8 (h, w, 3) BGR, C-contiguous; arguments and errors as of `read_image`."""
    return read_image(source, background=background, max_pixels=max_pixels).pixels


def read_image(
    source: ImageSource,
    *,
    reduce_to: int | None = None,
    background: Colour = WHITE,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Picture:
    """Reads a picture, upright and in 8-bit colour.

    The content decides the format, not the name. EXIF orientation is applied, more than 8 bits are scaled to
    8, and of an animation the first frame is read.

    Args:
        source: Path, encoded bytes, binary file, Pillow image, or uint8 array in BGR order (see `to_bgr`).
        reduce_to: The longer side that is needed, in pixels. A JPEG may then be decoded at 1/2, 1/4 or 1/8
            scale, which is faster; its longer side stays at least this. None decodes at full size.
        background: RGB colour in [0, 255] that shows through transparent pixels.
        max_pixels: A picture of more pixels is refused before it is decoded. TIFF and WebP are also held to
            Pillow's own limit, twice PIL.Image.MAX_IMAGE_PIXELS.

    Raises:
        ImageError: The picture cannot be read; the text names it and the reason.
        UsageError: The source or an argument is of the wrong kind.
    """
    if reduce_to is not None and reduce_to < 1:
        raise UsageError(f"reduce_to is {reduce_to}: give the longer side in pixels, 1 or more.")
    if isinstance(source, np.ndarray):
        pixels = to_bgr(source, background=background)
        return Picture(pixels, pixels.shape[1], pixels.shape[0])
    check_background(background)
    if elsewhere and not isinstance(source, Image.Image):
        how = {"reduce_to": reduce_to, "background": background, "max_pixels": max_pixels, "frames": False}
        (picture,) = elsewhere(source, how)
        return picture
    with opened(source, max_pixels) as image:
        width, height = image.size
        quickly = None if image is source else _decode_jpeg(image, reduce_to)
        pixels = _decode(image, background) if quickly is None else quickly
        orientation = _orientation(image)
        if orientation >= 5:
            width, height = height, width
        return Picture(upright(pixels, orientation), width, height)


def load_frames(
    source: ImageSource, *, background: Colour = WHITE, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Iterator[Pixels]:
    """Reads the frames of an animation (GIF, WebP, APNG, AVIF) or the pages of a TIFF; one of other pictures.

    A frame is what a viewer shows, drawn over the frames before it. Arguments and errors are as of
    `read_image`. An open Pillow image is read from its current frame on and left at its last. After 5,000 frames
    comes an ImageError: a longer animation is a film.

    Yields:
        uint8 (h, w, 3) BGR, C-contiguous; the pages of a TIFF may differ in size.
    """
    if isinstance(source, np.ndarray):
        yield to_bgr(source, background=background)
        return
    check_background(background)
    if elsewhere and not isinstance(source, Image.Image):
        how = {"background": background, "max_pixels": max_pixels, "frames": True}
        yield from (picture.pixels for picture in elsewhere(source, how))
        return
    with opened(source, max_pixels) as image:
        for number in itertools.count():
            check_frame(number)
            check_size(image, max_pixels)
            yield upright(_decode(image, background), _orientation(image))
            if image.format not in _FORMATS_WITH_FRAMES or not _next_frame(image):
                return


def encode_image(image_bgr: NDArray[Any], ending: str, quality: int = 90) -> bytes:
    """Encodes a picture.

    Args:
        image_bgr: uint8 array in BGR order (see `to_bgr`).
        ending: ".png", ".jpg", ".jpeg" or ".webp", in any case.
        quality: Of JPEG and WebP, in [1, 100]; PNG is lossless.

    Raises:
        UsageError: The array, the ending or the quality is not one of these.
        ImageError: The picture is too large for the format.
    """
    ending = ending.lower()
    if ending not in WRITTEN_ENDINGS:
        raise UsageError(
            f"cannot write a picture with the ending {ending!r}: use {', '.join(WRITTEN_ENDINGS)}."
        )
    if not 1 <= quality <= 100:
        raise UsageError(f"quality is {quality}: give a number from 1 to 100.")
    pixels = to_bgr(image_bgr)
    buffer = io.BytesIO()
    try:
        to_pillow(pixels).save(buffer, _WRITTEN[ending], quality=quality, compress_level=_PNG_LEVEL)
    except (OSError, ValueError):
        size = f"{pixels.shape[1]} x {pixels.shape[0]}"
        raise ImageError(f"cannot write {size} pixels as {ending}: use .png or a smaller picture.") from None
    return buffer.getvalue()


def save_image(path: str | os.PathLike[str], image_bgr: NDArray[Any], quality: int = 90) -> None:
    """Writes a picture in the format of the path's ending; the file is whole or not there.

    Args:
        path: The file, in a folder that exists. An existing file is replaced.
        image_bgr: uint8 array in BGR order (see `to_bgr`).
        quality: Of JPEG and WebP, in [1, 100]; PNG is lossless.

    Raises:
        UsageError: The array, the ending or the quality is wrong, or the folder does not exist.
        LafdError: The file cannot be written.
    """
    path = Path(path)
    encoded = encode_image(image_bgr, path.suffix, quality)
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: the folder {path.parent} does not exist.")
    with replacing(path) as temporary:
        temporary.write_bytes(encoded)


def _decode_jpeg(image: Image.Image, reduce_to: int | None) -> Pixels | None:
    """Decodes a JPEG with OpenCV, to the pixels of Pillow; None if Pillow has to, which is told the scale then."""
    stream = getattr(image, "fp", None)
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB") or stream is None:
        return None
    stream.seek(0)
    encoded = stream.read()
    if not encoded.rstrip(b"\0").endswith(b"\xff\xd9"):  # truncated, or more follows the picture
        return None
    fits = (scale for scale in _JPEG_SCALES if reduce_to and max(image.size) >= reduce_to * scale)
    scale = next(fits, 1)
    if cv2 is None:
        image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
        return None
    colour = cv2.IMREAD_COLOR if scale == 1 else getattr(cv2, f"IMREAD_REDUCED_COLOR_{scale}")
    try:
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), colour | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    expected = (-(-image.height // scale), -(-image.width // scale), 3)
    return np.asarray(pixels, np.uint8) if pixels is not None and pixels.shape == expected else None


@pillow_is_quiet()
def _decode(image: Image.Image, background: Colour) -> Pixels:
    image.load()
    return decoded_to_bgr(image, background)


@pillow_is_quiet()
def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # a picture with damaged EXIF is still a picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


@pillow_is_quiet()
def _next_frame(image: Image.Image) -> bool:
    try:
        image.seek(image.tell() + 1)
    except EOFError:
        return False
    return True
