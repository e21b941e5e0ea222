"""What all readers share: JSON, numbers, boxes and sizes that may be wrong, and the list of what was wrong."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path
from typing import Any

from lafd.annotations.dataset import Attributes, Box, relative_name
from lafd.errors import ImageError, LafdError
from lafd.images import DEFAULT_MAX_PIXELS
from lafd.opening import opened

_EXIF_ORIENTATION = 0x0112
_LARGEST = 3e38  # of what float32 holds


class Problems:
    """Collects what cannot be kept of a file.

    Attributes:
        listed: One sentence each.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listed: list[str] = []
        self._unknown: dict[str, int] = {}

    def add(self, text: str) -> None:
        """Adds a sentence, which starts with the name of the file."""
        self.listed.append(f"{self.path}: {printable(text)}")

    def unknown_category(self, category: str) -> None:
        """Counts a box whose category the file does not declare."""
        self._unknown[category] = self._unknown.get(category, 0) + 1

    def all(self) -> tuple[str, ...]:
        """Every sentence."""
        unknown = tuple(
            f"{self.path}: category {printable(name)} is not declared; {count} boxes keep {describe(name)} as its name."
            for name, count in self._unknown.items()
        )
        return (*self.listed, *unknown)


class Sizes:
    """Sizes of pictures, taken from the annotation file, or from the picture where the file has none.

    Args:
        root: Folder of the pictures.
        problems: Where unknown sizes are listed.
    """

    def __init__(self, root: Path, problems: Problems) -> None:
        self.root, self.problems = root, problems

    def find(self, name: str, width: object = None, height: object = None) -> tuple[int, int] | None:
        """(width, height) in pixels; None, and a listed problem, where nothing tells it."""
        declared = (whole(width), whole(height))
        if declared[0] and declared[1]:
            return declared[0], declared[1]
        try:
            return image_size(self.root / name)
        except ImageError as error:
            self.problems.add(f"{name} is left out, because the file does not say its size and {error}")
            return None


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels of the upright picture, from its header.

    Raises:
        ImageError: The picture cannot be read.
    """
    with opened(path, DEFAULT_MAX_PIXELS) as image:
        width, height = image.size
        turned = False
        if image.format != "PNG" or "exif" in image.info:  # Pillow would decode the whole PNG to look for it
            with contextlib.suppress(Exception):  # a picture with damaged EXIF is still a picture
                turned = image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def load_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        LafdError: It cannot be read or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except RecursionError:
        raise LafdError(f"{path}: not an annotation file (its JSON is nested too deeply).") from None
    except ValueError as error:
        raise LafdError(f"{path}: not JSON in UTF-8 ({error}).") from None


def number(value: object) -> float:
    """A finite float of a number or its text; NaN for all else."""
    try:
        read = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return read if math.isfinite(read) else math.nan


def whole(value: object) -> int:
    """A positive whole number, or 0 for all else."""
    read = number(value)
    return int(read) if read >= 1 else 0


def box_of(sides: object, where: str, problems: Problems) -> Box | None:
    """A box of four numbers x1, y1, x2, y2; None, and a listed problem, if they are none."""
    values = [number(side) for side in sides] if isinstance(sides, (list, tuple)) else []
    if len(values) != 4 or not all(abs(value) < _LARGEST for value in values):
        problems.add(f"a box of {where} is left out: {describe(sides)} is not four finite numbers.")
        return None
    x1, y1, x2, y2 = values
    if x2 < x1 or y2 < y1:
        problems.add(
            f"a box of {where} is left out: its right or bottom edge comes before the other one: {values}."
        )
        return None
    return x1, y1, x2, y2


def score_of(value: object, where: str, problems: Problems) -> float | None:
    """A score, or None where there is none; one that is not in [0, 1] is a listed problem."""
    if value is None:
        return None
    read = number(value)
    if 0 <= read <= 1:
        return read
    problems.add(f"a score of {where} is left out: {describe(value)} is not between 0 and 1.")
    return None


def bounds(points: object) -> list[float] | None:
    """The sides of the upright box around points [[x, y], ...]; None if they are no points."""
    if not isinstance(points, list) or not points:
        return None
    if not all(isinstance(p, (list, tuple)) and len(p) == 2 for p in points):
        return None
    across, down = [number(x) for x, _ in points], [number(y) for _, y in points]
    if any(map(math.isnan, across + down)):
        return [math.nan] * 4
    return [min(across), min(down), max(across), max(down)]


def picture_name(text: str, folder: Path, root: Path) -> str:
    """The name below `root` of a picture that a file in `folder` calls `text`, with any slashes."""
    path = folder / text.replace("\\", "/")
    return relative_name(str(path.absolute()), str(root.absolute()))


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; empty for all else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def special(attributes: Attributes) -> tuple[bool, float, dict[str, Any]]:
    """Splits attributes into `ignore`, `rotation` in degrees, and the rest."""
    rest = dict(attributes)
    ignore = rest.pop("ignore") if isinstance(rest.get("ignore"), (bool, int)) else False
    tilt = rest.get("rotation")
    if isinstance(tilt, (int, float)) and not isinstance(tilt, bool) and math.isfinite(number(tilt)):
        del rest["rotation"]
        return bool(ignore), float(tilt), rest
    return bool(ignore), 0.0, rest


def printable(text: str) -> str:
    """Text of a file as a part of a sentence: not too long, and without what a terminal would obey."""
    text = text if text.isprintable() else text.encode("unicode_escape").decode()
    return text if len(text) <= 500 else text[:500] + "..."


def describe(value: object) -> str:
    """A value as text that is short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
