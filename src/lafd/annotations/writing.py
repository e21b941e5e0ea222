"""What all writers share: numbers without noise, safe file names, and the list of what a format cannot carry."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from lafd.annotations.dataset import FACE, AnnotatedImage, Annotation, Dataset, is_file
from lafd.errors import LafdError
from lafd.files import make_folder, replacing

_RESERVED = re.compile(r'[<>:"|?*\x00-\x1f]')


class Losses:
    """Counts what a format cannot carry, so that it can be told in one sentence per kind."""

    def __init__(self, format_name: str) -> None:
        self.format_name = format_name
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """Counts so many more."""
        if count:
            self._counts[what] += count

    def annotations(self, image: AnnotatedImage, *carried: str) -> list[Annotation]:
        """The boxes that a format keeps, after counting what it loses of them.

        Args:
            image: The picture.
            carried: What the format carries, of "ignore", "score", "tilt" and "attributes".
        """
        for annotation in image.annotations:
            self.add("scores", "score" not in carried and annotation.score is not None)
            self.add("tilts of boxes", "tilt" not in carried and annotation.tilt != 0)
            self.add("attributes of boxes", "attributes" not in carried and len(annotation.attributes))
            self.add(
                "ignore regions",
                "ignore" not in carried and annotation.ignore,
            )
        return [a for a in image.annotations if "ignore" in carried or not a.ignore]

    def image_attributes(self, image: AnnotatedImage, *carried: str) -> None:
        """Counts the attributes of a picture but those carried."""
        for name in image.attributes:
            self.add(f"the attribute {name!r} of pictures", name not in carried)

    def unused_categories(self, dataset: Dataset) -> None:
        """Counts the categories that a format without a list of them forgets."""
        used = {a.category for image in dataset.images for a in image.annotations}
        self.add("categories that no box has", len(set(dataset.categories) - used - {FACE}))

    def all(self) -> list[str]:
        """One sentence per kind."""
        return [
            f"{self.format_name} cannot carry {what}: {count} left out."
            for what, count in self._counts.items()
        ]


def shortest(value: float) -> float:
    """The float with the fewest digits that is the same float32: 10.1 instead of 10.100000381."""
    return float(str(np.float32(value)))


def difference(high: float, low: float) -> float:
    """`high - low` of two float32 values, with no more digits than they have."""
    return float(Decimal(str(np.float32(high))) - Decimal(str(np.float32(low))))


def attributes_of(annotation: Annotation) -> dict[str, Any]:
    """The attributes, with the tilt as `rotation` in degrees."""
    return {**annotation.attributes, **({"rotation": shortest(annotation.tilt)} if annotation.tilt else {})}


def write_json(path: Path, value: object, indent: int | None = None) -> None:
    """Writes JSON in UTF-8.

    Raises:
        LafdError: The file cannot be written, or an attribute is not a JSON value.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
        data = text.encode()
    except UnicodeEncodeError:  # file names that are not UTF-8
        data = json.dumps(value, allow_nan=False, indent=indent).encode()
    except (TypeError, ValueError) as error:
        raise LafdError(f"{path}: an attribute cannot be written as JSON ({error}).") from None
    write_bytes(path, data + b"\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file, and the folders above it.

    Raises:
        LafdError: It cannot be written.
    """
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def safe_name(name: str) -> str:
    """The name of a picture as one that stays inside any folder and is valid on every system."""
    parts = [_RESERVED.sub("_", part) for part in PurePosixPath(name.replace("\\", "/")).parts]
    kept = [part for part in parts if part not in ("..", "/", "//")]
    return "/".join(kept) or "picture"


def safe_names(dataset: Dataset) -> list[str]:
    """Names of all pictures for formats with one file per picture.

    Raises:
        LafdError: Two pictures would share one annotation file.
    """
    owners: dict[str, str] = {}
    names = [safe_name(image.name) for image in dataset.images]
    for image, name in zip(dataset.images, names, strict=True):
        stem = str(PurePosixPath(name).with_suffix("")).lower()
        if stem in owners:
            raise LafdError(
                f"{owners[stem]} and {image.name} would share one annotation file: rename one of them."
            )
        owners[stem] = image.name
    return names


def copy_pictures(dataset: Dataset, folder: Path) -> tuple[Dataset, list[str]]:
    """Copies all pictures into a folder.

    Returns:
        The data set with the copies, and one sentence for every picture that is missing.

    Raises:
        LafdError: A copy cannot be written, or two pictures would get one name.
    """
    names, missing = safe_names(dataset), []
    for image, name in zip(dataset.images, names, strict=True):
        source, target = dataset.path(image), folder / name
        if not is_file(source):
            missing.append(f"{source} does not exist and is not copied.")
        elif not (target.exists() and target.samefile(source)):
            make_folder(target.parent)
            with replacing(target) as temporary:
                shutil.copyfile(source, temporary)
    images = tuple(dataclasses.replace(i, name=n) for i, n in zip(dataset.images, names, strict=True))
    return dataclasses.replace(dataset, images=images, root=folder), missing
