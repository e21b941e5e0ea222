"""What goes wrong at the default threshold, sorted into causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths
from lafd.evaluation.average_precision import Judged, Matches

BACKGROUND = "false positive on the background"
MISPLACED = "false positive near a face, misplaced"
DUPLICATE = "false positive on a face already found"
LOW_SCORE = "missed face with a score under the threshold"
BADLY_BOXED = "missed face with a misplaced box"
UNSEEN = "missed face without a box"

NEAR = 0.1  # IoU from which a box is about a face
SAME = 0.5  # IoU from which it has found it


@dataclass(frozen=True)
class Error:
    """One error.

    Attributes:
        cause: One of the texts above.
        picture: Number of the picture.
        box: float32 (4,), the false positive or the missed face.
        score: Of the false positive, or of the best detection near the missed face (0 if there is none).
    """

    cause: str
    picture: int
    box: NDArray[np.float32]
    score: float


def find_errors(judged: Sequence[Judged], matches: Matches, threshold: float) -> list[Error]:
    """Every error at a threshold; `matches` are those of `judged` at IoU 0.5."""
    errors = []
    shown = matches.scores >= threshold
    for i in np.flatnonzero(shown & ~matches.correct):
        number = int(matches.picture[i])
        box = judged[number].boxes[matches.place[i]]
        faces = judged[number].labels[~judged[number].ignore]
        overlap = float(box_maths.iou(box[None], faces).max(initial=0))
        cause = DUPLICATE if overlap >= SAME else MISPLACED if overlap >= NEAR else BACKGROUND
        errors.append(Error(cause, number, box, float(matches.scores[i])))
    missed = np.ones(len(matches.face_picture), bool)
    missed[matches.face[shown & matches.correct]] = False
    return errors + [missed_face(judged, matches, int(face), threshold) for face in np.flatnonzero(missed)]


def missed_face(judged: Sequence[Judged], matches: Matches, face: int, threshold: float) -> Error:
    """Why a face was missed."""
    number = int(matches.face_picture[face])
    picture = judged[number]
    label = picture.labels[matches.face_place[face]]
    overlap = box_maths.iou(label[None], picture.boxes)[0]
    score = float(picture.scores[overlap >= NEAR].max(initial=0))
    if score >= threshold and not (matches.face == face).any():
        cause = BADLY_BOXED
    else:
        cause = LOW_SCORE if (overlap >= SAME).any() else UNSEEN
    return Error(cause, number, label, score)


def count_causes(errors: Sequence[Error]) -> dict[str, int]:
    """How many errors have each cause, in a fixed order."""
    causes = (BACKGROUND, MISPLACED, DUPLICATE, LOW_SCORE, BADLY_BOXED, UNSEEN)
    return {cause: sum(error.cause == cause for error in errors) for cause in causes}
