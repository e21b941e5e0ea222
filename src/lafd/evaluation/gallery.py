"""The worst errors as one HTML page, for the eyes of whoever has the pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd import images
from lafd.errors import LafdError
from lafd.evaluation.average_precision import Judged, match
from lafd.evaluation.errors import SAME, Error, count_causes, find_errors
from lafd.files import replacing
from lafd.training.samples import Sample

PER_CAUSE = 60
SIDE = 280  # px of a view
AROUND = 4.0  # sides of the box that a view shows
FACE, REGION, FOUND, WRONG = "#16a34a", "#9ca3af", "#2563eb", "#dc2626"

HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Worst errors</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #111; background: #fff }
section { display: flex; flex-wrap: wrap; gap: 12px }
figure { margin: 0; width: 280px } figcaption { overflow-wrap: anywhere; font-size: 12px }
svg { display: block; background: #eee }
b { font-weight: 600 }
</style>
"""
LEGEND = (
    f'<p>Boxes: <b style="color:{WRONG}">the error</b>, <b style="color:{FACE}">labelled faces</b>, '
    f'<b style="color:{REGION}">ignore regions</b>, <b style="color:{FOUND}">detections from the default '
    "threshold on</b>. This page shows the pictures that were judged: do not share or commit it.</p>\n"
)


def write_gallery(
    folder: Path,
    samples: Sequence[Sample],
    judged: Sequence[Judged],
    threshold: float,
) -> Path:
    """Writes `index.html` into a folder, which Git is told to ignore.

    Raises:
        LafdError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise LafdError(f"{folder}: cannot be made ({problem.strerror}).") from None
    with replacing(folder / ".gitignore") as temporary:
        temporary.write_text("*\n", encoding="utf-8")
    page = folder / "index.html"
    errors = find_errors(judged, match(judged, SAME), threshold)
    with replacing(page) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(HEAD + LEGEND)
        for cause, count in count_causes(errors).items():
            worst = worst_of([error for error in errors if error.cause == cause], samples)
            shown = f", the worst {len(worst)}" if len(worst) < count else ""
            stream.write(f"<h2>{html.escape(cause.capitalize())}: {count}{shown}</h2>\n<section>\n")
            for error in worst:
                stream.write(figure(error, samples[error.picture], judged[error.picture], threshold))
            stream.write("</section>\n")
        stream.write("</html>\n")
    return page


def worst_of(errors: Sequence[Error], samples: Sequence[Sample]) -> list[Error]:
    """The surest false positives, or the missed faces that are largest in their picture."""

    def badness(error: Error) -> float:
        if error.cause.startswith("false positive"):
            return error.score
        return float((error.box[2:] - error.box[:2]).max() / max(samples[error.picture].size))

    return sorted(errors, key=badness, reverse=True)[:PER_CAUSE]


def figure(error: Error, sample: Sample, judged: Judged, threshold: float) -> str:
    """One error: the picture around it with all boxes."""
    try:
        pixels = images.load_image(sample.path)
    except LafdError as problem:
        return f"<figure><figcaption>{html.escape(str(problem))}</figcaption></figure>\n"
    left, top, side = window(error.box, sample.size)
    shapes = [rectangle(box, FACE, 2) for box in judged.labels[~judged.ignore]]
    shapes += [rectangle(box, REGION, 2) for box in judged.labels[judged.ignore]]
    shapes += [rectangle(box, FOUND, 2) for box in judged.boxes[judged.scores >= threshold]]
    shapes.append(rectangle(error.box, WRONG, 3))
    view, corner = view_of(pixels, left, top, side)
    place = f'x="{corner[0]}" y="{corner[1]}" width="{corner[2]}" height="{corner[3]}"'
    caption = f"{sample.path.parent.name}/{sample.path.name}: {error.score:.2f}; {', '.join(sample.tags)}"
    return (
        f'<figure><svg width="{SIDE}" height="{SIDE}" viewBox="{left:.1f} {top:.1f} {side:.1f} {side:.1f}">'
        f'<image {place} preserveAspectRatio="none" href="data:image/jpeg;base64,{view}"/>'
        f"{''.join(shapes)}</svg><figcaption>{html.escape(caption)}</figcaption></figure>\n"
    )


def window(box: NDArray[np.float32], size: tuple[int, int]) -> tuple[float, float, float]:
    """Left, top and side of the square that is shown; inside the picture where it fits."""
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
        part = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    data = cv2.imencode(".jpg", part, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return base64.b64encode(data).decode(), (x1, y1, x2 - x1, y2 - y1)


def rectangle(box: NDArray[np.float32], colour: str, width: int) -> str:
    """A box as SVG, its line as thick on the screen at any scale."""
    x1, y1, x2, y2 = box.tolist()
    return (
        f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}" fill="none" '
        f'stroke="{colour}" stroke-width="{width}" vector-effect="non-scaling-stroke"/>'
    )
