"""YOLO: a data.yaml, and one text file per picture with lines `class x y width height`, as shares of the picture."""

from __future__ import annotations

import importlib
import math
import os
import re
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
from lafd.annotations.reading import Problems, Sizes, bounds, box_of, describe, number, score_of
from lafd.annotations.writing import Losses, safe_names, write_bytes
from lafd.errors import LafdError, UsageError
from lafd.listing import list_images

_SPLITS = ("train", "val", "test")
_OTHER_KEYS = ("path", "names", "nc", "kpt_shape", "flip_idx", "download")  # of data.yaml


def picture_folder(path: Path) -> Path:
    """Where pictures are sought."""
    return path / "images"


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """Reads a data set in YOLO's layout.

    Args:
        path: The data.yaml, its folder, or a folder with `images` and `labels` without a data.yaml.
        pictures: The folder of the pictures, if it is not what the data.yaml says.

    Raises:
        LafdError: The data set cannot be read, or has no pictures (their sizes are needed).
    """
    settings_file = path if path.is_file() else next(iter(sorted(path.glob("*.y*ml"))), None)
    folder = settings_file.parent if settings_file else path
    settings = load_yaml(settings_file) if settings_file else {}
    problems = Problems(path)
    labels = Labels(settings, folder, problems)
    parts = {"": [pictures]} if pictures else picture_lists(settings, folder)
    base = pictures or (folder / "images" if (folder / "images").is_dir() else folder)
    sizes = Sizes(base, problems)
    found: dict[Path, AnnotatedImage | None] = {}
    used: set[str] = set()
    for split, places in parts.items():
        for picture in (picture for place in places for picture in pictures_in(place, problems)):
            if picture in found:
                continue
            name = relative_name(str(picture.absolute()), str(base.absolute()))
            size, label = sizes.find(name), label_file(picture, folder, base)
            used.add(os.path.abspath(label))  # noqa: PTH100
            attributes = {"split": split} if split else {}
            found[picture] = (
                AnnotatedImage(name, *size, labels.read(label, size), attributes) if size else None
            )
    images = tuple(image for image in found.values() if image)
    if not images:
        reason = f" ({problems.listed[0]})" if problems.listed else ""
        raise LafdError(
            f"{path}: YOLO files need their pictures to know sizes, but none can be read{reason}."
        )
    for label in (file for place in sorted(folder.rglob("labels")) for file in sorted(place.rglob("*.txt"))):
        if os.path.abspath(label) not in used:  # noqa: PTH100
            problems.add(f"{label.relative_to(folder)} is left out: its picture is not there.")
    return Dataset(images, tuple(labels.names.values()) or (FACE,), base, problems.all())


def load_yaml(path: Path) -> dict[str, Any]:
    """The content of a data.yaml.

    Raises:
        UsageError: PyYAML is not installed.
        LafdError: The file is no mapping in YAML.
    """
    yaml = need_yaml()
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ValueError("it has aliases, with which a few lines can stand for gigabytes; write them out")
        content = yaml.safe_load(text)
    except Exception as error:  # PyYAML raises nearly everything for tags whose value does not fit them
        reason = " ".join(str(error).split()) or type(error).__name__
        raise LafdError(f"{path}: not readable YAML ({reason}).") from None
    if not isinstance(content, dict):
        raise LafdError(f"{path}: not a data.yaml: it must map names such as train and names to values.")
    return content


def need_yaml() -> Any:
    """The module yaml.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return importlib.import_module("yaml")
    except ImportError:
        raise UsageError("YOLO needs the package pyyaml: pip install 'lafd[annotations]'") from None


def class_names(settings: dict[str, Any], folder: Path) -> dict[str, str]:
    """Names of the classes by their number, from data.yaml or classes.txt."""
    names = settings.get("names")
    if isinstance(names, dict):
        return {str(number): str(name) for number, name in names.items()}
    if not isinstance(names, list) and (folder / "classes.txt").is_file():
        names = read_lines(folder / "classes.txt")
    return {str(i): str(name) for i, name in enumerate(names)} if isinstance(names, list) else {}


def read_lines(path: Path) -> list[str]:
    """The lines of a text file.

    Raises:
        LafdError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror}).") from None


def picture_lists(settings: dict[str, Any], folder: Path) -> dict[str, list[Path]]:
    """Folders and lists of pictures by split."""
    base = folder / str(settings.get("path") or "")
    if not os.path.isdir(base):  # noqa: PTH112
        base = folder
    parts: dict[str, list[Path]] = {}
    for split in (*_SPLITS, *without(settings, _SPLITS)):
        places = settings.get(split) or []
        places = places if isinstance(places, list) else [places]
        if split in _SPLITS or str(places).endswith(".txt']"):
            parts[split] = [resolve(str(place), base, folder) for place in places]
    if not any(parts.values()):
        return {"": [folder / "images" if (folder / "images").is_dir() else folder]}
    if (
        settings.get("train") == settings.get("val") == "images"
    ):  # YOLO demands both, even where nothing is split
        return {"": parts["train"]}
    return parts


def resolve(place: str, base: Path, folder: Path) -> Path:
    """A place of data.yaml; some exports say ../train/images for train/images."""
    candidates = (base / place, folder / place, folder / place.replace("\\", "/").removeprefix("../"))
    return next((c for c in candidates if os.path.exists(c)), candidates[0])  # noqa: PTH110


def pictures_in(place: Path, problems: Problems) -> list[Path]:
    """The pictures of a folder or of a text file that lists them."""
    if place.suffix == ".txt" and is_file(place):
        lines = read_lines(place)
        listed = [place.parent / line.strip() for line in lines if line.strip()]
        folders = {path for path in listed if os.path.isdir(path)}  # noqa: PTH112
        for path in sorted(folders):
            problems.add(f"{path} in {place.name} is left out: it is a folder.")
        return [path for path in listed if path not in folders]
    try:
        return list(list_images(place))
    except UsageError as error:
        problems.add(str(error))
        return []


