"""Sources, files that cannot be read, limits, and what reading must not do to the rest of the program."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lafd.errors import ImageError, UsageError
from lafd.images import load_frames, load_image, read_image
from pictures import FILES, HEIGHT, WIDTH, assert_same, encoded, scene

PICTURES = {name: load_image(file) for name, file in FILES.items()}


def png_without_pixels(width: int, height: int) -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


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


def test_formats_that_are_programs_or_wrap_other_files_stay_shut() -> None:
    for file_format in ("EPS", "ICO", "ICNS", "IM"):
        with pytest.raises(ImageError, match="known format"):
            load_image(encoded(scene(), file_format))


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
