"""Reading and writing pictures: every test makes its own files."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lafd.errors import ImageError, UsageError
from lafd.images import encode_image, load_frames, load_image, read_image, save_image, to_bgr

HEIGHT, WIDTH = 40, 56


def scene() -> np.ndarray:
    """RGB (40, 56, 3): smooth, and different under every turn and mirror."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 4, y * 6, 255 - (x + y) * 2], 2).astype(np.uint8)


def blocks(seed: int, side: int = 8) -> np.ndarray:
    """RGB (40, 56, 3) of flat blocks in few colours, so that GIF stores it exactly."""
    colours = np.random.default_rng(seed).integers(0, 256, (HEIGHT // side, WIDTH // side, 3))
    return np.kron(colours, np.ones((side, side, 1))).astype(np.uint8)


def encoded(pixels: np.ndarray | Image.Image, file_format: str, **options: Any) -> bytes:
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def assert_same(bgr: np.ndarray, rgb: np.ndarray, tolerance: int = 0) -> None:
    assert bgr.dtype == np.uint8
    assert bgr.flags.c_contiguous
    assert bgr.shape == rgb.shape
    assert np.abs(bgr[..., ::-1].astype(int) - rgb).max() <= tolerance


def png_without_pixels(width: int, height: int) -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


# Formats and modes


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


def animation(file_format: str, **options: Any) -> tuple[bytes, list[np.ndarray]]:
    """Three frames of which the later ones change a part alone, as encoders store them."""
    frames = [blocks(1) for _ in range(3)]
    frames[1][8:16, 8:24] = 200, 30, 30
    frames[2][24:32, 40:] = 30, 30, 200
    first, *others = [Image.fromarray(frame) for frame in frames]
    if file_format == "WEBP":
        options["lossless"] = True
    return encoded(first, file_format, save_all=True, append_images=others, duration=50, **options), frames


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


# Sources


@pytest.mark.parametrize("name", ["顔 ñ é.png", "UPPER.PNG", "wrong.jpg", "no_ending", "[brackets]*.png"])
def test_the_content_decides_and_any_name_works(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(scene(), "PNG"))
    assert_same(load_image(path), scene())
    assert_same(load_image(str(path)), scene())


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_every_kind_of_source_gives_the_same(tmp_path: Path, file_format: str) -> None:
    file = encoded(scene(), file_format)
    expected = load_image(file)
    path = tmp_path / "picture"
    path.write_bytes(file)
    stream = io.BytesIO(file)
    stream.seek(5)
    assert (load_image(stream) == expected).all()
    with path.open("rb") as opened:
        assert (load_image(opened) == expected).all()
        assert not opened.closed
    with Image.open(path) as image:
        assert (load_image(image) == expected).all()
    assert (load_image(expected) == expected).all()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb") as sink:
        sink.write(file)
        sink.close()
        assert (load_image(pipe) == expected).all()


def test_a_pillow_image_is_left_as_it_was() -> None:
    image = Image.fromarray(np.dstack([scene(), scene()[..., 0]]))
    before = image.copy()
    load_image(image)
    assert image == before


def test_a_stream_without_seekable() -> None:
    class Upload:
        """As tempfile.SpooledTemporaryFile is before Python 3.11."""

        def __init__(self, file: bytes) -> None:
            stream = io.BytesIO(file)
            self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell

    assert_same(load_image(Upload(encoded(scene(), "PNG"))), scene())  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 3, io.StringIO("text"), [1, 2]])
def test_other_things_are_refused(source: Any) -> None:
    with pytest.raises(UsageError, match="give a path, bytes"):
        load_image(source)


def test_arguments_are_checked() -> None:
    for background in [(1, 2), (1, 2, 256), (-1, 0, 0)]:
        with pytest.raises(UsageError, match="background"):
            load_image(encoded(scene(), "PNG"), background=background)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="reduce_to"):
        read_image(encoded(scene(), "PNG"), reduce_to=0)


# Files that cannot be read


def test_errors_name_the_file_and_the_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "short.jpg").write_bytes(encoded(scene(), "JPEG")[:-20])
    (tmp_path / "folder.png").mkdir()
    reasons = {
        "missing.png": "No such file",
        "empty.png": "the file is empty",
        "page.jpg": "not a picture of a known format",
        "short.jpg": "truncated",
        "folder.png": "",
    }
    for name, reason in reasons.items():
        with pytest.raises(ImageError, match=f"{name}.*{reason}"):
            load_image(tmp_path / name)
        with pytest.raises(ImageError, match=f"{name}.*{reason}"):
            list(load_frames(tmp_path / name))
    with pytest.raises(ImageError):
        load_image("a\0b")


def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(scene(), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ImageError, match=r"secret\.png.*Permission denied"):
        load_image(path)


