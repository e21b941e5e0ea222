"""The one in-memory form of annotations, between all file formats and everything that uses them."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lafd.detections import Detections

Box: TypeAlias = tuple[float, float, float, float]
Attributes: TypeAlias = Mapping[str, Any]

FACE = "face"


@dataclass(frozen=True)
class Annotation:
    """One box.

    Attributes:
        box: (x1, y1, x2, y2) in pixels of the upright picture, right and bottom exclusive; kept as float32 values.
            It may reach over the picture's edge, as the file says.
        category: What it is.
        ignore: The region is neither face nor background: training and evaluation leave it alone.
        score: How sure the model that drew it was, in [0, 1]; None for boxes of people.
        tilt: Degrees in [-180, 180) by which the box is turned clockwise around its centre.
        attributes: Whatever else the file says: JSON values by name.
    """

    box: Box
    category: str = FACE
    ignore: bool = False
    score: float | None = None
    tilt: float = 0.0
    attributes: Attributes = field(default_factory=dict)

    def __post_init__(self) -> None:
        x1, y1, x2, y2 = np.array(self.box, np.float32).tolist()
        if not all(map(math.isfinite, (x1, y1, x2, y2, self.tilt))):
            raise ValueError(f"a box must be of finite numbers, not {self.box} with a tilt of {self.tilt}")
        object.__setattr__(self, "box", (x1, y1, x2, y2))
        tilt = float(np.float32(math.fmod(self.tilt, 360)))
        object.__setattr__(self, "tilt", tilt if -180 <= tilt < 180 else (tilt + 180) % 360 - 180)
        if self.score is not None:
            object.__setattr__(self, "score", float(np.float32(self.score)))


@dataclass(frozen=True)
class AnnotatedImage:
    """One picture and its boxes.

    Attributes:
        name: Path of the picture below the data set's root, with forward slashes.
        width: Of the upright picture, in pixels.
        height: Of the upright picture, in pixels.
        annotations: The boxes; none says that the picture shows nothing to find.
        attributes: Whatever else the file says: JSON values by name. "split" is the part of the data set that the
            picture belongs to, such as "train" or "val".
    """

    name: str
    width: int
    height: int
    annotations: tuple[Annotation, ...] = ()
    attributes: Attributes = field(default_factory=dict)

    @classmethod
    def of_detections(cls, name: str, detections: Detections, category: str = FACE) -> AnnotatedImage:
        """The faces that a detector found, with their scores."""
        found = tuple(Annotation(face.box, category, score=face.score) for face in detections)
        return cls(name, detections.width, detections.height, found)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """All boxes, float32 (n, 4), xyxy in pixels."""
        return np.array([a.box for a in self.annotations], np.float32).reshape(-1, 4)

    @property
    def ignore(self) -> NDArray[np.bool_]:
        """Which boxes are ignore regions, bool (n,)."""
        return np.array([a.ignore for a in self.annotations], bool)

    @property
    def scores(self) -> NDArray[np.float32]:
        """The scores, float32 (n,); NaN where a box has none."""
        return np.array([math.nan if a.score is None else a.score for a in self.annotations], np.float32)


@dataclass(frozen=True)
class Dataset:
    """Annotated pictures.

    Attributes:
        images: The pictures, in the order of the file.
        categories: All categories, in the order of the file; those that boxes use are added if they are missing.
        root: The folder that the names of pictures start from.
        problems: What the file says that could not be kept, one sentence each.
    """

    images: tuple[AnnotatedImage, ...]
    categories: tuple[str, ...] = (FACE,)
    root: Path = field(default=Path(), compare=False)
    problems: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        used = (a.category for image in self.images for a in image.annotations)
        object.__setattr__(self, "categories", tuple(dict.fromkeys((*self.categories, *used))))

    def path(self, image: AnnotatedImage) -> Path:
        """Where the picture lies."""
        return self.root / image.name

    def seen_from(self, folder: Path) -> Dataset:
        """The same with `folder` as its root: names of pictures that exist lead from there to the same files."""
        here, there = os.path.realpath(self.root), os.path.realpath(folder)
        if here == there:
            return self
        moved = tuple(
            dataclasses.replace(image, name=relative_name(os.path.join(here, image.name), there))  # noqa: PTH118
            if is_file(self.path(image))
            else image
            for image in self.images
        )
        return dataclasses.replace(self, images=moved, root=folder)


def is_file(path: Path) -> bool:
    """Whether there is such a file; names that the system cannot have, as too long ones, are those of none."""
    return os.path.isfile(path)  # noqa: PTH113


def relative_name(path: str, folder: str) -> str:
    """The path from a folder to a file with forward slashes; the whole path where there is none, as across drives."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return Path(path).as_posix()


def without(attributes: Attributes, names: Iterable[str]) -> dict[str, Any]:
    """The attributes but those named."""
    left_out = set(names)
    return {name: value for name, value in attributes.items() if name not in left_out}