def label_file(picture: Path, folder: Path, base: Path) -> Path:
    """The text file of a picture: in `labels` instead of the last `images` of its path, or beside it."""
    parts = list(picture.parts)
    for i in range(len(parts) - 2, -1, -1):
        if parts[i] == "images":
            parts[i] = "labels"
            return Path(*parts).with_suffix(".txt")
    moved = (
        folder
        / "labels"
        / Path(relative_name(str(picture.absolute()), str(base.absolute()))).with_suffix(".txt")
    )
    return moved if is_file(moved) else picture.with_suffix(".txt")


class Labels:
    """Reads text files.

    Attributes:
        names: Names of the classes by their number.
    """

    def __init__(self, settings: dict[str, Any], folder: Path, problems: Problems) -> None:
        self.names, self.problems = class_names(settings, folder), problems
        shape = settings.get("kpt_shape")
        counts = [count for count in shape if isinstance(count, int)] if isinstance(shape, list) else []
        self.keypoint_values = counts[0] * counts[1] if len(counts) == 2 else 0

    def read(self, path: Path, size: tuple[int, int]) -> tuple[Annotation, ...]:
        """The boxes of the text file of a picture of (width, height); none where there is no file."""
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        except OSError as error:
            self.problems.add(f"{path.name} cannot be read ({error.strerror}).")
            return ()
        boxes = (
            self.annotation(line.split(), f"{path.name}, line {i}", size) for i, line in enumerate(lines, 1)
        )
        return tuple(box for box in boxes if box)

    def annotation(self, words: list[str], where: str, size: tuple[int, int]) -> Annotation | None:
        """One line: a box, a box with its score or its keypoints, or a polygon."""
        if not words:
            return None
        values = [number(word) for word in words[1:]]
        if self.keypoint_values and len(values) == 4 + self.keypoint_values:
            self.problems.add(f"the keypoints of {where} are left out.")
            values = values[:4]
        if len(values) in (4, 5):
            x, y, width, height = values[:4]
            sides: list[float] | None = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        elif len(values) >= 6 and len(values) % 2 == 0:
            sides = bounds([values[i : i + 2] for i in range(0, len(values), 2)])
            self.problems.add(f"{where} is a polygon; the box around it is taken.")
        else:
            sides = None
        category = number(words[0])
        if sides is None or math.isnan(category):
            self.problems.add(f"{where} is left out: {describe(' '.join(words))} is no box.")
            return None
        box = box_of([side * size[i % 2] for i, side in enumerate(sides)], where, self.problems)
        if box is None:
            return None
        key = f"{category:.15g}"
        if key not in self.names:
            self.problems.unknown_category(key)
        score = score_of(words[5], where, self.problems) if len(values) == 5 else None
        return Annotation(box, self.names.get(key, key), score=score)


def write(dataset: Dataset, path: Path) -> list[str]:
    """Writes data.yaml, labels/*.txt and lists of the splits into a folder, and returns what they cannot carry.

    Pictures belong under `images` in that folder.

    Raises:
        UsageError: PyYAML is not installed.
        LafdError: A file cannot be written, or two pictures would share a label file.
    """
    yaml, losses = need_yaml(), Losses("yolo")
    names = safe_names(dataset)
    classes = {name: i for i, name in enumerate(dataset.categories)}
    for image, name in zip(dataset.images, names, strict=True):
        losses.image_attributes(image, "split")
        lines = [line_of(a, image, classes[a.category], losses) for a in losses.annotations(image)]
        text = "".join(line for line in lines if line)
        write_bytes((path / "labels" / name).with_suffix(".txt"), text.encode())
    settings: dict[str, Any] = {"path": ".", "train": "images", "val": "images"}
    parts: dict[str, list[str]] = {}
    for image, name in zip(dataset.images, names, strict=True):
        parts.setdefault(split_of(image, losses), []).append(f"./images/{name}\n")
    if set(parts) - {""}:
        parts.setdefault("train", []).extend(parts.pop("", []))
        settings.update({split: f"{split}.txt" for split in ("train", "val", *parts)})
        for split in ("train", "val", *parts):
            write_bytes(path / f"{split}.txt", "".join(parts.get(split, [])).encode())
    settings["names"] = dict(enumerate(dataset.categories))
    write_bytes(path / "data.yaml", yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).encode())
    return losses.all()


def split_of(image: AnnotatedImage, losses: Losses) -> str:
    """The split, or "" for none and, counted, for one that data.yaml cannot name."""
    split = str(image.attributes.get("split", ""))
    if split and (not re.fullmatch(r"\w[\w -]*", split) or split in _OTHER_KEYS):
        losses.add(f"the split {split!r}")
        return ""
    return split


def line_of(annotation: Annotation, image: AnnotatedImage, number_of_class: int, losses: Losses) -> str:
    """One line; empty, and counted, where no part of the box is in the picture."""
    x1, y1, x2, y2 = annotation.box
    left, right = (min(max(x / image.width, 0), 1) for x in (x1, x2))
    top, bottom = (min(max(y / image.height, 0), 1) for y in (y1, y2))
    if right <= left or bottom <= top:
        losses.add("boxes outside their picture or without area")
        return ""
    losses.add(
        "the parts of boxes outside their picture", x1 < 0 or y1 < 0 or x2 > image.width or y2 > image.height
    )
    values = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return (
        f"{number_of_class} " + " ".join(f"{value:.10f}".rstrip("0").rstrip(".") for value in values) + "\n"
    )