def test_postscript_is_refused() -> None:
    with pytest.raises(ImageError, match="PostScript"):
        load_image(encoded(scene(), "EPS"))


FILES = {
    "jpeg": encoded(scene(), "JPEG"),
    "progressive": encoded(scene(), "JPEG", progressive=True),
    "cmyk": encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG"),
    "png": encoded(scene(), "PNG"),
    "apng": animation("PNG")[0],
    "webp": encoded(scene(), "WEBP"),
    "lossless webp": encoded(scene(), "WEBP", lossless=True),
    "animated webp": animation("WEBP")[0],
    "gif": encoded(blocks(0), "GIF"),
    "animated gif": animation("GIF")[0],
    "tiff": encoded(scene(), "TIFF"),
    "avif": encoded(scene(), "AVIF"),
}
PICTURES = {name: load_image(file) for name, file in FILES.items()}


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_truncated_file_is_right_or_an_error(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    cut = data.draw(st.integers(0, len(FILES[name]) - 1))
    try:
        picture = load_image(FILES[name][:cut])
    except ImageError:
        return
    assert picture.shape == PICTURES[name].shape
    assert (picture == PICTURES[name]).all()


@pytest.mark.parametrize("name", ["jpeg", "progressive", "cmyk"])
@pytest.mark.parametrize("missing", [1, 2, 3, 50])
def test_a_truncated_jpeg_says_so(name: str, missing: int) -> None:
    with pytest.raises(ImageError, match="truncated"):
        load_image(FILES[name][:-missing])
    with pytest.raises(ImageError, match="truncated"):
        load_image(FILES[name][: len(FILES[name]) // 2] + b"\0" * 20)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_never_raises_anything_but_image_errors(data: st.DataObject) -> None:
    damaged = bytearray(
        FILES[data.draw(st.sampled_from(["png", "webp", "animated gif", "tiff", "avif", "cmyk"]))]
    )
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = load_image(bytes(damaged), max_pixels=10**6)
    except ImageError:
        return
    assert picture.dtype == np.uint8
    assert picture.ndim == 3


# Limits and side effects


def test_too_many_pixels_are_refused_from_the_header() -> None:
    with pytest.raises(ImageError, match=r"50000 x 40000 pixels are over the limit of 200000000"):
        load_image(png_without_pixels(50000, 40000))
    file = encoded(scene(), "PNG")
    assert_same(load_image(file, max_pixels=HEIGHT * WIDTH), scene())
    with pytest.raises(ImageError, match="over the limit of 2239"):
        load_image(file, max_pixels=HEIGHT * WIDTH - 1)
    with pytest.raises(ImageError, match="over the limit of 2239"):
        load_image(Image.fromarray(scene()), max_pixels=HEIGHT * WIDTH - 1)


def test_every_page_is_checked() -> None:
    large = Image.fromarray(np.zeros((100, 100, 3), np.uint8))
    file = encoded(scene(), "TIFF", save_all=True, append_images=[large])
    frames = load_frames(file, max_pixels=HEIGHT * WIDTH)
    assert_same(next(frames), scene())
    with pytest.raises(ImageError, match="100 x 100"):
        next(frames)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "AVIF"])
def test_the_limit_of_pillow_is_not_ours(monkeypatch: pytest.MonkeyPatch, file_format: str) -> None:
    file = encoded(scene(), file_format)
    for limit in (100, HEIGHT * WIDTH - 1):  # Pillow raises for the one and warns for the other
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_same(load_image(file), scene(), tolerance=40)
        assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("name", ["tiff", "webp"])
def test_the_limit_of_pillow_is_named_where_it_holds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    try:
        picture = load_image(FILES[name])  # older versions of Pillow do not look that closely
    except ImageError as error:
        assert "PIL.Image.MAX_IMAGE_PIXELS" in str(error)
    else:
        assert (picture == PICTURES[name]).all()


def test_warnings_of_pillow_stay_inside() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a text of more than four bytes"
    cut_exif = exif.tobytes()[:-20]
    file = encoded(scene(), "JPEG", exif=cut_exif)
    with pytest.warns(UserWarning):
        Image.open(io.BytesIO(file)).getexif().get(0x0112)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        load_image(file)
        list(load_frames(file))
        assert list(warnings.filters) == before


def test_many_threads_at_once(tmp_path: Path) -> None:
    filters = list(warnings.filters)
    for name, file in FILES.items():
        (tmp_path / name).write_bytes(file)

    def differs(number: int) -> bool:
        name = sorted(FILES)[number % len(FILES)]
        return bool((load_image(tmp_path / name) != PICTURES[name]).any())

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(differs, range(25 * len(FILES))))
    assert list(warnings.filters) == filters


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


# Arrays


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
    with pytest.raises(ImageError, match=r"folder\.png"):
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
