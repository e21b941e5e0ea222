"""Where a review's pictures and boxes come from, and where they go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lafd.annotations import guess_format
from lafd.errors import LafdError, UsageError

_FOLDERS = {"data.yaml": "yolo", "data.yml": "yolo", "labels": "yolo", "Annotations": "voc"}


@dataclass(frozen=True)
class Sources:
    """Where everything comes from.

    Attributes:
        folder: The pictures, with subfolders.
        annotations: Their boxes; None if there are none yet.
        format_name: Of `annotations`; None finds out.
        other: Annotations to compare with.
        order: Which pictures are doubtful; None looks for order.jsonl beside `annotations`.
    """

    folder: Path
    annotations: Path | None = None
    format_name: str | None = None
    other: Path | None = None
    order: Path | None = None


@dataclass(frozen=True)
class Output:
    """Where the annotations go: a file or a folder, and its format."""

    path: Path
    format_name: str


def find_annotations(folder: Path) -> tuple[Path, str] | None:
    """The annotations in a folder of pictures, and their format; None if there are none.

    Raises:
        UsageError: There are several.
        LafdError: What could be annotations cannot be read.
    """
    for name, format_name in _FOLDERS.items():
        if (folder / name).exists():
            return folder, format_name
    found: list[tuple[Path, str]] = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() not in (".json", ".xml") or file.stem.endswith(".reviewed"):
            continue
        try:
            format_name = guess_format(file)
        except LafdError as error:
            if "not of a known annotation format" in str(error):
                continue
            raise LafdError(f"{error} Name the annotations with --annotations.") from None
        if format_name in ("labelme", "voc"):
            return folder, format_name
        found.append((file, format_name))
    if len(found) > 1:
        names = ", ".join(file.name for file, _ in found)
        raise UsageError(f"{folder} has several annotation files ({names}): choose one with --annotations.")
    return found[0] if found else None
