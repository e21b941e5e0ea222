"""Label Studio: one JSON file of tasks; predictions to import, or the annotations of its export."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Dataset, without
from lafd.annotations.reading import (
    Problems,
    Sizes,
    box_of,
    describe,
    load_json,
    number,
    objects,
    score_of,
    whole,
)
from lafd.annotations.writing import Losses, shortest, write_json
from lafd.errors import LafdError

_LABELS, _IGNORE, _IMAGE = "label", "ignore", "image"  # names of the controls in the labelling interface
_LOCAL = "/data/local-files/?d="
_UPLOAD = re.compile(r"/data/upload/\d+/(?:[0-9a-f]{8}-)?(.+)")
_DATA_KEYS = (_IMAGE, "width", "height")


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path.parent


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads tasks: the first annotation that was not cancelled, or the last prediction where there is none.

    Names of pictures start from `pictures`, by default the file's folder.

    Raises:
        LafdError: The file cannot be read or is not a list of tasks.
    """
    tasks = load_json(path)
    if not isinstance(tasks, list) or not all(
        isinstance(t, dict) and isinstance(t.get("data"), dict) for t in tasks
    ):
        raise LafdError(f"{path}: not a list of Label Studio tasks; export as JSON, not as JSON-MIN.")
    problems = Problems(path)
    sizes = Sizes(pictures or path.parent, problems)
    images = []
    for task in tasks:
        data, results = task["data"], results_of(task)
        key = (
            _IMAGE
            if isinstance(data.get(_IMAGE), str)
            else next((k for k, v in data.items() if is_address(v)), None)
        )
        if key is None:
            problems.add(f"task {task.get('id')} is left out: its data names no picture.")
            continue
        name = name_of(data[key])
        first: dict[str, Any] = next((r for r in results if whole(r.get("original_width"))), {})
        size = sizes.find(
            name,
            data.get("width") or first.get("original_width"),
            data.get("height") or first.get("original_height"),
        )
        if size:
            boxes = annotations_of(results, name, size, problems)
            images.append(AnnotatedImage(name, *size, boxes, without(data, (key, *_DATA_KEYS))))
    categories = dict.fromkeys(a.category for image in images for a in image.annotations)
    return Dataset(tuple(images), tuple(categories) or (FACE,), sizes.root, problems.all())


