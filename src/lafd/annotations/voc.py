"""Pascal VOC: one XML file per picture. `difficult` marks ignore regions.

VOC counts pixels from 1 and includes the last one: xmin and ymin are one more than ours, xmax and ymax the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from lafd.annotations import xmlfile
from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Dataset, relative_name, without
from lafd.annotations.reading import Problems, Sizes, box_of, describe, number, score_of, special
from lafd.annotations.writing import Losses, attributes_of, safe_names, shortest, write_bytes
from lafd.errors import LafdError

_FLAGS = ("truncated", "occluded")
_ONE_CATEGORY = re.compile(r".+_(train|val|trainval|test)")  # lists that say which pictures show a category


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path / "JPEGImages"


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads a folder in VOC's layout, a folder of XML files, or one XML file.

    Pictures are sought in `pictures`, by default in JPEGImages, or beside the XML files where there is none.

    Raises:
        LafdError: There is no VOC file, or the only one cannot be read.
    """
    folder = path.parent if path.is_file() else path
    folder = folder.parent if folder.name == "Annotations" else folder
    labels = folder / "Annotations" if (folder / "Annotations").is_dir() else folder
    files = [path] if path.is_file() else sorted(labels.rglob("*.xml"))
    if not files:
        raise LafdError(f"{path}: there is no XML file in it.")
    base = pictures or (folder / "JPEGImages" if (folder / "JPEGImages").is_dir() else labels)
    problems = Problems(path)
    sizes, split = Sizes(base, problems), read_splits(folder)
    images = []
    for file in files:
        try:
            root = xmlfile.parse(file)
            if root.tag != "annotation":
                raise LafdError(f"{file}: not a VOC file: its root is <{root.tag}>, not <annotation>.")
        except LafdError as error:
            if len(files) == 1:
                raise
            problems.listed.append(str(error))
            continue
        stem = relative_name(str(file.with_suffix("")), str(labels))
        name = xmlfile.text_of(root, "filename").replace("\\", "/") or f"{stem}.jpg"
        if "/" not in name and "/" in stem:
            name = f"{stem.rpartition('/')[0]}/{name}"
        size = sizes.find(name, xmlfile.text_of(root, "size/width"), xmlfile.text_of(root, "size/height"))
        if size:
            boxes = (annotation_of(element, name, problems) for element in root.iter("object"))
            attributes = {"split": split[stem]} if stem in split else {}
            images.append(AnnotatedImage(name, *size, tuple(box for box in boxes if box), attributes))
    categories = dict.fromkeys(a.category for image in images for a in image.annotations)
    return Dataset(tuple(images), tuple(categories) or (FACE,), base, problems.all())


def read_splits(folder: Path) -> dict[str, str]:
    """The split of every stem, from ImageSets/Main."""
    found: dict[str, str] = {}
    for file in sorted((folder / "ImageSets" / "Main").glob("*.txt")):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise LafdError(f"{file}: cannot be read ({error.strerror}).") from None
        if file.stem != "trainval" and not _ONE_CATEGORY.fullmatch(file.stem):
            found.update({line.strip(): file.stem for line in lines if line.strip()})
    return found


def annotation_of(element: Element, picture: str, problems: Problems) -> Annotation | None:
    """One <object>; None if its box is none."""
    where, box = picture, element.find("bndbox")
    if box is None:
        problems.add(f"an object of {picture} is left out: it has no bndbox.")
        return None
    xmin, ymin, xmax, ymax = (number(xmlfile.text_of(box, tag)) for tag in ("xmin", "ymin", "xmax", "ymax"))
    sides = box_of([xmin - 1, ymin - 1, xmax, ymax], where, problems)
    category = xmlfile.text_of(element, "name")
    if not category:
        problems.add(f"an object of {picture} is left out: it has no name.")
    if sides is None or not category:
        return None
    attributes: dict[str, Any] = {flag: True for flag in _FLAGS if xmlfile.text_of(element, flag) == "1"}
    pose = xmlfile.text_of(element, "pose")
    if pose and pose != "Unspecified":
        attributes["pose"] = pose
    if element.find("part") is not None:
        problems.add(f"the parts of an object of {describe(picture)} are left out.")
    for attribute in element.iterfind("attributes/attribute"):
        attributes[attribute.findtext("name") or ""] = xmlfile.from_text(attribute.findtext("value") or "")
    ignore, tilt, attributes = special(attributes)
    score = score_of(attributes.pop("score", None), where, problems)
    difficult = xmlfile.text_of(element, "difficult") == "1"
    return Annotation(sides, category, ignore or difficult, score, tilt, attributes)


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes Annotations/*.xml and ImageSets/Main/*.txt into a folder, and returns what they cannot carry.

    Pictures belong under `JPEGImages` in that folder. Scores and attributes are written as CVAT and datumaro do.

    Raises:
        LafdError: A file cannot be written, or two pictures would share one.
    """
    losses = Losses("voc")
    losses.unused_categories(dataset)
    parts: dict[str, list[str]] = {}
    for image, name in zip(dataset.images, safe_names(dataset), strict=True):
        losses.image_attributes(image, "split")
        file = (path / "Annotations" / name).with_suffix(".xml")
        root = Element("annotation")
        xmlfile.add(root, "folder", "JPEGImages")
        xmlfile.add(root, "filename", name)
        size = SubElement(root, "size")
        for tag, value in (("width", image.width), ("height", image.height), ("depth", 3)):
            xmlfile.add(size, tag, value)
        xmlfile.add(root, "segmented", 0)
        for annotation in losses.annotations(image, "ignore", "score", "tilt", "attributes"):
            add_object(root, annotation)
        xmlfile.write(file, root)
        split = str(image.attributes.get("split", ""))
        parts.setdefault(split, []).append(name.rpartition(".")[0] or name)
    for split, stems in parts.items():
        if split and split == Path(split).name:
            text = "".join(f"{stem}\n" for stem in stems)
            write_bytes(path / "ImageSets" / "Main" / f"{split}.txt", text.encode())
        elif split:
            losses.add(f"the split {split!r}", len(stems))
    return losses.all()


def add_object(root: Element, annotation: Annotation) -> None:
    """Adds an <object>."""
    element = SubElement(root, "object")
    attributes = attributes_of(annotation)
    if annotation.score is not None:
        attributes["score"] = shortest(annotation.score)
    pose = attributes.get("pose")
    native = isinstance(pose, str) and pose == pose.strip() and pose not in ("", "Unspecified")
    xmlfile.add(element, "name", annotation.category)
    xmlfile.add(element, "pose", attributes.pop("pose") if native else "Unspecified")
    for flag in _FLAGS:
        xmlfile.add(element, flag, int(attributes.get(flag) is True))
    xmlfile.add(element, "difficult", int(annotation.ignore))
    x1, y1, x2, y2 = map(shortest, annotation.box)
    box = SubElement(element, "bndbox")
    for tag, value in (("xmin", x1 + 1), ("ymin", y1 + 1), ("xmax", x2), ("ymax", y2)):
        xmlfile.add(box, tag, int(value) if value.is_integer() else round(value, 9))
    rest = without(attributes, (flag for flag in _FLAGS if attributes.get(flag) is True))
    if rest:
        bag = SubElement(element, "attributes")
        for name, value in rest.items():
            attribute = SubElement(bag, "attribute")
            xmlfile.add(attribute, "name", name)
            xmlfile.add(attribute, "value", xmlfile.to_text(value))
