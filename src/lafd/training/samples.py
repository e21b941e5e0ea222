"""Annotated pictures for training: what they are, and reading them from COCO files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd.errors import LafdError


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
    """

    path: Path
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    ignore: NDArray[np.bool_]
    source: str
    tags: tuple[str, ...] = ()
    style: str = ""


def read_coco(path: Path) -> list[Sample]:
    """Reads a COCO file; `iscrowd` marks ignore regions; pictures are sought beside the file.

    Raises:
        LafdError: The file cannot be read, is not COCO, or names a picture that does not exist.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        by_image: dict[int, list[dict[str, Any]]] = {}
        for annotation in data["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        return [coco_sample(path, image, by_image.get(image["id"], [])) for image in data["images"]]
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror}).") from None
    except KeyError as error:
        raise LafdError(f"{path}: not a readable COCO file (a field {error} is missing).") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise LafdError(f"{path}: not a readable COCO file ({error}).") from None


def coco_sample(path: Path, image: dict[str, Any], annotations: list[dict[str, Any]]) -> Sample:
    """One picture of a COCO file.

    Raises:
        LafdError: The picture does not exist, or a box is empty or not a number.
    """
    name = image["file_name"]
    file = path.parent / name
    if not file.is_file():
        raise LafdError(f"{path}: the picture {name} is not there.")
    boxes = np.array([a["bbox"] for a in annotations], np.float32).reshape(-1, 4)
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
        raise LafdError(f"{path}: a box of {name} is empty or not a number.")
    boxes[:, 2:] += boxes[:, :2]
    ignore = np.array([bool(a.get("iscrowd", 0)) for a in annotations], bool)
    style = str(image.get("style") or "")
    tags = tuple(t for t in (style, *image.get("tags", ())) if t)
    size = (int(image["width"]), int(image["height"]))
    return Sample(file, size, boxes, ignore, image.get("source", name), tags, style)


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
