"""Annotations: one in-memory form, and the file formats that it is read from and written to.

Examples:
    >>> from lafd.annotations import AnnotatedImage, Annotation, Dataset
    >>> data = Dataset((AnnotatedImage("a.png", 64, 48, (Annotation((4, 4, 20, 24)),)),))
    >>> data.images[0].boxes.tolist()
    [[4.0, 4.0, 20.0, 24.0]]
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from lafd.annotations import coco, cvat, label_studio, labelme, voc, xmlfile, yolo
from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Dataset
from lafd.annotations.reading import load_json
from lafd.errors import LafdError, UsageError

__all__ = [
    "FACE",
    "FORMATS",
    "AnnotatedImage",
    "Annotation",
    "Dataset",
    "check_output",
    "guess_format",
    "output_format",
    "read_annotations",
    "write_annotations",
]


class Format(Protocol):
    """What every module of a file format has."""

    def picture_folder(self, path: Path) -> Path:
        """Where the format has its pictures, for annotations at `path`."""

    def read(self, path: Path, pictures: Path | None = None) -> Dataset:
        """Reads annotations."""

    def write(self, dataset: Dataset, path: Path) -> list[str]:
        """Writes annotations."""


FORMATS: dict[str, Format] = {
    "coco": coco,
    "yolo": yolo,
    "voc": voc,
    "labelme": labelme,
    "cvat": cvat,
    "label-studio": label_studio,
}
_FOLDERS = ("yolo", "voc", "labelme")


def read_annotations(path: Path, format_name: str | None = None, pictures: Path | None = None) -> Dataset:
    """Reads annotations.

    Args:
        path: The file, or the folder for formats with one file per picture.
        format_name: A name in FORMATS; None finds out from the content.
        pictures: The folder that names of pictures start from; None takes the format's usual place.

    Returns:
        The data set; its `problems` list what could not be kept.

    Raises:
        UsageError: The path or the format does not exist, or a package is missing.
        LafdError: The file cannot be read or is of no known format.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist.")
    try:
        return find_format(format_name or guess_format(path)).read(path, pictures)
    except RecursionError:
        raise LafdError(f"{path}: its values are nested too deeply.") from None


def write_annotations(dataset: Dataset, path: Path, format_name: str) -> list[str]:
    """Writes annotations.

    Args:
        dataset: The annotations.
        path: The file for coco, cvat and label-studio; the folder for yolo, voc and labelme.
        format_name: A name in FORMATS.

    Returns:
        What the format could not carry, one sentence for each kind of loss.

    Raises:
        UsageError: The format does not exist, or `path` is a folder where a file is needed or the other way round.
        LafdError: A file cannot be written, or two pictures would share one.
    """
    chosen = find_format(format_name)
    check_output(path, format_name)
    return chosen.write(dataset, path)


def check_output(path: Path, format_name: str) -> None:
    """Checks that annotations of a format can go to a path.

    Raises:
        UsageError: It is a folder where a file is needed, or the other way round.
    """
    if format_name in _FOLDERS and path.is_file():
        raise UsageError(f"{path} is a file, but {format_name} needs a folder.")
    if format_name not in _FOLDERS and path.is_dir():
        raise UsageError(f"{path} is a folder, but {format_name} needs a file.")


def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        UsageError: There is none.
    """
    if name not in FORMATS:
        raise UsageError(f"there is no annotation format {name!r}; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def guess_format(path: Path) -> str:
    """The name of the format of a file or folder, by its content.

    Raises:
        LafdError: It is of no known format, or cannot be read.
    """
    if path.is_dir():
        return guess_folder(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        return "yolo"
    if path.suffix.lower() == ".xml":
        tag = xmlfile.parse(path).tag
        found = {"annotation": "voc", "annotations": "cvat"}.get(tag)
    else:
        content = load_json(path)
        found = None
        if isinstance(content, list):
            found = (
                "label-studio"
                if any(isinstance(task, dict) and "data" in task for task in content)
                else "coco"
            )
        elif isinstance(content, dict):
            found = "labelme" if "shapes" in content else "coco" if "images" in content else None
    if found is None:
        raise LafdError(f"{path}: not of a known annotation format ({', '.join(FORMATS)}).")
    return found


def guess_folder(folder: Path) -> str:
    """The name of the format of a folder's files."""
    if any(folder.glob("*.y*ml")) or (folder / "labels").is_dir():
        return "yolo"
    if (folder / "Annotations").is_dir():
        return "voc"
    first = next((file for ending in ("xml", "json") for file in sorted(folder.rglob(f"*.{ending}"))), None)
    if first is None:
        raise LafdError(f"{folder}: there are no annotations in it: no data.yaml, XML or JSON file.")
    found = guess_format(first)
    if found in ("coco", "label-studio"):
        raise LafdError(f"{folder}: give the file itself: {first}.")
    return found


def output_format(path: Path, name: str | None) -> str:
    """The format of annotations to write: as named, or by the ending of their path.

    Raises:
        UsageError: Neither says it.
    """
    name = name or {".json": "coco", ".xml": "cvat"}.get(path.suffix.lower())
    if name is None:
        raise UsageError(
            f"say which annotation format {path} gets, with --to or --format: {', '.join(FORMATS)}."
        )
    return name
