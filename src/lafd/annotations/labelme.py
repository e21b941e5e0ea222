"""LabelMe: one JSON file per picture. The flag `ignore` of a shape marks ignore regions."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from lafd.annotations.dataset import (
    FACE,
    AnnotatedImage,
    Annotation,
    Dataset,
    is_file,
    relative_name,
    without,
)
from lafd.annotations.reading import (
    Problems,
    Sizes,
    bounds,
    box_of,
    describe,
    load_json,
    number,
    picture_name,
    score_of,
    special,
)
from lafd.annotations.writing import Losses, attributes_of, safe_names, shortest, write_json
from lafd.errors import LafdError

_FILE_KEYS = (
    "version",
    "flags",
    "shapes",
    "imagePath",
    "imageData",
    "imageHeight",
    "imageWidth",
    "attributes",
)
_SHAPE_KEYS = ("label", "points", "shape_type", "flags", "score", "attributes", "mask")


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads a folder of LabelMe files, with its subfolders, or one file.

    Names of pictures start from `pictures`, by default the folder; the files say where each picture lies.

    Raises:
        LafdError: There is no LabelMe file, or the only one cannot be read.
    """
    folder = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(folder.rglob("*.json"))
    if not files:
        raise LafdError(f"{path}: there is no JSON file in it.")
    problems = Problems(path)
    sizes = Sizes(pictures or folder, problems)
    images = []
    for file in files:
        try:
            content = load_json(file)
            if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
                raise LafdError(f"{file}: not a LabelMe file: it needs a list of shapes.")
        except LafdError as error:
            if len(files) == 1:
                raise
            problems.listed.append(str(error))
            continue
        image = image_of(content, file, folder, sizes)
        if image:
            images.append(image)
    categories = dict.fromkeys(a.category for image in images for a in image.annotations)
    return Dataset(tuple(images), tuple(categories) or (FACE,), sizes.root, problems.all())


def image_of(content: dict[str, Any], file: Path, folder: Path, sizes: Sizes) -> AnnotatedImage | None:
    """One file; None if the size of its picture is unknown."""
    own = content.get("imagePath")
    own = own if isinstance(own, str) and own else f"{file.stem}.jpg"
    start = sizes.root / file.parent.relative_to(folder)  # the files may lie apart from the pictures
    name = picture_name(own, file.parent if is_file(file.parent / own) else start, sizes.root)
    size = sizes.find(name, content.get("imageWidth"), content.get("imageHeight"))
    if size is None:
        return None
    shapes = (annotation_of(shape, name, sizes.problems) for shape in content["shapes"])
    return AnnotatedImage(name, *size, tuple(shape for shape in shapes if shape), bag(content, _FILE_KEYS))


def bag(entry: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Everything of a file or shape that is not of the format itself: its flags, our `attributes`, other keys."""
    nested = [entry[key] for key in ("flags", "attributes") if isinstance(entry.get(key), dict)]
    kept = {key: value for key, value in without(entry, keys).items() if value not in (None, "")}
    for values in nested:
        kept.update(values)
    return kept


def annotation_of(shape: Any, picture: str, problems: Problems) -> Annotation | None:
    """One shape; None if it has no extent."""
    if not isinstance(shape, dict):
        problems.add(f"a shape of {picture} is left out: {describe(shape)} is not an object.")
        return None
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    sides = bounds(points)
    if kind == "circle" and sides and isinstance(points, list) and len(points) == 2:
        x, y = points[0]
        radius = math.hypot(sides[2] - sides[0], sides[3] - sides[1])
        sides = [number(x) - radius, number(y) - radius, number(x) + radius, number(y) + radius]
    if kind not in ("rectangle", "polygon", "circle", "mask", "oriented_rectangle"):
        problems.add(f"a shape of {picture} is left out: a {kind} has no extent.")
        return None
    box = box_of(sides, picture, problems)
    label = shape.get("label")
    if box is None:
        return None
    if not isinstance(label, str) or not label:
        problems.add(f"a shape of {picture} is left out: it has no label.")
        return None
    if kind != "rectangle":
        problems.add(f"a {kind} of {picture} is taken as the box around it.")
    ignore, tilt, attributes = special(bag(shape, _SHAPE_KEYS))
    return Annotation(box, label, ignore, score_of(shape.get("score"), picture, problems), tilt, attributes)


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes one file per picture into a folder, where LabelMe finds the pictures, and returns what is not carried.

    Flags hold what is true or false. Scores, tilts and other attributes are further keys, which LabelMe keeps.

    Raises:
        LafdError: A file cannot be written, or two pictures would share one.
    """
    for image, name in zip(dataset.images, safe_names(dataset), strict=True):
        file = (path / name).with_suffix(".json")
        source = dataset.path(image)
        flags, others = flags_of(dict(image.attributes))
        content = {
            "version": "5.5.0",
            "flags": flags,
            "shapes": [shape_of(annotation) for annotation in image.annotations],
            "imagePath": relative_name(os.path.realpath(source), os.path.realpath(file.parent))
            if is_file(source)
            else Path(name).name,
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
            **({"attributes": others} if others else {}),
        }
        write_json(file, content, indent=2)
    losses = Losses("labelme")
    losses.unused_categories(dataset)
    return losses.all()


def flags_of(attributes: dict[str, Any]) -> tuple[dict[str, bool], dict[str, Any]]:
    """Splits attributes into flags and others."""
    flags = {name: value for name, value in attributes.items() if isinstance(value, bool)}
    return flags, without(attributes, flags)


def shape_of(annotation: Annotation) -> dict[str, Any]:
    """A shape."""
    x1, y1, x2, y2 = map(shortest, annotation.box)
    flags, others = flags_of(attributes_of(annotation))
    group = others.pop("group_id") if isinstance(others.get("group_id"), int) else None
    text = others.get("description")
    text = others.pop("description") if isinstance(text, str) and text else ""
    return {
        "label": annotation.category,
        "points": [[x1, y1], [x2, y2]],
        "group_id": group,
        "description": text,
        "shape_type": "rectangle",
        "flags": {**flags, **({"ignore": True} if annotation.ignore else {})},
        "mask": None,
        **({"score": shortest(annotation.score)} if annotation.score is not None else {}),
        **({"attributes": others} if others else {}),
    }