def results_of(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The regions of a task."""
    done = [a for a in objects(task.get("annotations")) if not a.get("was_cancelled")]
    predicted = objects(task.get("predictions"))
    chosen = done[0] if done else predicted[-1] if predicted else {}
    return objects(chosen.get("result"))


def is_address(value: object) -> bool:
    """Whether a task's data is the address of a picture."""
    return isinstance(value, str) and (value.startswith("/data/") or "://" in value)


def name_of(url: str) -> str:
    """The picture's name in its address: local files, uploads, and the file's name of all others."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address after all
        return url
    query = parse_qs(parts.query, errors="surrogateescape")
    if "d" in query and parts.path.startswith("/data/local-files"):
        return query["d"][0]
    upload = _UPLOAD.fullmatch(unquote(parts.path))
    if upload:
        return upload[1]
    return unquote(parts.path).rpartition("/")[2] if parts.scheme else url


def annotations_of(
    results: list[dict[str, Any]], picture: str, size: tuple[int, int], problems: Problems
) -> tuple[Annotation, ...]:
    """The boxes among the regions; choices of a region that say "ignore" mark it."""
    ignored = {
        str(result.get("id"))
        for result in results
        if result.get("type") == "choices" and "ignore" in listed(value_of(result).get("choices"))
    }
    labelled = {str(result.get("id")) for result in results if result.get("type") == "labels"}
    found = []
    for result in results:
        kind, value = result.get("type"), value_of(result)
        labels = listed(value.get("rectanglelabels")) or listed(value.get("labels"))
        if kind == "choices" or (kind == "rectangle" and str(result.get("id")) in labelled):
            continue
        if kind not in ("rectanglelabels", "rectangle", "labels") or "width" not in value:
            problems.add(f"a region of {picture} is left out: {describe(kind)} is no box.")
            continue
        if result.get("image_rotation"):
            problems.add(f"a box of {picture} is left out: it was drawn on the turned picture.")
            continue
        x, y, width, height = (number(value.get(key)) / 100 for key in ("x", "y", "width", "height"))
        tilt = number(value.get("rotation") or 0)
        sides = [x * size[0], y * size[1], (x + width) * size[0], (y + height) * size[1]]
        box = box_of(turned(sides, tilt), picture, problems)
        if box:
            meta = result.get("meta")
            found.append(
                Annotation(
                    box,
                    str(labels[0]) if labels else FACE,
                    str(result.get("id")) in ignored,
                    score_of(result.get("score"), picture, problems),
                    tilt,
                    meta if isinstance(meta, dict) else {},
                )
            )
    return tuple(found)


def listed(value: object) -> list[Any]:
    """A list as it is; empty for all else."""
    return value if isinstance(value, list) else []


def value_of(result: dict[str, Any]) -> dict[str, Any]:
    """The value of a region."""
    value = result.get("value")
    return value if isinstance(value, dict) else {}


def turned(sides: list[float], degrees: float) -> list[float]:
    """A box that Label Studio turns around its top left corner, as the upright box around the same centre."""
    x1, y1, x2, y2 = sides
    dx, dy = centre_offset(x2 - x1, y2 - y1, degrees)
    return [x1 + dx, y1 + dy, x2 + dx, y2 + dy]


def centre_offset(width: float, height: float, degrees: float) -> tuple[float, float]:
    """How far the centre of a box moves when the box turns clockwise around its top left corner."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (width * cos - height * sin - width) / 2, (width * sin + height * cos - height) / 2


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes tasks for import, and returns what they cannot carry.

    Where any box has a score the boxes are predictions, else annotations. Pictures are named as local files below
    the storage's root; attributes of boxes lie in `meta`, those of pictures in `data`.

    Raises:
        LafdError: The file cannot be written.
    """
    scored = any(a.score is not None for image in dataset.images for a in image.annotations)
    tasks = []
    for image in dataset.images:
        regions = [
            region for i, a in enumerate(image.annotations) for region in regions_of(a, f"box{i}", image)
        ]
        url = _LOCAL + quote(image.name, errors="surrogateescape")
        data = {
            _IMAGE: url,
            "width": image.width,
            "height": image.height,
            **without(image.attributes, _DATA_KEYS),
        }
        drawn = {"model_version": "lafd", "result": regions} if scored else {"result": regions}
        tasks.append({"data": data, "predictions" if scored else "annotations": [drawn]})
    write_json(path, tasks)
    losses = Losses("label-studio")
    losses.unused_categories(dataset)
    return losses.all()


def regions_of(annotation: Annotation, identity: str, image: AnnotatedImage) -> list[dict[str, Any]]:
    """The region of a box, and of its mark as ignored."""
    x1, y1, x2, y2 = annotation.box
    dx, dy = centre_offset(x2 - x1, y2 - y1, annotation.tilt)
    place = {
        "x": (x1 - dx) / image.width * 100,
        "y": (y1 - dy) / image.height * 100,
        "width": (x2 - x1) / image.width * 100,
        "height": (y2 - y1) / image.height * 100,
        "rotation": shortest(annotation.tilt),
    }
    common = {
        "id": identity,
        "to_name": _IMAGE,
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
    }
    labelled: dict[str, Any] = {**place, "rectanglelabels": [annotation.category]}
    region = {**common, "from_name": _LABELS, "type": "rectanglelabels", "value": labelled}
    if annotation.score is not None:
        region["score"] = shortest(annotation.score)
    if annotation.attributes:
        region["meta"] = dict(annotation.attributes)
    mark = {**common, "from_name": _IGNORE, "type": "choices", "value": {**place, "choices": ["ignore"]}}
    return [region, mark] if annotation.ignore else [region]
