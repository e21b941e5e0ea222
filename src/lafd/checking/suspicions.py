"""Labels that a trained model doubts: faces that it is sure of without a label, and labels where it sees nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lafd import boxes as box_maths
from lafd.annotations import AnnotatedImage
from lafd.checking.faults import UNLABELLED, UNSEEN, Fault, shown
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.images import load_image
from lafd.pipeline import Work, detect_files
from lafd.pixels import Pixels

LEAST = 0.1  # score from which the model has seen something
SAME = 0.3  # IoU from which a detection is of the labelled face: boxes of people differ
COVERED = 0.5  # of a detection, from which an ignore region answers for it
AROUND = 4  # sides of a label to each side of its middle, that the model sees when it looks again
AGAIN = (128, 256)  # px, sizes at which it then looks


def find_suspicions(
    detector: Detector, images: Iterable[tuple[Path, AnnotatedImage]], sure: float, workers: int
) -> Iterator[Fault]:
    """Compares labels with a model's detections; pictures that cannot be read or have another size are left out.

    Args:
        detector: The detector, at its own size.
        images: Pictures' files and their labels.
        sure: Score from which a detection ought to have a label, in [0, 1].
        workers: Threads.

    Yields:
        Faults, first the unlabelled faces that the model is surest of, then the largest unseen labels.
    """
    there = [(path, image) for path, image in images if path.is_file()]
    results = detect_files(detector, (path for path, _ in there), Options(confidence=LEAST), Work(workers))
    ranked: list[tuple[float, Fault]] = []
    for (path, image), result in zip(there, tqdm(results, "model", len(there), disable=None), strict=True):
        found = result.detections
        if found is not None and (found.width, found.height) == (image.width, image.height):
            ranked += [*unlabelled(path, image, found, sure), *unseen(detector, path, image, found)]
    for kind in (UNLABELLED, UNSEEN):
        of_kind = [(rank, fault) for rank, fault in ranked if fault.kind == kind]
        yield from (fault for _, fault in sorted(of_kind, key=lambda pair: -pair[0]))


def unlabelled(
    path: Path, image: AnnotatedImage, found: Detections, sure: float
) -> Iterator[tuple[float, Fault]]:
    """Sure detections that are no label's and not in an ignore region, by score."""
    labels, regions = image.boxes[~image.ignore], image.boxes[image.ignore]
    free = box_maths.iou(found.boxes, labels).max(1, initial=0) < SAME
    free &= box_maths.coverage(found.boxes, regions).max(1, initial=0) < COVERED
    for i in np.flatnonzero(free & (found.scores >= sure)):
        face, score = found[int(i)], float(found.scores[i])
        yield score, Fault(UNLABELLED, f"{path}: {shown(face.box)}, score {score:.2f}.", path, face.box)


def unseen(
    detector: Detector, path: Path, image: AnnotatedImage, found: Detections
) -> Iterator[tuple[float, Fault]]:
    """Labels without a detection, however unsure, also when looked at again, by their share of the picture."""
    alone = box_maths.iou(image.boxes, found.boxes).max(1, initial=0) < SAME
    doubted = np.flatnonzero(alone & ~image.ignore & (box_maths.area(image.boxes) > 0))
    if not len(doubted):
        return
    pixels = load_image(path)
    for i in doubted:
        if not seen_again(detector, pixels, image.boxes[i]):
            box = image.annotations[i].box
            share = float(box_maths.area(image.boxes[i : i + 1])[0]) / (image.width * image.height)
            yield share, Fault(UNSEEN, f"{path}: {shown(box)}.", path, box)


def seen_again(detector: Detector, pixels: Pixels, box: NDArray[np.float32]) -> bool:
    """Whether the model sees a face in a box, xyxy (4,), when it looks at nothing but its surroundings."""
    middle, reach = (box[:2] + box[2:]) / 2, AROUND * (box[2:] - box[:2]).max()
    around = np.concatenate([middle - reach, middle + reach])[None]
    (left, top, right, bottom), *_ = box_maths.clip(around, pixels.shape[1], pixels.shape[0]).tolist()
    left, top = int(left), int(top)
    part = pixels[top : math.ceil(bottom), left : math.ceil(right)]
    if part.size == 0:  # the label is outside its picture
        return False
    there = (box - np.array([left, top, left, top], np.float32))[None]
    looks = (Options(resize_scale=size / max(part.shape[:2]), confidence=LEAST) for size in AGAIN)
    return any((box_maths.iou(there, detector.detect(part, look).boxes) >= SAME).any() for look in looks)
