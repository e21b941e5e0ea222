"""Pictures with boxes on one HTML page, for the eyes of whoever has the pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lafd import images
from lafd.crop import resized
from lafd.errors import LafdError
from lafd.files import make_folder, replacing

SIDE = 280  # px of a view
AROUND = 4.0  # sides of the box that a view shows
FACE, REGION, FOUND, WRONG = "#16a34a", "#9ca3af", "#2563eb", "#dc2626"

HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #111; background: #fff }}
section {{ display: flex; flex-wrap: wrap; gap: 12px }}
figure {{ margin: 0; width: 280px }} figcaption {{ overflow-wrap: anywhere; font-size: 12px }}
svg {{ display: block; background: #eee }}
b {{ font-weight: 600 }}
</style>
"""
LEGEND = (
    f'<p>Boxes: <b style="color:{WRONG}">the error</b>, <b style="color:{FACE}">labelled faces</b>, '
    f'<b style="color:{REGION}">ignore regions</b>, <b style="color:{FOUND}">detections</b>. '
    "This page shows the pictures that were judged: do not share or commit it.</p>\n"
)


Coloured = tuple[NDArray[np.float32], str]


@dataclass(frozen=True)
class Exhibit:
    """One picture on the page.

    Attributes:
        path: The picture's file.
        caption: What is said of it.
        boxes: Boxes, float32 (n, 4) in pixels of the upright picture, with the colour they are drawn in.
        error: The box, float32 (4,), that the picture is shown around; None shows all of it.
    """

    path: Path
    caption: str
    boxes: Sequence[Coloured] = ()
    error: NDArray[np.float32] | None = None


def labels(boxes: NDArray[np.float32], ignore: NDArray[np.bool_]) -> tuple[Coloured, Coloured]:
    """Labelled boxes (n, 4), with the ignore regions (n,) among them, in their colours."""
    return (boxes[~ignore], FACE), (boxes[ignore], REGION)


def write_page(folder: Path, title: str, sections: Iterable[tuple[str, Iterable[Exhibit]]]) -> Path:
    """Writes `index.html` into a folder, which Git is told to ignore.

    Args:
        folder: Made if it is not there.
        title: Of the page.
        sections: Headings, and the pictures below each.

    Raises:
        LafdError: It cannot be written.
    """
    make_folder(folder)
    with replacing(folder / ".gitignore") as temporary:
        temporary.write_text("*\n", encoding="utf-8")
    page = folder / "index.html"
    with replacing(page) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(HEAD.format(title=html.escape(title)) + LEGEND)
        for heading, exhibits in sections:
            stream.write(f"<h2>{html.escape(heading)}</h2>\n<section>\n")
            stream.writelines(map(figure, exhibits))
            stream.write("</section>\n")
        stream.write("</html>\n")
    return page


def figure(exhibit: Exhibit) -> str:
    """One picture, around the error if there is one, with all boxes."""
    try:
        pixels = images.load_image(exhibit.path)
    except LafdError as problem:
        return f"<figure><figcaption>{html.escape(str(problem))}</figcaption></figure>\n"
    height, width = pixels.shape[:2]
    left, top, side = window(exhibit.error, (width, height))
    shapes = [rectangle(box, colour, 2) for boxes, colour in exhibit.boxes for box in boxes]
    if exhibit.error is not None:
        shapes.append(rectangle(exhibit.error, WRONG, 3))
    view, corner = view_of(pixels, left, top, side)
    place = f'x="{corner[0]}" y="{corner[1]}" width="{corner[2]}" height="{corner[3]}"'
    return (
        f'<figure><svg width="{SIDE}" height="{SIDE}" viewBox="{left:.1f} {top:.1f} {side:.1f} {side:.1f}">'
        f'<image {place} preserveAspectRatio="none" href="data:image/jpeg;base64,{view}"/>'
        f"{''.join(shapes)}</svg><figcaption>{html.escape(exhibit.caption)}</figcaption></figure>\n"
    )


def window(box: NDArray[np.float32] | None, size: tuple[int, int]) -> tuple[float, float, float]:
    """Left, top and side of the square that is shown; inside the picture where it fits, all of it without a box."""
    if box is None:
        box = np.array([0, 0, *size], np.float32)
    side = float(min(max(AROUND * (box[2:] - box[:2]).max(), 96), max(size)))
    corners = []
    for low, high, limit in zip(box[:2].tolist(), box[2:].tolist(), size, strict=True):
        start = (low + high - side) / 2
        corners.append(max(0.0, min(start, limit - side)) if side <= limit else (limit - side) / 2)
    return corners[0], corners[1], side


def view_of(
    pixels: NDArray[np.uint8], left: float, top: float, side: float
) -> tuple[str, tuple[int, int, int, int]]:
    """The part of a picture in a window as JPEG in base64, and its x, y, width, height in the picture."""
    height, width = pixels.shape[:2]
    x1, y1 = max(0, int(left)), max(0, int(top))
    x2, y2 = min(width, int(left + side) + 1), min(height, int(top + side) + 1)
    part = pixels[y1:y2, x1:x2]
    scale = 2 * SIDE / side
    if scale < 1:
        part = resized(part, (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))))
    return base64.b64encode(images.encode_image(part, ".jpg", 85)).decode(), (x1, y1, x2 - x1, y2 - y1)


def rectangle(box: NDArray[np.float32], colour: str, width: int) -> str:
    """A box as SVG, its line as thick on the screen at any scale."""
    x1, y1, x2, y2 = box.tolist()
    return (
        f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="{width}" vector-effect="non-scaling-stroke"/>'
    )
