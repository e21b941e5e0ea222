"""What the numbers of a picture mean: grey, alpha, 16 bits and EXIF turns become upright 8-bit BGR."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lafd.errors import UsageError

Pixels: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)

# Of Pillow's modes: the value that stands for white is the first that the picture does not exceed.
_WHITES = {
    "I;16": (65535,),
    "I;16L": (65535,),
    "I;16B": (65535,),
    "I;16N": (65535,),
    "I": (255, 65535, 2**31 - 1),
    "F": (1, 255, 65535),
}
# Of EXIF orientations: the steps through rows and columns; those from 5 on are transposed before.
_STEPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}


def to_bgr(array: NDArray[Any], *, rgb: bool = False, background: Colour = WHITE) -> Pixels:
    """Converts an array of pixels to BGR.

    Args:
        array: uint8 (h, w), (h, w, 1), (h, w, 3) BGR or (h, w, 4) BGRA.
        rgb: The array is RGB or RGBA instead.
        background: RGB colour in [0, 255] that shows through transparent pixels.

    Returns:
        uint8 (h, w, 3) BGR, C-contiguous; the array itself if it is that already.

    Raises:
        UsageError: The array has another dtype or shape; the text says how to convert it.
    """
    _check_array(array)
    array = np.ascontiguousarray(array)
    channels = 1 if array.ndim == 2 else array.shape[2]
    if channels == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if channels == 4:
        rgba = Image.frombuffer("RGBA", array.shape[1::-1], array, "raw", "RGBA" if rgb else "BGRA", 0, 1)
        return flatten(rgba, background)
    return swapped(array) if rgb else array


def swapped(image: Pixels) -> Pixels:
    """A copy of an image (h, w, 3) with its first and last channel exchanged: RGB from BGR, and back."""
    copy = np.empty(image.shape, np.uint8)
    for channel in range(3):  # several times as fast as a copy of image[..., ::-1]
        copy[..., channel] = image[..., 2 - channel]
    return copy


def to_pillow(pixels: Pixels) -> Image.Image:
    """A Pillow image, RGB, of BGR pixels (h, w, 3)."""
    return Image.frombuffer("RGB", pixels.shape[1::-1], np.ascontiguousarray(pixels), "raw", "BGR", 0, 1)


def from_pillow(image: Image.Image) -> Pixels:
    """BGR pixels (h, w, 3), in an array of their own, of a Pillow image in RGB."""
    return swapped(np.asarray(image))


def decoded_to_bgr(image: Image.Image, background: Colour) -> Pixels:
    """Converts a decoded Pillow image of any mode to BGR (h, w, 3), alpha flattened on an RGB background."""
    if image.mode in _WHITES:
        return to_bgr(_scale_to_8_bits(image))
    if image.has_transparency_data:
        return flatten(image.convert("LA") if image.mode == "La" else image, background)
    return from_pillow(image.convert("RGB"))


def flatten(image: Image.Image, background: Colour) -> Pixels:
    """Lays a Pillow image with alpha on an RGB background in [0, 255]; returns BGR (h, w, 3)."""
    check_background(background)
    rgba = image.convert("RGBA")
    canvas = Image.new("RGB", rgba.size, background)
    canvas.paste(rgba, mask=rgba)
    return from_pillow(canvas)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns pixels (h, w, 3) as EXIF orientation 1 to 8 says; they stay C-contiguous."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    rows, columns = _STEPS[orientation]
    return np.ascontiguousarray(pixels[::rows, ::columns])


def _scale_to_8_bits(image: Image.Image) -> Pixels:
    values = np.nan_to_num(np.asarray(image), nan=0, posinf=0, neginf=0)
    peak = float(values.max())
    white = next((white for white in _WHITES[image.mode] if peak <= white), peak)
    scaled = np.multiply(values, np.float32(255 / white), dtype=np.float32)
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def check_background(background: Colour) -> None:
    """Raises UsageError unless it is an RGB colour in [0, 255]."""
    if len(background) != 3 or not all(0 <= value <= 255 for value in background):
        raise UsageError(f"background is {background}: give red, green and blue, each from 0 to 255.")


def _check_array(array: NDArray[Any]) -> None:
    if not isinstance(array, np.ndarray):
        raise UsageError(f"a {type(array).__name__} is not an image array: give a NumPy array of uint8.")
    if array.dtype != np.uint8:
        mends = {
            "f": "multiply values in [0, 1] by 255, then .astype(np.uint8)",
            "b": "multiply by 255 with .astype(np.uint8) * 255",
            "u": "scale the values to [0, 255], for 16 bits (image >> 8).astype(np.uint8)",
        }
        mend = mends.get(array.dtype.kind, "scale the values to [0, 255], then .astype(np.uint8)")
        raise UsageError(f"the image array is {array.dtype}, not uint8: {mend}.")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        mend = "give (h, w), (h, w, 1), (h, w, 3) or (h, w, 4)"
        if array.ndim == 4:
            mend = "give one image of the batch at a time"
        elif array.ndim == 3 and array.shape[0] in (1, 3, 4):
            mend = "move the channels last with image.transpose(1, 2, 0)"
        raise UsageError(f"the image array has the shape {array.shape}: {mend}.")
    if array.size == 0:
        raise UsageError(f"the image array is empty, of shape {array.shape}: give at least one pixel.")
