"""Annotated pictures for training and evaluation: what they are, and how they are divided."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lafd.annotations import AnnotatedImage, Dataset, read_annotations
from lafd.annotations.reading import image_size
from lafd.errors import LafdError

_VALIDATION = ("val", "valid", "validation")  # names of one split, as file formats have them

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One annotated picture.

    Attributes:
        path: The picture's file.
        size: Its (width, height) in pixels.
        boxes: float32 (n, 4), xyxy in pixels.
        ignore: bool (n,), True where the box is neither face nor background.
        source: Where the picture comes from; pictures of one source stay on one side of a split.
        tags: Style and difficulty of the picture.
        style: The style alone, "" if unstated.
        split: The part of the data set that it belongs to, such as "val"; "" if unstated.
        name: The picture's path as the annotations have it.
    """

    path: Path
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    ignore: NDArray[np.bool_]
    source: str
    tags: tuple[str, ...] = ()
    style: str = ""
    split: str = ""
    name: str = ""


def read_samples(path: Path) -> list[Sample]:
    """Reads annotations of any format; boxes of every category are faces.

    Of the attributes that a picture has, `source`, `style`, `tags` and `split` are kept. What is wrong with boxes is
    logged as a warning, and such a box is left out.

    Raises:
        UsageError: There is nothing at the path, or the format needs a package that is missing.
        LafdError: The annotations cannot be read, or name a picture that does not exist.
    """
    dataset = read_annotations(path)
    for problem in dataset.problems:
        _log.warning("%s", problem)
    used = {a.category for image in dataset.images for a in image.annotations}
    if len(used) > 1:
        _log.warning("%s: boxes of all categories count as faces: %s.", path, ", ".join(sorted(used)))
    missing = [image.name for image in dataset.images if not dataset.path(image).is_file()]
    if missing:
        raise LafdError(
            f"{path}: {len(missing)} of {len(dataset.images)} pictures are not in {dataset.root}, "
            f"the first is {missing[0]}."
        )
    return [sample_of(image, dataset) for image in dataset.images]


def sample_of(image: AnnotatedImage, dataset: Dataset) -> Sample:
    """One picture of a data set."""
    sides = image.boxes[:, 2:] - image.boxes[:, :2]
    solid = (sides > 0).all(1)
    if not solid.all():
        _log.warning("%s: %d boxes without area are left out.", dataset.path(image), (~solid).sum())
    style, source, split = (str(image.attributes.get(name) or "") for name in ("style", "source", "split"))
    tags = image.attributes.get("tags") or ()
    tags = tags if isinstance(tags, (list, tuple)) else (tags,)
    return Sample(
        dataset.path(image),
        (image.width, image.height),
        image.boxes[solid],
        image.ignore[solid],
        source or image.name,
        tuple(str(tag) for tag in (style, *tags) if tag),
        style,
        split,
        image.name,
    )


def check_pictures(samples: Iterable[Sample]) -> None:
    """Checks the headers of all pictures, so that a long run does not end at one of them.

    Raises:
        LafdError: One cannot be read, or has another size than annotated.
    """
    for sample in samples:
        width, height = image_size(sample.path)
        if (width, height) != sample.size:
            stated = f"{sample.size[0]} x {sample.size[1]}"
            raise LafdError(f"{sample.path} has {width} x {height} pixels, its annotations say {stated}.")


def split_as_annotated(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """What the annotations give to train on, and to judge by (split "val"); split "test" is neither."""
    train = [s for s in samples if s.split.lower() not in (*_VALIDATION, "test")]
    return train, [s for s in samples if s.split.lower() in _VALIDATION]


def split_by_source(samples: Iterable[Sample], fraction: float) -> tuple[list[Sample], list[Sample]]:
    """Holds out about `fraction` of the sources, the same ones every time: (to train on, held out)."""
    train: list[Sample] = []
    held: list[Sample] = []
    for sample in samples:
        digest = hashlib.sha256(sample.source.encode()).digest()
        held_out = int.from_bytes(digest[:4], "big") < fraction * 2**32
        (held if held_out else train).append(sample)
    return train, held


def repeat(samples: Iterable[Sample], counts: dict[str, int]) -> list[Sample]:
    """Every sample as often as the largest count of its tags says, at least once."""
    return [s for s in samples for _ in range(max([1, *(counts.get(tag, 1) for tag in s.tags)]))]


def read_sprites(path: Path) -> list[Sample]:
    """Reads a list of sprites: JSON of {file_name, width, height, source, boxes: [[x, y, width, height], ...]}.

    Raises:
        LafdError: The file cannot be read or an entry is incomplete.
    """
    sprites = []
    try:
        for entry in json.loads(path.read_text(encoding="utf-8")):
            boxes = np.array(entry["boxes"], np.float32).reshape(-1, 4)
            boxes[:, 2:] += boxes[:, :2]
            if len(boxes):
                file, size = path.parent / entry["file_name"], (int(entry["width"]), int(entry["height"]))
                sprites.append(Sample(file, size, boxes, np.zeros(len(boxes), bool), entry.get("source", "")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LafdError(f"{path}: not a readable list of sprites ({error}).") from None
    return sprites
