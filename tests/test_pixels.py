"""Every kind of pixel becomes 8-bit BGR."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lafd.errors import UsageError
from lafd.images import load_image, to_bgr
from pictures import HEIGHT, WIDTH, assert_same, blocks, encoded, scene


def test_grey_and_one_bit_and_palette() -> None:
    grey = scene()[..., 0]
    assert_same(load_image(encoded(grey, "PNG")), np.dstack([grey] * 3))
    assert_same(load_image(encoded(Image.fromarray(grey > 100), "PNG")), np.dstack([(grey > 100) * 255] * 3))
    palette = Image.fromarray(blocks(0)).quantize(256)
    assert_same(load_image(encoded(palette, "PNG")), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 200, 60)])
def test_alpha_is_laid_on_the_background(background: tuple[int, int, int]) -> None:
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    weight = alpha[..., None] / 255
    expected = np.rint(scene() * weight + np.array(background) * (1 - weight)).astype(int)
    for file_format, options in [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})]:
        file = encoded(np.dstack([scene(), alpha]), file_format, **options)
        assert_same(load_image(file, background=background), expected, tolerance=1)
    grey = np.rint(scene()[..., :1] * weight + np.array(background) * (1 - weight)).astype(int)
    file = encoded(Image.merge("LA", [Image.fromarray(scene()[..., 0]), Image.fromarray(alpha)]), "PNG")
    assert_same(load_image(file, background=background), grey, tolerance=1)


def test_transparent_colours_show_the_background() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putdata([0, 1])
    for file_format in ("PNG", "GIF"):
        file = encoded(palette, file_format, transparency=1)
        assert_same(load_image(file, background=(9, 8, 7)), np.array([[[255, 0, 0], [9, 8, 7]]]))
    half = encoded(palette, "PNG", transparency=bytes([255, 128]))
    assert_same(load_image(half), np.array([[[255, 0, 0], [127, 127, 255]]]))
    rgb = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    file = encoded(rgb, "PNG", transparency=(4, 5, 6))
    assert_same(load_image(file, background=(0, 0, 0)), np.array([[[1, 2, 3], [0, 0, 0]]]))


def test_16_bits_are_scaled_not_clipped() -> None:
    values = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.uint16).reshape(HEIGHT, WIDTH)
    expected = np.dstack([np.rint(values / 257)] * 3).astype(int)
    for file_format in ("PNG", "TIFF", "PPM"):
        assert_same(load_image(encoded(values, file_format)), expected)
    big_endian = encoded(Image.frombytes("I;16B", (WIDTH, HEIGHT), values.astype(">u2").tobytes()), "TIFF")
    assert_same(load_image(big_endian), expected)
    colour = scene().astype(np.uint16) * 257
    for ending in (".png", ".tiff"):
        file = cv2.imencode(ending, colour[..., ::-1])[1].tobytes()
        assert_same(load_image(file), scene(), tolerance=1)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floats_are_scaled_by_the_range_they_use(white: float) -> None:
    grey = scene()[..., 1]
    values = (grey / 255 * white).astype(np.float32)
    values[0, 0], grey[-1, -1] = np.nan, 255
    values[-1, -1] = white
    grey[0, 0] = 0
    assert_same(load_image(encoded(values, "TIFF")), np.dstack([grey] * 3))


@pytest.mark.parametrize("white", [255, 65535, 2**31 - 1])
def test_32_bit_integers_are_scaled_by_the_range_they_use(white: int) -> None:
    grey = scene()[..., 1]
    grey[-1, -1] = 255
    values = np.floor(grey / 255 * white).astype(np.int32)
    assert_same(load_image(encoded(values, "TIFF")), np.dstack([grey] * 3), tolerance=1)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk(file_format: str) -> None:
    ink = np.zeros((16, 48, 4), np.uint8)
    ink[:, :16, [1, 2]] = 255  # magenta and yellow make red
    ink[:, 32:, 3] = 255
    file = encoded(Image.frombytes("CMYK", (48, 16), ink.tobytes()), file_format)
    expected = np.zeros((16, 48, 3), int)
    expected[:, :16] = 255, 0, 0
    expected[:, 16:32] = 255
    assert_same(load_image(file), expected, tolerance=4)


def test_arrays_become_bgr() -> None:
    rgb, grey = scene(), scene()[..., 0]
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    assert to_bgr(bgr) is bgr
    assert_same(to_bgr(rgb, rgb=True), rgb)
    assert_same(to_bgr(bgr[:, ::-1]), rgb[:, ::-1])
    assert_same(to_bgr(grey), np.dstack([grey] * 3))
    assert_same(to_bgr(grey[..., None]), np.dstack([grey] * 3))
    clear = np.zeros((HEIGHT, WIDTH), np.uint8)
    clear[:, 20:] = 255
    expected = np.where(clear[..., None] == 255, rgb, np.array([1, 2, 3]))
    assert_same(to_bgr(np.dstack([bgr, clear]), background=(1, 2, 3)), expected)
    assert_same(to_bgr(np.dstack([rgb, clear]), rgb=True, background=(1, 2, 3)), expected)


@pytest.mark.parametrize(
    ("array", "mend"),
    [
        (scene() / 255, "multiply values"),
        (scene() > 3, "255"),
        (scene().astype(np.uint16), ">> 8"),
        (scene().astype(np.int64), "uint8"),
        (np.zeros((3, 20, 30), np.uint8), "transpose"),
        (np.zeros((2, 20, 30, 3), np.uint8), "one image"),
        (np.zeros((20, 30, 2), np.uint8), "give"),
        (np.zeros(20, np.uint8), "give"),
        (np.zeros((0, 30, 3), np.uint8), "empty"),
        ([[1, 2], [3, 4]], "NumPy"),
    ],
)
def test_other_arrays_are_refused_with_the_mend(array: Any, mend: str) -> None:
    with pytest.raises(UsageError, match=mend):
        to_bgr(array)
