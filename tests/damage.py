"""Damaged pictures: small drawn ones in every format that is read, changed at random but always in the same way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from lafd.drawing import draw_scene
from pictures import encoded

WIDTH, HEIGHT = 96, 72
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@lru_cache(maxsize=1)
def intact() -> dict[str, bytes]:
    """A picture of 96 x 72 px in every format and in several of its kinds, by a name that begins with the format."""
    rgb = Image.fromarray(draw_scene(WIDTH, HEIGHT, 1, faces=[(48, 40, 40)], style="cel").image[..., ::-1])
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(rgb.size))
    palette, grey, one_bit = rgb.quantize(32), rgb.convert("L"), rgb.convert("1")
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "somebody"
    marked = {"exif": exif.tobytes(), "icc_profile": bytes(range(256)) * 4}
    moving = {
        "save_all": True,
        "append_images": [rgb.transpose(Image.Transpose.ROTATE_180), rgb],
        "duration": 40,
    }
    pages = {"save_all": True, "append_images": [grey.resize((40, 30))]}
    return {
        "jpeg baseline": saved(rgb, "JPEG", **marked),
        "jpeg progressive": saved(rgb, "JPEG", progressive=True),
        "jpeg grey restarts": saved(grey, "JPEG", restart_marker_blocks=3),
        "jpeg cmyk": saved(rgb.convert("CMYK"), "JPEG"),
        "mpo": saved(rgb, "MPO", **pages),
        "png rgb": saved(rgb, "PNG", **marked),
        "png rgba": saved(rgba, "PNG"),
        "png palette": saved(palette, "PNG", transparency=3),
        "png 16 bit": saved(deep, "PNG"),
        "apng": saved(rgb, "PNG", **moving),
        "gif": saved(palette, "GIF", transparency=2, comment=b"drawn" * 60),
        "gif animated": saved(palette, "GIF", **moving),
        "webp lossy": saved(rgba, "WEBP", **marked),
        "webp lossless": saved(rgb, "WEBP", lossless=True),
        "webp animated": saved(rgb, "WEBP", **moving),
        "avif": saved(rgba, "AVIF", speed=9, exif=marked["exif"]),
        "avif animated": saved(rgb, "AVIF", speed=9, **moving),
        "bmp": saved(rgb, "BMP"),
        "bmp palette": saved(palette, "BMP"),
        "bmp runs": bmp_of_runs(palette),
        "dib": saved(rgb, "DIB"),
        "tiff": saved(rgb, "TIFF", **pages),
        "tiff 16 bit": saved(deep, "TIFF"),
        **{
            f"tiff {kind}": saved(one_bit if kind == "group4" else rgb, "TIFF", compression=kind)
            for kind in ("packbits", "tiff_lzw", "tiff_deflate", "jpeg", "group4")
        },
        "ppm": saved(rgb, "PPM"),
        "pgm": saved(grey, "PPM"),
        "pbm": saved(one_bit, "PPM"),
        "ppm in words": b"P3 %d %d 255\n" % rgb.size + b" ".join(b"%d" % value for value in rgb.tobytes()),
        "tga": saved(rgba, "TGA"),
        "tga runs": saved(palette, "TGA", compression="tga_rle"),
        "pcx": saved(rgb, "PCX"),
        "qoi": saved(rgba, "QOI"),
        "jp2": saved(rgb, "JPEG2000"),
        "j2k tiles": saved(rgba, "JPEG2000", no_jp2=True, tile_size=(32, 32), irreversible=True),
        "psd": psd(rgb),
    }


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    """The picture as a file; of copies, because Pillow leaves what one format needs for the next."""
    if "append_images" in options:
        options["append_images"] = [other.copy() for other in options["append_images"]]
    return encoded(image.copy(), file_format, **options)


def bmp_of_runs(image: Image.Image) -> bytes:
    """A BMP with run-length encoding, from a picture with a palette."""
    rows = np.asarray(image)[::-1]
    data = b"".join(b"".join(bytes((1, value)) for value in row) + b"\0\0" for row in rows.tolist()) + b"\0\1"
    colours = np.zeros((256, 4), np.uint8)
    entries = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
    colours[: len(entries), :3] = entries[:, ::-1]
    offset = 14 + 40 + 1024
    head = struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset)
    return (
        head
        + struct.pack("<IiiHHIIiiII", 40, *image.size, 1, 8, 1, len(data), 0, 0, 256, 0)
        + colours.tobytes()
        + data
    )


def psd(image: Image.Image) -> bytes:
    """A Photoshop file without layers, each row of each channel packed."""
    width, height = image.size
    planes = np.asarray(image).transpose(2, 0, 1).reshape(-1, width)
    rows = [bytes((width - 1,)) + row.tobytes() for row in planes]
    counts = b"".join(struct.pack(">H", len(row)) for row in rows)
    resources = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, 12) + b"\x1c\x02\x05\0\x04name\0\0\0"
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    parts = struct.pack(">I", 0) + struct.pack(">I", len(resources)) + resources + struct.pack(">I", 0)
    return head + parts + struct.pack(">H", 1) + counts + b"".join(rows)


def damaged(number: int, seed: int = 0) -> tuple[str, bytes]:
    """The damaged picture of a number: what was done to which, and the file."""
    files = intact()
    kind = list(files)[number % len(files)]
    random = np.random.default_rng((seed, number))
    how = list(DAMAGES)[int(random.integers(len(DAMAGES)))]
    data = DAMAGES[how](bytearray(files[kind]), random)
    if kind.startswith(("png", "apng")) and random.random() < 0.7:  # else the checksums would stop nearly all
        data = with_png_checksums(data)
    return f"{kind}, {how}", bytes(data)


def place(size: int, random: np.random.Generator) -> int:
    """A place in a file of so many bytes, half of the time near its start, where the numbers are."""
    return int(random.integers(max(1, min(size, 128) if random.random() < 0.5 else size)))


def span(size: int, random: np.random.Generator) -> slice:
    """A part of a file."""
    start = place(size, random)
    return slice(start, start + int(2 ** random.uniform(0, 9)))


def cut_off(data: bytearray, random: np.random.Generator) -> bytearray:
    """Ends early."""
    return data[: int(random.integers(len(data)))]


def flip_bits(data: bytearray, random: np.random.Generator) -> bytearray:
    """Up to eight bits are wrong."""
    for _ in range(int(random.integers(1, 9))):
        data[place(len(data), random)] ^= 1 << int(random.integers(8))
    return data


def wrong_bytes(data: bytearray, random: np.random.Generator) -> bytearray:
    """A part is noise."""
    where = span(len(data), random)
    data[where] = random.bytes(len(data[where]))
    return data


def wrong_number(data: bytearray, random: np.random.Generator) -> bytearray:
    """A length, count or dimension is an extreme one."""
    size, order = int(random.choice([1, 2, 3, 4, 8])), "big" if random.random() < 0.5 else "little"
    value = int(random.choice(NUMBERS)) % 256**size
    start = place(len(data), random)
    data[start : start + size] = value.to_bytes(size, "big" if order == "big" else "little")
    return data


def off_by_a_little(data: bytearray, random: np.random.Generator) -> bytearray:
    """A byte is a little more or less."""
    where = place(len(data), random)
    data[where] = (data[where] + int(random.integers(-4, 5))) % 256
    return data


def remove(data: bytearray, random: np.random.Generator) -> bytearray:
    """A part is missing."""
    del data[span(len(data), random)]
    return data


def repeat(data: bytearray, random: np.random.Generator) -> bytearray:
    """A part is there many times."""
    where = span(len(data), random)
    data[where] = data[where] * int(2 ** random.uniform(1, 7))
    return data


def blank(data: bytearray, random: np.random.Generator) -> bytearray:
    """A part is zero."""
    where = span(len(data), random)
    data[where] = bytes(len(data[where]))
    return data


def move(data: bytearray, random: np.random.Generator) -> bytearray:
    """A part stands elsewhere."""
    where = span(len(data), random)
    part = data[where]
    del data[where]
    start = place(len(data) + 1, random)
    data[start:start] = part
    return data


def join(data: bytearray, random: np.random.Generator) -> bytearray:
    """Goes on as another file."""
    others = list(intact().values())
    other = others[int(random.integers(len(others)))]
    return data[: int(random.integers(len(data)))] + other[int(random.integers(len(other))) :]


def wrong_head(data: bytearray, random: np.random.Generator) -> bytearray:
    """Begins as another file."""
    others = list(intact().values())
    size = int(random.integers(2, 33))
    data[:size] = others[int(random.integers(len(others)))][:size]
    return data


Damage = Callable[[bytearray, np.random.Generator], bytearray]
DAMAGES: dict[str, Damage] = {
    "cut off": cut_off,
    "bits flipped": flip_bits,
    "noise": wrong_bytes,
    "wrong number": wrong_number,
    "off by a little": off_by_a_little,
    "part missing": remove,
    "part repeated": repeat,
    "part blank": blank,
    "part moved": move,
    "joined": join,
    "wrong head": wrong_head,
}


def with_png_checksums(data: bytes | bytearray) -> bytearray:
    """The same PNG, as far as it is one, with checksums that fit its content."""
    fixed, at = bytearray(data), 8
    while at + 12 <= len(fixed):
        end = at + 8 + int.from_bytes(fixed[at : at + 4], "big")
        if end + 4 > len(fixed):
            break
        fixed[end : end + 4] = struct.pack(">I", zlib.crc32(fixed[at + 4 : end]))
        at = end + 4
    return fixed
