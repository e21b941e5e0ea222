"""Opening pictures: from any source to a Pillow image, header read and checked, or to one clear error."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image, UnidentifiedImageError

from lafd.errors import ImageError, LafdError, UsageError

# What is opened, common formats first. The rest of Pillow's stay shut: EPS is a program for Ghostscript, and some, such
# as IPTC and ICO, hold another file that Pillow would open whatever its format and its size.
FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "PPM"),
    *("WEBP", "AVIF", "TIFF", "JPEG2000", "PCX", "PSD", "QOI", "TGA"),
)

MAX_FRAMES = 5_000  # of a picture; three minutes of an animation
MAX_SCANNED = 4_000_000_000  # pixels times scans of a JPEG, some 5 s; usual progressive ones have ten scans

_IGNORE_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@contextmanager
def opened(source: object, max_pixels: int) -> Iterator[Image.Image]:
    """The source at its first frame, not decoded; what fails meanwhile is an ImageError that names it."""
    name = _name(source)
    with ExitStack() as stack:
        try:
            image = (
                source if isinstance(source, Image.Image) else _identify(stack.enter_context(_stream(source)))
            )
            check_size(image, max_pixels)
            if image is not source and image.format in ("JPEG", "MPO"):
                check_scans(image)
            if image is not source and getattr(image, "default_image", False):
                image.seek(1)  # frame 0 of such an APNG is the still for viewers that cannot animate
            yield image
        except LafdError:
            raise
        except Exception as error:  # damaged files make the decoders raise nearly everything
            raise ImageError(f"cannot read {name}: {_reason(error)}.") from error


@contextmanager
def _stream(source: object) -> Iterator[BinaryIO]:
    """A seekable binary stream over the source; closed afterwards if it was opened here."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            yield _seekable(file)
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source)
    elif hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        yield _seekable(cast(BinaryIO, source))
    else:
        accepted = "a path, bytes, a binary file, a Pillow image or a NumPy array"
        raise UsageError(f"a {type(source).__name__} is not a picture: give {accepted}.")


def content(source: object) -> bytes:
    """The encoded bytes of a source that is no path."""
    with _stream(source) as stream:
        return stream.read()


def _seekable(stream: BinaryIO) -> BinaryIO:
    try:
        stream.seek(0)
    except (AttributeError, OSError):  # a pipe
        return io.BytesIO(stream.read())
    return stream


@contextmanager
def pillow_is_quiet() -> Iterator[None]:
    """Hides Pillow's warnings; unlike warnings.catch_warnings, many threads may do this at once."""
    filters = cast("list[object]", warnings.filters)
    filters.insert(0, _IGNORE_PILLOW)
    try:
        yield
    finally:
        with suppress(ValueError):  # somebody reset the filters meanwhile
            filters.remove(_IGNORE_PILLOW)


@pillow_is_quiet()
def _identify(stream: BinaryIO) -> Image.Image:
    """Reads the header alone."""
    try:
        return Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError as error:
        stream.seek(0)
        known = f"it is not a picture of a known format ({', '.join(FORMATS)}), or it is damaged or truncated"
        raise _UnreadableError(known if stream.read(1) else "the file is empty") from error
    except Image.DecompressionBombError:  # a limit of the whole process, which max_pixels replaces
        stream.seek(0)
        prefix = stream.read(16)
        for factory, accepts in (Image.OPEN[name] for name in FORMATS if name in Image.OPEN):
            if accepts is not None and accepts(prefix) is True:
                stream.seek(0)
                return factory(stream, "")
        raise


def check_size(image: Image.Image, max_pixels: int) -> None:
    """Refuses the current frame inside `opened` if it has more than max_pixels."""
    width, height = image.size
    if width * height > max_pixels:
        raise _UnreadableError(
            f"its {width} x {height} pixels are over the limit of {max_pixels} (max_pixels)"
        )


def check_scans(image: Image.Image) -> None:
    """Refuses a JPEG inside `opened` whose scans, each of which goes over all pixels, would take minutes."""
    stream = getattr(image, "fp", None)
    if stream is None:
        return
    place = stream.tell()
    stream.seek(0)
    scans = stream.read().count(b"\xff\xda")  # stands nowhere in packed pixels
    stream.seek(place)
    if image.width * image.height * scans > MAX_SCANNED:
        raise _UnreadableError(f"it has {scans} scans, which nobody needs; save it again")


def check_frame(number: int) -> None:
    """Ends a picture whose frames do not end, or whose many small ones would take as long as a film; from 0."""
    if number >= MAX_FRAMES:
        raise _UnreadableError(f"it has more than {MAX_FRAMES} frames; make several files, or a film, of it")


class _UnreadableError(Exception):
    """A reason, in our own words, why a picture is not read."""


def _name(source: object) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return str(name) if name else "the picture"


def _reason(error: Exception) -> str:
    if isinstance(error, _UnreadableError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, Image.DecompressionBombError):
        return "it exceeds Pillow's own limit; raise PIL.Image.MAX_IMAGE_PIXELS if you trust it"
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if "truncat" in str(error).lower():
        return "it is truncated; copy or download it again"
    return f"it is damaged, truncated or of an unknown kind ({error})"
