"""Figures on parts of the data: by style, by tag, by size of the faces, and on pictures without faces."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd.evaluation import operating_points as at
from lafd.evaluation.average_precision import Judged, Matches, Weights, average_precision
from lafd.evaluation.intervals import Estimate, estimate
from lafd.training.samples import Sample

RELATIVE_SIZES = (0.0, 0.03, 0.06, 0.12, 0.25, 0.55, float("inf"))  # of the picture's longer side
NETWORK_SIZES = (0.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, float("inf"))  # px as the network sees a face


@dataclass(frozen=True)
class Slice:
    """Figures on a part of the data.

    Attributes:
        name: Which part.
        pictures: Pictures in it, those without faces too; for a range of sizes, those with such a face.
        faces: Faces in it.
        ap50: Average precision at IoU 0.5.
        recall_at_1: Recall at one false positive per picture.
        recall: Recall at the default threshold.
    """

    name: str
    pictures: int
    faces: int
    ap50: Estimate
    recall_at_1: Estimate
    recall: Estimate


@dataclass(frozen=True)
class Faceless:
    """False positives at the default threshold on pictures without faces.

    Attributes:
        kind: Their style.
        pictures: How many there are.
        with_false_positives: How many have at least one.
        per_picture: False positives per picture.
    """

    kind: str
    pictures: int
    with_false_positives: int
    per_picture: Estimate


def slice_of(name: str, matches: Matches, threshold: float, draws: Weights) -> Slice:
    """Figures on all of `matches`; `draws` (rounds, pictures) are those of `intervals.resample`."""
    return Slice(
        name,
        len(np.unique(matches.face_picture)),
        len(matches.face_picture),
        estimate(lambda w: average_precision(matches, w), draws),
        estimate(lambda w: at.recall_at(matches, 1.0, w), draws),
        estimate(lambda w: at.recall(matches, threshold, w), draws),
    )


def by_picture(
    names: Sequence[Sequence[str]], matches: Matches, threshold: float, draws: Weights
) -> list[Slice]:
    """One slice per name that any picture with faces has; `names` are those of each picture.

    Returns:
        The slices, most faces first.
    """
    slices = []
    for name in sorted({name for each in names for name in each}):
        member = np.array([name in each for each in names], bool)
        part = matches.of_pictures(member)
        if len(part.face_picture):
            found = slice_of(name, part, threshold, draws[:, member])
            slices.append(dataclasses.replace(found, pictures=part.pictures))
    return sorted(slices, key=lambda part: -part.faces)


def by_size(
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    edges: Sequence[float],
    matches: Matches,
    threshold: float,
    draws: Weights,
) -> list[Slice]:
    """One slice per range of face sizes; other faces and false positives of other sizes are ignored.

    Args:
        sides: Longer sides of the detections (n,) and of the faces (m,), in the unit of `edges`.
        edges: Ascending limits of the ranges; a range holds its lower limit.
        matches: The detections and faces.
        threshold: Default score threshold.
        draws: Bootstrap draws (rounds, pictures).
    """
    slices = []
    for low, high in itertools.pairwise(edges):
        found, faces = ((low <= side) & (side < high) for side in sides)
        part = matches.restricted(found, faces)
        if len(part.face_picture):
            slices.append(slice_of(range_name(low, high), part, threshold, draws))
    return slices


def range_name(low: float, high: float) -> str:
    """Text such as "0.03 to 0.06"."""
    return f"{low:g} and over" if high == float("inf") else f"{low:g} to {high:g}"


def sides_of(
    matches: Matches, judged: Sequence[Judged], unit: Callable[[int], float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longer sides of detections (n,) and faces (m,), divided by `unit(picture)`."""
    units = np.array([unit(number) for number in range(len(judged))], float)

    def longer(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(1, initial=0), np.float64)

    found, labels = [longer(j.boxes) for j in judged], [longer(j.labels) for j in judged]
    of_found = [found[p][i] for p, i in zip(matches.picture, matches.place, strict=True)]
    of_faces = [labels[p][i] for p, i in zip(matches.face_picture, matches.face_place, strict=True)]
    return np.array(of_found) / units[matches.picture], np.array(of_faces) / units[matches.face_picture]


def faceless(samples: Sequence[Sample], matches: Matches, threshold: float, draws: Weights) -> list[Faceless]:
    """False positives on pictures without faces: on all of them, then by style."""
    empty = np.bincount(matches.face_picture, minlength=matches.pictures) == 0
    styles = np.array([sample.style or "unstated" for sample in samples])
    kinds = [("all", empty)] + [(kind, empty & (styles == kind)) for kind in sorted(set(styles[empty]))]
    return [
        faceless_kind(kind, matches.of_pictures(m), threshold, draws[:, m]) for kind, m in kinds if m.any()
    ]


def faceless_kind(kind: str, matches: Matches, threshold: float, draws: Weights) -> Faceless:
    """False positives on pictures of one kind, none of which has a face."""
    per_picture = estimate(lambda w: at.false_positives_per_picture(matches, threshold, w), draws)
    wrong = matches.picture[matches.scores >= threshold]
    return Faceless(kind, matches.pictures, len(np.unique(wrong)), per_picture)
