"""CVAT for images 1.1: one XML file for all pictures. Ignore regions and scores are attributes of a label."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from lafd.annotations import xmlfile
from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Attributes, Dataset, without
from lafd.annotations.reading import Problems, Sizes, bounds, box_of, describe, number, score_of, special
from lafd.annotations.writing import Losses, shortest
from lafd.errors import LafdError

_PLACE = ("xtl", "ytl", "xbr", "ybr", "label", "rotation", "points")
_DEFAULTS = {"source": "manual", "z_order": "0", "occluded": "0"}


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path.parent / "images"


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads the annotations.xml of an export "CVAT for images 1.1", or its folder.

    Names of pictures start from `pictures`, by default from `images` beside the file, or the file's folder.

    Raises:
        LafdError: The file cannot be read or is of another kind.
    """
    path = path / "annotations.xml" if path.is_dir() else path
    root = xmlfile.parse(path)
    if root.tag != "annotations":
        raise LafdError(f"{path}: not a CVAT file: its root is <{root.tag}>, not <annotations>.")
    if root.find("track") is not None:
        raise LafdError(f"{path}: this is CVAT for video; export the task as CVAT for images 1.1.")
    problems = Problems(path)
    beside = path.parent / "images"
    sizes = Sizes(pictures or (beside if beside.is_dir() else path.parent), problems)
    declared = [xmlfile.text_of(label, "name") for label in root.iterfind("meta/*/labels/label")]
    images = []
    for element in root.iterfind("image"):
        name = element.get("name")
        if not name:
            problems.add(f"image {element.get('id')} is left out: it has no name.")
            continue
        size = sizes.find(name, element.get("width"), element.get("height"))
        if size:
            shapes = (annotation_of(shape, name, declared, problems) for shape in element)
            attributes = {"split": element.get("subset")} if element.get("subset") else {}
            images.append(AnnotatedImage(name, *size, tuple(shape for shape in shapes if shape), attributes))
    return Dataset(tuple(images), tuple(declared) or (FACE,), sizes.root, problems.all())


def annotation_of(shape: Element, picture: str, declared: list[str], problems: Problems) -> Annotation | None:
    """One element of an image; None if it has no extent."""
    if shape.tag not in ("box", "polygon"):
        problems.add(f"a <{shape.tag}> of {picture} is left out: it is no box.")
        return None
    sides: Any = [shape.get(key) for key in ("xtl", "ytl", "xbr", "ybr")]
    if shape.tag == "polygon":
        sides = bounds([point.split(",") for point in shape.get("points", "").split(";")])
    box, category = box_of(sides, picture, problems), shape.get("label")
    if box is None:
        return None
    if not category:
        problems.add(f"a box of {picture} is left out: it has no label.")
        return None
    if shape.tag == "polygon":
        problems.add(f"a polygon of {picture} is taken as the box around it.")
    if declared and category not in declared:
        problems.unknown_category(category)
    rotation = number(shape.get("rotation", 0))
    if math.isnan(rotation):
        problems.add(
            f"a rotation of {picture} is left out: {describe(shape.get('rotation'))} is not a number."
        )
        rotation = 0.0
    attributes: dict[str, Any] = {
        key: xmlfile.from_text(value)
        for key, value in without(shape.attrib, _PLACE).items()
        if _DEFAULTS.get(key) != value
    }
    if attributes.get("occluded") == 1:
        attributes["occluded"] = True
    for attribute in shape.iterfind("attribute"):
        attributes[attribute.get("name", "")] = xmlfile.from_text(attribute.text or "")
    score = score_of(attributes.pop("score", None), picture, problems)
    ignore, _, attributes = special(attributes)
    return Annotation(box, category, ignore, score, rotation, attributes)


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes an annotations.xml that CVAT imports, and returns what it cannot carry.

    CVAT takes attributes only where its task declares them: the file's own <meta> lists them, with their types.

    Raises:
        LafdError: The file cannot be written.
    """
    losses = Losses("cvat")
    root = Element("annotations")
    xmlfile.add(root, "version", "1.1")
    add_labels(SubElement(SubElement(root, "meta"), "task"), dataset)
    for i, image in enumerate(dataset.images):
        losses.image_attributes(image, "split")
        element = SubElement(root, "image", id=str(i), name=image.name)
        if "split" in image.attributes:
            element.set("subset", str(image.attributes["split"]))
        element.set("width", str(image.width))
        element.set("height", str(image.height))
        for annotation in losses.annotations(image, "ignore", "score", "tilt", "attributes"):
            add_box(element, annotation)
    xmlfile.write(path, root)
    return losses.all()


def native_attributes(annotation: Annotation) -> dict[str, str]:
    """What CVAT keeps as attributes of the XML element, but those that have CVAT's default."""
    native = {}
    for name, value in annotation.attributes.items():
        if name == "occluded" and value is True:
            native[name] = "1"
        elif name in ("z_order", "group_id") and isinstance(value, int) and not isinstance(value, bool):
            native[name] = str(value)
        elif name == "source" and isinstance(value, str) and xmlfile.from_text(value) == value:
            native[name] = value
    return {name: text for name, text in native.items() if text != _DEFAULTS.get(name)}


def declared_attributes(annotation: Annotation) -> dict[str, Any]:
    """What CVAT keeps as attributes of the label, by name."""
    score = {} if annotation.score is None else {"score": shortest(annotation.score)}
    ignore = {"ignore": True} if annotation.ignore else {}
    return {**without(annotation.attributes, native_attributes(annotation)), **score, **ignore}


def add_box(parent: Element, annotation: Annotation) -> None:
    """Adds a <box>."""
    x1, y1, x2, y2 = (str(shortest(side)) for side in annotation.box)
    box = SubElement(parent, "box", label=annotation.category, xtl=x1, ytl=y1, xbr=x2, ybr=y2)
    for key, value in {**_DEFAULTS, **native_attributes(annotation)}.items():
        box.set(key, value)
    if annotation.tilt:
        box.set("rotation", str(shortest(annotation.tilt)))
    for name, value in declared_attributes(annotation).items():
        xmlfile.add(box, "attribute", xmlfile.to_text(value)).set("name", name)


def add_labels(task: Element, dataset: Dataset) -> None:
    """Adds the declarations of labels and of their attributes."""
    used: dict[str, dict[str, Any]] = {category: {} for category in dataset.categories}
    for annotation in (a for image in dataset.images for a in image.annotations):
        used[annotation.category].update(declared_attributes(annotation))
    labels = SubElement(task, "labels")
    for category, attributes in used.items():
        label = SubElement(labels, "label")
        xmlfile.add(label, "name", category)
        declare(SubElement(label, "attributes"), attributes)


def declare(parent: Element, attributes: Attributes) -> None:
    """Adds the declaration of every attribute: a check box for true and false, else a text."""
    for name, value in attributes.items():
        kind, default = ("checkbox", "false") if isinstance(value, bool) else ("text", "")
        element = SubElement(parent, "attribute")
        for tag, text in (
            ("name", name),
            ("mutable", "False"),
            ("input_type", kind),
            ("default_value", default),
        ):
            xmlfile.add(element, tag, text)
        xmlfile.add(element, "values", default)
