"""Pictures that are made to do harm: sizes that are lies, little files of many pixels, metadata without end."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from PIL import Image

from damage import HEIGHT, WIDTH, intact, psd, saved, with_png_checksums

SIDES = (0, 1, 14_000, 16_383, 65_500, 65_535, 2**24 - 1, 2**31 - 1, 2**32 - 1)
Make = Callable[[], bytes]


def hostile() -> dict[str, Make]:
    """What makes each of them, by a name."""
    return {**dict(lying_sizes()), **bombs(), **metadata(), **nested()}


# Sizes


def lying_sizes() -> Iterator[tuple[str, Make]]:
    """Every format with its width, its height or both said to be something else."""
    for kind in FIELDS:
        for side in SIDES:
            for name, size in (
                ("width", (side, HEIGHT)),
                ("height", (WIDTH, side)),
                ("width and height", (side, side)),
            ):
                yield f"{kind} whose {name} is said to be {side}", partial(with_size, kind, *size)


FIELDS: dict[str, tuple[str, int, int]] = {  # layout of a side, places of width and height
    "png rgb": (">I", 16, 20),
    "apng": (">I", 16, 20),
    "gif": ("<H", 6, 8),
    "gif animated": ("<H", 6, 8),
    "bmp": ("<I", 18, 22),
    "bmp runs": ("<I", 18, 22),
    "dib": ("<I", 4, 8),
    "tga": ("<H", 12, 14),
    "tga runs": ("<H", 12, 14),
    "pcx": ("<H", 8, 10),
    "qoi": (">I", 4, 8),
    "psd": (">I", 18, 14),
    "jpeg baseline": (">H", -3, -5),  # before what stands in SOF
    "jpeg progressive": (">H", -3, -5),
    "webp lossy": ("<I", 24, 27),
    "jp2": (">I", 52, 48),
    "j2k tiles": (">I", 8, 12),
    "tiff": ("<I", -1, -2),
    "tiff jpeg": ("<I", -1, -2),
    "tiff tiff_lzw": ("<I", -1, -2),
    "avif": (">I", -1, -2),
    "ppm": ("text", 3, 6),
    "ppm in words": ("text", 3, 6),
}


def with_size(kind: str, width: int, height: int) -> bytes:
    """An intact picture whose head is changed."""
    data, (layout, across, down) = bytearray(intact()[kind]), FIELDS[kind]
    if layout == "text":
        return bytes(data).replace(b"%d %d" % (WIDTH, HEIGHT), b"%d %d" % (width, height), 1)
    if kind.startswith("jpeg"):
        frame = re.search(rb"\xff[\xc0\xc2]\0\x11\x08", bytes(data))
        assert frame
        across, down = frame.end() + 2, frame.end()
    elif kind.startswith("tiff"):
        across, down = tiff_entry(data, 256), tiff_entry(data, 257)
    elif kind == "avif":
        at = bytes(data).index(b"ispe")
        across, down = at + 8, at + 12
    for at, side in ((across, width), (down, height)):
        size = struct.calcsize(layout)
        value = struct.pack(layout, side % 256**size)
        data[at : at + size] = value[:3] if kind == "webp lossy" else value
        if kind == "webp lossy":
            data[at + 3 : at + size] = b""
    return bytes(with_png_checksums(data)) if kind in ("png rgb", "apng") else bytes(data)


def tiff_entry(data: bytearray, tag: int) -> int:
    """Where the value of a tag of a little-endian TIFF stands; its type becomes LONG."""
    directory = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, directory)[0]):
        at = directory + 2 + 12 * i
        if struct.unpack_from("<H", data, at)[0] == tag:
            struct.pack_into("<HI", data, at + 2, 4, 1)
            return int(at) + 8
    raise ValueError(tag)


# Little files of many pixels


def bombs() -> dict[str, Make]:
    """Pictures of one colour, just within the limit of pixels or far over it."""
    made: dict[str, Make] = {}
    for side in (4_000, 30_000):
        for file_format in ("PNG", "GIF", "TIFF"):
            if (side, file_format) != (30_000, "TIFF"):  # takes long to make
                made[f"{file_format} of {side} x {side} px in one colour"] = partial(flat, side, file_format)
    for file_format in ("JPEG", "WEBP", "JPEG2000"):
        made[f"{file_format} of 4000 x 4000 px in one colour"] = partial(flat, 4_000, file_format)
    made["progressive JPEG with 2000 scans"] = partial(jpeg_of_scans, 4000, 2000)
    made["progressive JPEG with 100 scans"] = partial(jpeg_of_scans, 4000, 100)
    made["QOI of 4000 x 4000 px in runs"] = partial(qoi_of_runs, 4000)
    made["PNG with 100 MB more than its pixels"] = partial(png_with_rest, 100 * 2**20)
    made["GIF of 5000 frames"] = partial(gif_of_frames, 2000, 5000)
    made["APNG that promises 2147483647 frames"] = apng_of_many_frames
    return made


def flat(side: int, file_format: str) -> bytes:
    """A square of one colour."""
    if file_format == "PNG":
        return png_of_rows(side, side)
    if file_format == "GIF":
        return gif_of_frames(side, 1)
    image = Image.new("L", (side, side), 200)
    options: dict[str, dict[str, Any]] = {
        "TIFF": {"compression": "tiff_deflate"},
        "WEBP": {"lossless": True, "method": 0, "quality": 0},
        "JPEG": {"quality": 10},
    }
    return saved(image, file_format, **options.get(file_format, {}))


def png_of_rows(width: int, height: int, more: int = 0) -> bytes:
    """A PNG in RGB of one colour, made without ever holding its pixels; `more` bytes come after them."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height))
    data += b"".join(packer.compress(bytes(2**20)) for _ in range(more // 2**20)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    )


def png_with_rest(more: int) -> bytes:
    """A small PNG whose packed data goes on."""
    return png_of_rows(WIDTH, HEIGHT, more)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif_of_frames(side: int, count: int) -> bytes:
    """A GIF with a large canvas, whose first frame fills it and whose others are of one pixel."""
    full = io.BytesIO()
    Image.new("P", (side, side)).save(full, "GIF")
    small = b"\x21\xf9\x04\x04\x01\0\0\0" + b"\x2c\0\0\0\0\x01\0\x01\0\0" + b"\x02\x02\x44\x01\0"
    return full.getvalue()[:-1] + small * (count - 1) + b";"


def jpeg_of_scans(side: int, count: int) -> bytes:
    """A progressive JPEG whose last scan is there many times."""
    data = saved(Image.new("L", (side, side), 90), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def qoi_of_runs(side: int) -> bytes:
    """A QOI of runs."""
    return (
        b"qoif"
        + struct.pack(">IIBB", side, side, 3, 0)
        + b"\xfd" * (side * side // 62 + 1)
        + bytes(7)
        + b"\1"
    )


def apng_of_many_frames() -> bytes:
    """An APNG whose counter of frames is wrong."""
    data = bytearray(intact()["apng"])
    at = data.index(b"acTL") + 4
    data[at : at + 4] = b"\x7f\xff\xff\xff"
    return bytes(with_png_checksums(data))


# Metadata


def metadata() -> dict[str, Make]:
    """Metadata that is endless, repeated, packed or refers to itself."""
    return {
        "TIFF whose next page is the first": tiff_of_circles,
        "TIFF whose EXIF is itself": partial(tiff_that_refers, 0x8769),
        "TIFF whose GPS is itself": partial(tiff_that_refers, 0x8825),
        "TIFF of 20000 pages": tiff_of_pages,
        "JPEG whose EXIF is itself": exif_of_circles,
        "JPEG of 50000 comments": partial(jpeg_of_segments, 0xFE, 50_000),
        "JPEG of 20000 colour profiles": partial(jpeg_of_segments, 0xE2, 20_000),
        "PNG of 100000 texts": partial(png_of_chunks, b"tEXt", b"a\0b", 100_000),
        "PNG of 5000 packed texts": partial(png_of_packed, b"zTXt", 2**19, 5000),
        "PNG of a packed text of 200 MB": partial(png_of_packed, b"zTXt", 200 * 2**20, 1),
        "PNG of a packed colour profile of 200 MB": partial(png_of_packed, b"iCCP", 200 * 2**20, 1),
        "GIF of 100000 comments": gif_of_comments,
        "AVIF of boxes in boxes": boxes_in_boxes,
        "JP2 whose boxes have no length": jp2_of_empty_boxes,
        "PSD of 2147483647 resources": partial(psd_with, b"\x7f\xff\xff\xff"),
        "PPM of an endless comment": lambda: b"P6 #" + b"a" * 2_000_000,
        "PPM of a long number": lambda: b"P3 1 1 " + b"9" * 2_000_000,
        "GIF whose packed data is empty blocks": lambda: (
            b"GIF89a\xff\xff\xff\xff\0\0\0\x2c\0\0\0\0\xff\x0f\xff\x0f\0\x08" + b"\x01\0" * 500_000
        ),
    }


def png_of_packed(kind: bytes, size: int, count: int) -> bytes:
    """A PNG with chunks that are small and unpack to so many zeros."""
    packer, step = zlib.compressobj(9), 2**19
    packed = b"".join(packer.compress(bytes(step)) for _ in range(size // step)) + packer.flush()
    return png_of_chunks(kind, b"a\0\0" + packed, count)


def tiff_of_circles() -> bytes:
    """A TIFF of two pages, of which the second is followed by the first."""
    data = bytearray(intact()["tiff"])
    first = second = struct.unpack_from("<I", data, 4)[0]
    while following := next_page(data, second):
        second = following
    struct.pack_into("<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], first)
    return bytes(data)


def next_page(data: bytearray, directory: int) -> int:
    """The directory after one, 0 at the end."""
    return int(
        struct.unpack_from("<I", data, directory + 2 + 12 * struct.unpack_from("<H", data, directory)[0])[0]
    )


def tiff_that_refers(tag: int) -> bytes:
    """A TIFF with a tag that leads to the directory that it is in."""
    entries = [
        (256, 4, 1),
        (257, 4, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 0),
        (279, 4, 1),
        (tag, 4, 8),
    ]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)


def tiff_of_pages() -> bytes:
    """A TIFF of very many pages of one pixel."""
    parts, at = [b"II*\0\x08\0\0\0"], 8
    entries = [(256, 4, 1), (257, 4, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 0), (279, 4, 1)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    for page in range(20_000):
        at += len(body) + 4
        parts.append(body + struct.pack("<I", at if page < 19_999 else 0))
    return b"".join(parts)


def exif_of_circles() -> bytes:
    """A JPEG whose EXIF directories lead to themselves and to each other."""
    entries = [(0x0112, 3, 6), (0x8769, 4, 8), (0x8825, 4, 8), (0xA005, 4, 8)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + body + struct.pack("<I", 8)
    return jpeg_with(b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)


def jpeg_of_segments(marker: int, count: int) -> bytes:
    """A JPEG with very many equal segments."""
    content = b"ICC_PROFILE\0\x01\xff" + bytes(40) if marker == 0xE2 else b"comment"
    return jpeg_with((bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content) * count)


def jpeg_with(segments: bytes) -> bytes:
    """A JPEG with more segments."""
    data = intact()["jpeg progressive"]
    return data[:2] + segments + data[2:]


def png_of_chunks(kind: bytes, content: bytes, count: int) -> bytes:
    """A PNG with very many equal chunks."""
    data = intact()["png rgba"]
    return data[:33] + png_chunk(kind, content) * count + data[33:]


def gif_of_comments() -> bytes:
    """A GIF with very many comments."""
    data = intact()["gif"]
    start = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    return data[:start] + b"\x21\xfe\x01a\0" * 100_000 + data[start:]


def boxes_in_boxes() -> bytes:
    """An AVIF whose meta box has boxes in boxes."""
    data, inner = intact()["avif"], b""
    for _ in range(5000):
        inner = struct.pack(">I", len(inner) + 8) + b"iprp" + inner
    start = struct.unpack_from(">I", data)[0]
    return data[:start] + struct.pack(">I", len(inner) + 12) + b"meta\0\0\0\0" + inner


def jp2_of_empty_boxes() -> bytes:
    """A JP2 with very many empty boxes."""
    return intact()["jp2"][:12] + b"\0\0\0\x08free" * 200_000


def psd_with(size: bytes) -> bytes:
    """A PSD whose resources are said to be of a size."""
    data = psd(Image.new("RGB", (4, 4)))
    return data[:30] + size + data[34:]


# Pictures in pictures: what they hold is opened by its own content, past the limits for what is outside


def nested() -> dict[str, Make]:
    """Formats that only wrap another file."""
    return {
        "ICO of 16 x 16 px that holds a PNG of 6000 x 6000 px": lambda: ico(png_of_rows(6000, 6000)),
        "IPTC that holds PostScript": lambda: iptc(saved(Image.new("L", (8, 8)), "EPS"), 5),
        "IPTC that holds PostScript, dressed up as WebP": lambda: iptc(
            saved(Image.new("L", (8, 8)), "EPS"), 5, b"\x1c\x01\0\0\x07abc" + b"WEBP"
        ),
        "PostScript": lambda: saved(Image.new("L", (8, 8)), "EPS"),
        "PSD dressed up as WebP": lambda: intact()["psd"][:8] + b"WEBP" + intact()["psd"][12:],
    }


def ico(content: bytes) -> bytes:
    """An ICO that says that its one picture is of 16 x 16 px."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(content), 22) + content


def iptc(content: bytes, compression: int, first: bytes = b"") -> bytes:
    """An IPTC file around another one."""
    side = struct.pack(">I", 8)
    fields = ((60, b"\1\0"), (65, b"\1"), (20, side), (30, side), (120, struct.pack(">I", compression)))
    head = b"".join(b"\x1c\x03" + struct.pack(">BH", kind, len(value)) + value for kind, value in fields)
    blocks = [content[i : i + 30_000] for i in range(0, len(content), 30_000)]
    # a field is at most 132 bytes or has its size in further bytes
    body = b"".join(b"\x1c\x08\x0a\x84\0" + struct.pack(">I", len(block)) + block for block in blocks)
    return first + head + body
