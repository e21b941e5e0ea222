"""Reading and writing pictures: formats, orientation, animations, reduced JPEGs."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lafd.errors import ImageError, LafdError, UsageError
from lafd.images import encode_image, load_frames, load_image, read_image, save_image
from pictures import FILES, HEIGHT, WIDTH, animation, assert_same, blocks, encoded, scene


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("PPM", {}),
        ("TGA", {"compression": "tga_rle"}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
        ("JPEG2000", {}),
        ("QOI", {}),
        ("PCX", {}),
    ],
)
def test_lossless_formats_keep_every_pixel(file_format: str, options: dict[str, Any]) -> None:
    assert_same(load_image(encoded(scene(), file_format, **options)), scene())


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("JPEG", {"quality": 95, "keep_rgb": True}),
        ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95}),
    ],
)
def test_lossy_formats_come_close(file_format: str, options: dict[str, Any]) -> None:
    assert_same(load_image(encoded(scene(), file_format, **options)), scene(), tolerance=16)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options", [{}, {"subsampling": 0}, {"progressive": True}, {"restart_marker_blocks": 1}]
)
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (33, 17), (1, 1)])
def test_jpeg_pixels_are_those_of_pillow(mode: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    jpeg = encoded(Image.fromarray(noise).convert(mode), "JPEG", **options)
    expected = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    assert_same(load_image(jpeg), expected)
    assert_same(load_image(jpeg + b"\0" * 7), expected)
    assert_same(load_image(jpeg + b"more data"), expected)


# EXIF orientation

STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.transpose(1, 0, 2),
    6: np.rot90,
    7: lambda upright: np.rot90(upright, 2).transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_exif_orientation_is_applied(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](scene()))
    file = encoded(stored, file_format, exif=exif, **({} if file_format == "PNG" else {"quality": 95}))
    picture = read_image(file)
    assert_same(picture.pixels, scene(), tolerance=16)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert_same(load_image(Image.open(io.BytesIO(file))), scene(), tolerance=16)
    assert_same(next(load_frames(file)), scene(), tolerance=16)


@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12"])
def test_damaged_exif_does_not_matter(exif: bytes) -> None:
    assert_same(load_image(encoded(scene(), "JPEG", exif=exif, quality=95)), scene(), tolerance=16)
    assert_same(load_image(encoded(scene(), "PNG", exif=exif)), scene())


def test_senseless_orientations_are_ignored() -> None:
    for value in (0, 9, 700):
        exif = Image.Exif()
        exif[0x0112] = value
        assert_same(load_image(encoded(scene(), "PNG", exif=exif)), scene())


# Animations


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_frames_of_an_animation_are_whole(file_format: str) -> None:
    file, frames = animation(file_format)
    assert_same(load_image(file), frames[0])
    read = list(load_frames(file))
    assert len(read) == 3
    for bgr, rgb in zip(read, frames, strict=True):
        assert_same(bgr, rgb)


def test_frames_of_an_avif() -> None:
    file, frames = animation("AVIF", quality=100, subsampling="4:4:4")
    for bgr, rgb in zip(load_frames(file), frames, strict=True):
        assert_same(bgr, rgb, tolerance=12)


def test_still_of_an_apng_is_no_frame() -> None:
    still, *frames = [Image.fromarray(blocks(seed)) for seed in (5, 6, 7)]
    file = encoded(still, "PNG", save_all=True, append_images=frames, default_image=True)
    assert_same(load_image(file), blocks(6))
    assert [frame.tolist() for frame in load_frames(file)] == [blocks(s)[..., ::-1].tolist() for s in (6, 7)]


def test_first_frame_smaller_than_its_gif() -> None:
    gif = bytearray(encoded(Image.new("P", (4, 4), 1), "GIF"))
    gif[6:10] = struct.pack("<HH", 8, 6)  # the logical screen
    assert load_image(bytes(gif)).shape == (6, 8, 3)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_a_still_has_one_frame(file_format: str) -> None:
    file = encoded(scene(), file_format)
    frames = list(load_frames(file))
    assert len(frames) == 1
    assert (frames[0] == load_image(file)).all()


def test_further_pictures_in_a_jpeg_are_no_frames() -> None:
    others = [Image.fromarray(blocks(2))]
    file = encoded(scene(), "MPO", save_all=True, append_images=others, quality=95)
    assert_same(load_image(file), scene(), tolerance=16)
    assert len(list(load_frames(file))) == 1


def test_frames_of_an_array() -> None:
    assert_same(next(load_frames(scene()[..., ::-1])), scene())


# Reduced decoding


@pytest.mark.parametrize(
    ("reduce_to", "longer_side"),
    [(None, 203), (204, 203), (203, 203), (102, 203), (101, 102), (50, 51), (25, 26)],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_is_reduced_as_far_as_allowed(reduce_to: int | None, longer_side: int, mode: str) -> None:
    image = Image.fromarray(scene()).resize((203, 145), Image.Resampling.BICUBIC).convert(mode)
    picture = read_image(encoded(image, "JPEG", quality=95), reduce_to=reduce_to)
    assert (picture.width, picture.height) == (203, 145)
    assert max(picture.pixels.shape) == longer_side
    small = image.convert("RGB").resize(picture.pixels.shape[1::-1], Image.Resampling.BOX)
    assert_same(picture.pixels, np.asarray(small), tolerance=24)


def test_a_reduced_jpeg_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = Image.fromarray(scene()).resize((224, 160))
    file = encoded(np.ascontiguousarray(np.rot90(np.asarray(upright))), "JPEG", exif=exif, quality=95)
    picture = read_image(file, reduce_to=56)
    assert (picture.width, picture.height) == (224, 160)
    assert_same(picture.pixels, scene(), tolerance=24)


@pytest.mark.parametrize("file", [FILES["png"], FILES["cmyk"], FILES["jpeg"] + b"more"])
def test_other_pictures_are_read_in_full(file: bytes) -> None:
    picture = read_image(file, reduce_to=7)
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
    assert (picture.width, picture.height) == (WIDTH, HEIGHT)


# Writing


@pytest.mark.parametrize(
    ("name", "file_format", "tolerance"),
    [
        ("a.png", "PNG", 0),
        ("a.PNG", "PNG", 0),
        ("a.jpg", "JPEG", 24),
        ("a.JPEG", "JPEG", 24),
        ("顔.webp", "WEBP", 24),
    ],
)
def test_a_saved_picture_is_read_back(tmp_path: Path, name: str, file_format: str, tolerance: int) -> None:
    path = tmp_path / name
    path.write_bytes(b"older")
    save_image(path, np.ascontiguousarray(scene()[..., ::-1]))
    with Image.open(path) as image:
        assert image.format == file_format
    assert_same(load_image(path), scene(), tolerance)
    assert list(tmp_path.iterdir()) == [path]


def test_quality_makes_files_larger() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for ending in (".jpg", ".webp"):
        assert len(encode_image(noise, ending, 95)) > 1.5 * len(encode_image(noise, ending, 30))


@pytest.mark.parametrize("name", ["a.gif", "a", "a.tiff", ".png"])
def test_unknown_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"use \.png, \.jpg, \.jpeg, \.webp"):
        save_image(tmp_path / name, scene())
    assert not list(tmp_path.iterdir())


def test_pictures_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing does not exist"):
        save_image(tmp_path / "missing" / "a.png", scene())
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(LafdError, match=r"folder\.png"):
        save_image(tmp_path / "folder.png", scene())
    for quality in (0, 101):
        with pytest.raises(UsageError, match="quality"):
            save_image(tmp_path / "a.jpg", scene(), quality)
    with pytest.raises(ImageError, match="20000 x 1 pixels"):
        save_image(tmp_path / "a.webp", np.zeros((1, 20000, 3), np.uint8))
    with pytest.raises(UsageError, match="uint8"):
        save_image(tmp_path / "a.png", scene() / 255)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"older")
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(ImageError, match=r"cannot write .*a\.png: Permission denied"):
            save_image(tmp_path / "a.png", scene())
        assert (tmp_path / "a.png").read_bytes() == b"older"
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_saved_picture_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    save_image(tmp_path / "a.png", scene())
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode
