"""COCO: one JSON file for all pictures. `iscrowd` marks ignore regions; scores and attributes are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Dataset, without
from lafd.annotations.reading import Problems, Sizes, box_of, describe, load_json, number, score_of, special
from lafd.annotations.writing import attributes_of, difference, shortest, write_json
from lafd.errors import LafdError

_IMAGE_KEYS = ("id", "file_name", "width", "height")
_BOX_KEYS = (
    "id",
    "image_id",
    "category_id",
    "bbox",
    "area",
    "segmentation",
    "iscrowd",
    "score",
    "attributes",
)


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path.parent


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads a COCO file; names of pictures start from `pictures`, by default the file's folder.

    Raises:
        LafdError: The file cannot be read or is not COCO.
    """
    content = load_json(path)
    if isinstance(content, list):
        raise LafdError(
            f"{path}: a list of COCO results names no pictures; give the file with images and annotations."
        )
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise LafdError(f"{path}: not a COCO file: it has no list of images.")
    problems = Problems(path)
    images, annotations, categories = (
        objects(content, key, problems) for key in ("images", "annotations", "categories")
    )
    names = {
        str(category.get("id")): str(category.get("name", category.get("id"))) for category in categories
    }
    found: dict[str, list[dict[str, Any]]] = {str(image.get("id")): [] for image in images}
    if len(found) < len(images):
        problems.add("some images share an id; each of them gets the boxes of all.")
    for annotation in annotations:
        key = str(annotation.get("image_id"))
        if key in found:
            found[key].append(annotation)
        else:
            problems.add(f"annotation {annotation.get('id')} is left out: there is no image {key}.")
    sizes = Sizes(pictures or path.parent, problems)
    read_images = []
    for image in images:
        name = image.get("file_name")
        if not isinstance(name, str) or not name:
            problems.add(f"image {image.get('id')} is left out: it has no file_name.")
            continue
        size = sizes.find(name, image.get("width"), image.get("height"))
        if size:
            boxes = (annotation_of(entry, name, names, problems) for entry in found[str(image.get("id"))])
            kept = tuple(box for box in boxes if box)
            read_images.append(AnnotatedImage(name, *size, kept, without(image, _IMAGE_KEYS)))
    return Dataset(tuple(read_images), tuple(names.values()) or (FACE,), sizes.root, problems.all())


def objects(content: dict[str, Any], key: str, problems: Problems) -> list[dict[str, Any]]:
    """The objects of a list in the file; what is no object is a listed problem."""
    entries = content.get(key, [])
    entries = entries if isinstance(entries, list) else [entries]
    for entry in entries:
        if not isinstance(entry, dict):
            problems.add(f"{describe(entry)} in {key} is left out: it is not an object.")
    return [entry for entry in entries if isinstance(entry, dict)]


def annotation_of(
    entry: dict[str, Any], picture: str, names: dict[str, str], problems: Problems
) -> Annotation | None:
    """One entry of `annotations`; None if its box is none."""
    where = f"{picture} (annotation {entry.get('id')})"
    sides = entry.get("bbox")
    if isinstance(sides, list) and len(sides) == 4:
        x, y, width, height = (number(side) for side in sides)
        sides = [x, y, x + width, y + height]
    box = box_of(sides, where, problems)
    if box is None:
        return None
    category = str(entry.get("category_id"))
    if category not in names:
        problems.unknown_category(category)
    nested = entry.get("attributes")
    extra = {**without(entry, _BOX_KEYS), **(nested if isinstance(nested, dict) else {})}
    ignore, tilt, attributes = special(extra)
    return Annotation(
        box,
        names.get(category, category),
        ignore or bool(entry.get("iscrowd", 0)),
        score_of(entry.get("score"), where, problems),
        tilt,
        attributes,
    )


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes a COCO file and returns what it cannot carry: nothing.

    Raises:
        LafdError: The file cannot be written.
    """
    dataset = dataset.seen_from(path.parent)
    ids = {name: i for i, name in enumerate(dataset.categories, 1)}
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for i, image in enumerate(dataset.images, 1):
        size = {"width": image.width, "height": image.height}
        images.append({"id": i, "file_name": image.name, **size, **without(image.attributes, _IMAGE_KEYS)})
        for a in image.annotations:
            boxes.append({"id": len(boxes) + 1, "image_id": i, "category_id": ids[a.category], **entry_of(a)})
    categories = [{"id": i, "name": name, "supercategory": ""} for name, i in ids.items()]
    head: dict[str, Any] = {"info": {}, "licenses": []}
    write_json(path, {**head, "images": images, "annotations": boxes, "categories": categories})
    return []


def entry_of(annotation: Annotation) -> dict[str, Any]:
    """An entry of `annotations`, without its ids."""
    x1, y1, x2, y2 = annotation.box
    width, height = difference(x2, x1), difference(y2, y1)
    entry: dict[str, Any] = {
        "bbox": [shortest(x1), shortest(y1), width, height],
        "area": width * height,
        "segmentation": [],
        "iscrowd": int(annotation.ignore),
    }
    if annotation.score is not None:
        entry["score"] = shortest(annotation.score)
    attributes = attributes_of(annotation)
    return {**entry, "attributes": attributes} if attributes else entry
