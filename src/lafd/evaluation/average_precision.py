"""Average precision as COCO defines it, for one class, with ignore regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_POINTS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Judged:
    """One picture's detections and labels.

    Attributes:
        boxes: float32 (n, 4) detected, xyxy; scores: float32 (n,).
        labels: float32 (m, 4) labelled, xyxy; ignore: bool (m,), neither face nor background.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.float32]
    ignore: NDArray[np.bool_]


@dataclass(frozen=True)
class Matches:
    """All detections of a set, best score first.

    Attributes:
        scores: float32 (n,).
        correct: bool (n,), True for the first detection of a face.
        faces: How many faces there are to find.
        pictures: How many pictures there are.
    """

    scores: NDArray[np.float32]
    correct: NDArray[np.bool_]
    faces: int
    pictures: int


def match(pictures: Sequence[Judged], iou_threshold: float) -> Matches:
    """Gives each detection the best free label, best score first, as pycocotools does.

    Detections whose best label is an ignore region (by intersection over the detection's own area) are dropped.
    """
    scores: list[NDArray[np.float32]] = []
    correct: list[NDArray[np.bool_]] = []
    for picture in pictures:
        order = np.argsort(-picture.scores, kind="stable")
        found = picture.boxes[order]
        faces = picture.labels[~picture.ignore]
        overlap = box_maths.iou(found, faces)
        crowd = box_maths.intersection(found, picture.labels[picture.ignore])
        crowd /= np.maximum(box_maths.area(found), np.float32(1e-9))[:, None]
        free = np.ones(len(faces), bool)
        hit, counted = np.zeros(len(found), bool), np.ones(len(found), bool)
        for i in range(len(found)):
            candidates = np.where(free, overlap[i], -1)
            if len(faces) and candidates.max() >= iou_threshold:
                # pycocotools lets the last of equally good labels win
                free[len(faces) - 1 - int(candidates[::-1].argmax())] = False
                hit[i] = True
            else:
                counted[i] = not (crowd[i] >= iou_threshold).any()
        scores.append(picture.scores[order][counted])
        correct.append(hit[counted])
    flat = np.concatenate(scores) if scores else np.empty(0, np.float32)
    order = np.argsort(-flat, kind="stable")
    all_correct = np.concatenate(correct) if correct else np.empty(0, bool)
    faces_in_all = sum(int((~p.ignore).sum()) for p in pictures)
    return Matches(flat[order], all_correct[order], faces_in_all, len(pictures))


def average_precision(matches: Matches) -> float:
    """Mean of the best precision at 101 recalls (COCO); nan without faces."""
    if not matches.faces:
        return float("nan")
    true = np.cumsum(matches.correct)
    precision = true / np.arange(1, len(true) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(true / matches.faces, RECALL_POINTS, side="left")
    return float(np.append(envelope, 0.0)[np.minimum(place, len(envelope))].mean())
