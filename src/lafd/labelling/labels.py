"""From candidates to labels, and to the order in which a person should look at pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lafd.annotations import AnnotatedImage, Annotation
from lafd.annotations.writing import write_bytes
from lafd.errors import UsageError
from lafd.labelling.views import Candidates

DOUBTFUL = "doubtful"  # attribute of boxes that a person should look at


@dataclass(frozen=True)
class Thresholds:
    """How candidates are divided by their score.

    Attributes:
        keep: From this score on a candidate is a face.
        drop: Below this score it is nothing; between the two it is doubtful.

    Raises:
        UsageError: They are not in [0, 1], or in the wrong order.
    """

    keep: float = 0.5
    drop: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.drop <= self.keep <= 1:
            raise UsageError(
                f"keep and drop must be between 0 and 1, keep the higher, not {self.keep} and {self.drop}."
            )


def pseudo_labels(candidates: Candidates, thresholds: Thresholds) -> tuple[Annotation, ...]:
    """Labels to train on: doubtful candidates are ignore regions."""
    return tuple(
        Annotation((box[0], box[1], box[2], box[3]), ignore=score < thresholds.keep, score=score)
        for box, score in zip(candidates.boxes.tolist(), candidates.scores.tolist(), strict=True)
        if score >= thresholds.drop
    )


def pre_labels(candidates: Candidates, thresholds: Thresholds) -> tuple[Annotation, ...]:
    """Labels to correct: doubtful candidates are faces with the attribute `doubtful`."""
    return tuple(
        replace(a, ignore=False, attributes={DOUBTFUL: True}) if a.ignore else a
        for a in pseudo_labels(candidates, thresholds)
    )


def priority(candidates: Candidates) -> float:
    """How much a person should look at a picture: the entropy of its most uncertain candidate, in bits.

    A score is the mean of all views, so that it is in the middle where views disagree as well as where all are unsure.
    """
    p = candidates.scores.astype(float).clip(1e-6, 1 - 1e-6)
    entropies = -p * np.log2(p) - (1 - p) * np.log2(1 - p)
    return float(entropies.max(initial=0))


def write_order(path: Path, images: Sequence[AnnotatedImage], priorities: Sequence[float]) -> None:
    """Writes JSON lines of {"file_name", "priority", "doubtful": indices of boxes}, the highest priority first.

    Raises:
        LafdError: The file cannot be written.
    """
    lines = []
    for i in np.argsort(-np.array(priorities), kind="stable").tolist():
        doubtful = [k for k, a in enumerate(images[i].annotations) if a.attributes.get(DOUBTFUL)]
        lines.append({"file_name": images[i].name, "priority": round(priorities[i], 4), "doubtful": doubtful})
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
