"""Average precision as COCO defines it, for one class, with ignore regions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALL_POINTS = np.linspace(0, 1, 101)

Weights = NDArray[np.float64]


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
    """The detections of a set of pictures, best score first, and the faces that they found.

    Faces and detections are known by the picture they are in and by their place in its `Judged`.

    Attributes:
        scores: float32 (n,) of the detections; those in ignore regions are left out.
        picture: int (n,), the picture of each detection.
        place: int (n,), which box of its picture a detection is.
        face: int (n,), the face that a detection found as an index into `face_picture`, -1 for a false positive.
        face_picture: int (m,), the picture of each face there is to find.
        face_place: int (m,), which label of its picture a face is.
        pictures: How many pictures there are.
    """

    scores: NDArray[np.float32]
    picture: NDArray[np.intp]
    place: NDArray[np.intp]
    face: NDArray[np.intp]
    face_picture: NDArray[np.intp]
    face_place: NDArray[np.intp]
    pictures: int

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether a detection found a face, bool (n,)."""
        return self.face >= 0

    def restricted(self, detections: NDArray[np.bool_], faces: NDArray[np.bool_]) -> Matches:
        """The same with all faces ignored but some, as COCO does for ranges of size.

        Args:
            detections: bool (n,), the false positives that count.
            faces: bool (m,), the faces that count, with the detections that found them.
        """
        kept = np.where(self.correct, faces[self.face] if len(faces) else False, detections)
        number = np.cumsum(faces) - 1
        return dataclasses.replace(
            self,
            scores=self.scores[kept],
            picture=self.picture[kept],
            place=self.place[kept],
            face=np.where(self.correct, number[self.face] if len(faces) else -1, -1)[kept],
            face_picture=self.face_picture[faces],
            face_place=self.face_place[faces],
        )

    def of_pictures(self, member: NDArray[np.bool_]) -> Matches:
        """Only some of the pictures, bool (pictures,), numbered anew."""
        part = self.restricted(member[self.picture], member[self.face_picture])
        number = np.cumsum(member) - 1
        return dataclasses.replace(
            part,
            picture=number[part.picture],
            face_picture=number[part.face_picture],
            pictures=int(member.sum()),
        )


def match(pictures: Sequence[Judged], iou_threshold: float) -> Matches:
    """Gives each detection the best free face, best score first, as pycocotools does.

    Detections without a face that lie in an ignore region (by intersection over the detection's own area) are dropped.
    """
    none = np.empty(0, np.intp)
    scores, picture, place, face = [np.empty(0, np.float32)], [none], [none], [none]
    face_picture, face_place, faces = [none], [none], 0
    for number, judged in enumerate(pictures):
        order, found = match_one(judged, iou_threshold)
        scores.append(judged.scores[order])
        picture.append(np.full(len(order), number))
        place.append(order)
        face.append(np.where(found >= 0, found + faces, -1))
        places = np.flatnonzero(~judged.ignore)
        face_picture.append(np.full(len(places), number))
        face_place.append(places)
        faces += len(places)
    flat = np.concatenate(scores)
    best = np.argsort(-flat, kind="stable")
    return Matches(
        scores=flat[best],
        picture=np.concatenate(picture)[best],
        place=np.concatenate(place)[best],
        face=np.concatenate(face)[best],
        face_picture=np.concatenate(face_picture),
        face_place=np.concatenate(face_place),
        pictures=len(pictures),
    )


def match_one(judged: Judged, iou_threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """One picture's detections that count, best score first, and the face that each found (-1 for none)."""
    order = np.argsort(-judged.scores, kind="stable")
    boxes: Any = judged.boxes[order].astype(np.float64)  # as pycocotools; float32 differs at IoU 0.7
    labels: Any = judged.labels.astype(np.float64)
    overlap = box_maths.iou(boxes, labels[~judged.ignore])
    ignored = (box_maths.coverage(boxes, labels[judged.ignore]) >= iou_threshold).any(1)
    faces = overlap.shape[1]
    found = np.full(len(order), -1)
    for i in range(len(order) if faces else 0):
        # pycocotools lets the last of equally good labels win
        best = faces - 1 - int(overlap[i, ::-1].argmax())
        if overlap[i, best] >= iou_threshold:
            found[i] = best
            overlap[:, best] = -1
    counted = (found >= 0) | ~ignored
    return order[counted], found[counted]


def average_precision(matches: Matches, weights: Weights | None = None) -> float:
    """Mean of the best precision at 101 recalls (COCO); nan without faces.

    Args:
        matches: The detections and faces.
        weights: float64 (pictures,), how often each picture counts; None counts each once.
    """
    precision, recall = precision_recall(matches, weights)
    if not len(recall):
        return float("nan") if not total_faces(matches, weights) else 0.0
    place = np.searchsorted(recall, RECALL_POINTS, side="left")
    return float(np.append(precision, 0.0)[np.minimum(place, len(precision))].mean())


def precision_recall(
    matches: Matches, weights: Weights | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision (k,), made falling by taking the best at any higher recall, and recall (k,); empty without faces."""
    faces = total_faces(matches, weights)
    if not faces:
        return np.empty(0), np.empty(0)
    counts = np.ones(len(matches.scores)) if weights is None else weights[matches.picture]
    true = np.cumsum(counts * matches.correct)
    precision = true / np.maximum(np.cumsum(counts), 1)
    return np.maximum.accumulate(precision[::-1])[::-1], true / faces


def total_faces(matches: Matches, weights: Weights | None) -> float:
    """Faces there are to find, each as often as its picture counts."""
    return float(len(matches.face_picture) if weights is None else weights[matches.face_picture].sum())
