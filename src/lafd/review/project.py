"""What is reviewed: the pictures of a folder, their boxes, doubts, and other annotations to compare with."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lafd import boxes
from lafd.annotations import AnnotatedImage, Dataset, read_annotations
from lafd.annotations.checking import picture_faults
from lafd.annotations.dataset import relative_name
from lafd.annotations.reading import image_size
from lafd.errors import ImageError, LafdError, UsageError
from lafd.listing import list_images
from lafd.review.doubt import doubts_of
from lafd.review.schema import Box, State
from lafd.review.sources import Sources

_SAME = 0.5  # intersection over union from which two boxes stand for the same face


@dataclass(frozen=True)
class Project:
    """What is reviewed.

    Attributes:
        dataset: All pictures, with the boxes that they had before the review.
        states: The same as states, doubtful boxes marked.
        priorities: Of the pictures; higher is looked at first.
        faults: Why a picture cannot be shown as it should, by its index.
        others: Boxes of the other annotations, None for pictures that these do not have; None without them.
        warnings: What was wrong with the files, one sentence each.
    """

    dataset: Dataset
    states: list[State]
    priorities: list[float]
    faults: dict[int, str]
    others: list[tuple[Box, ...] | None] | None
    warnings: list[str]


def load(sources: Sources) -> Project:
    """Reads everything.

    Raises:
        UsageError: A file does not exist, or the folder has no pictures.
        LafdError: A file cannot be read, or belongs to other pictures.
    """
    dataset = read_dataset(sources)
    dataset, warnings = with_all_pictures(dataset, sources)
    if not dataset.images:
        raise UsageError(f"there are no pictures in {sources.folder}.")
    faults = picture_faults(dataset)
    beside = (sources.annotations or sources.folder) / "order.jsonl"
    if sources.annotations and sources.annotations.is_file():
        beside = sources.annotations.with_name("order.jsonl")
    order = sources.order or (beside if beside.is_file() else None)
    doubts, problems = doubts_of(dataset, order)
    states = [
        State(boxes=tuple(Box.of(a, doubtful=i in doubt.boxes) for i, a in enumerate(image.annotations)))
        for image, doubt in zip(dataset.images, doubts, strict=True)
    ]
    others, differences = (None, []) if sources.other is None else read_others(sources.other, dataset)
    warnings = [*dataset.problems, *warnings, *faults.values(), *problems, *differences]
    return Project(dataset, states, [doubt.priority for doubt in doubts], faults, others, warnings)


def read_dataset(sources: Sources) -> Dataset:
    """The annotations; names of pictures start from their usual place, or from the folder of pictures."""
    path, folder = sources.annotations, sources.folder
    if path is None:
        return Dataset((), root=folder)
    try:
        usual = read_annotations(path, sources.format_name)
    except UsageError:
        raise
    except LafdError:  # YOLO needs its pictures
        return read_annotations(path, sources.format_name, folder)
    if not usual.images or any(usual.path(image).is_file() for image in usual.images):
        return usual
    moved = read_annotations(path, sources.format_name, folder)
    if not any(moved.path(image).is_file() for image in moved.images):
        count = len(usual.images)
        raise LafdError(f"{path}: none of its {count} pictures is in {usual.root} or {folder}.")
    return moved


def with_all_pictures(dataset: Dataset, sources: Sources) -> tuple[Dataset, list[str]]:
    """Every picture once, also those of the folder that have no annotations; and what to say of it."""
    images: dict[str, AnnotatedImage] = {}
    problems = []
    for image in dataset.images:
        twin = images.get(image.name)
        if twin:
            problems.append(
                f"{sources.annotations}: {image.name} is there twice; its boxes are put together."
            )
            images[image.name] = dataclasses.replace(
                twin, annotations=(*twin.annotations, *image.annotations)
            )
        else:
            images[image.name] = image
    known = {os.path.realpath(dataset.path(image)) for image in images.values()}
    root = os.path.realpath(dataset.root)
    added = []
    try:
        listed = list(list_images(sources.folder))
    except UsageError:
        listed = []  # the annotations may name pictures elsewhere
    for path in listed:
        real = os.path.realpath(path)
        if real in known:
            continue
        known.add(real)
        try:
            added.append(AnnotatedImage(relative_name(os.path.abspath(path), root), *image_size(path)))  # noqa: PTH100
        except ImageError as error:
            problems.append(f"{error} It is left out.")
    if added and sources.annotations:
        problems.insert(
            0, f"{len(added)} pictures are not in {sources.annotations}; they start without boxes."
        )
    return dataclasses.replace(dataset, images=(*images.values(), *added)), problems


def read_others(path: Path, dataset: Dataset) -> tuple[list[tuple[Box, ...] | None], list[str]]:
    """The boxes of other annotations for every picture of a data set, and what to say of it.

    Raises:
        LafdError: The file cannot be read, or has none of the pictures.
    """
    other = read_annotations(path).seen_from(dataset.root)
    found = {image.name: tuple(map(Box.of, image.annotations)) for image in other.images}
    others = [found.get(image.name) for image in dataset.images]
    missing = sum(boxes is None for boxes in others)
    if missing == len(others):
        raise LafdError(f"{path}: has none of the pictures, the first of which is {dataset.images[0].name}.")
    problems = list(other.problems)
    if missing:
        problems.append(f"{path}: {missing} of the pictures are not in it; they are compared with nothing.")
    return others, problems


def count_differences(ours: tuple[Box, ...], theirs: tuple[Box, ...]) -> int:
    """How many boxes have no counterpart on the other side; ignore regions and faces are not the same."""
    count = 0
    for ignore in (False, True):
        a, b = ([box.box for box in side if box.ignore == ignore] for side in (ours, theirs))
        left, right = (np.array(side, np.float32).reshape(-1, 4) for side in (a, b))
        overlap = boxes.iou(left, right) >= _SAME
        count += int((~overlap.any(1)).sum() + (~overlap.any(0)).sum())
    return count
