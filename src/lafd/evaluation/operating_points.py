"""What a detector does at one score threshold: recall, precision, F1, false positives per picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lafd.evaluation.average_precision import Matches, Weights, total_faces


def recall_at(matches: Matches, false_positives: float, weights: Weights | None = None) -> float:
    """The best recall at a threshold with at most so many false positives per picture; nan without faces."""
    faces, pictures, counts = _totals(matches, weights)
    if not faces:
        return float("nan")
    # a threshold takes all detections of equal score or none
    ends = np.flatnonzero(np.append(matches.scores[1:] != matches.scores[:-1], True)[: len(counts)])
    wrong = np.cumsum(counts * ~matches.correct)[ends]
    true = np.cumsum(counts * matches.correct)[ends]
    allowed = wrong <= false_positives * pictures
    return float(true[allowed].max(initial=0)) / faces


def recall(matches: Matches, threshold: float, weights: Weights | None = None) -> float:
    """Share of the faces that detections of at least this score found; nan without faces."""
    faces, _, counts = _totals(matches, weights)
    kept = matches.correct & (matches.scores >= threshold)
    return float(counts[kept].sum()) / faces if faces else float("nan")


def precision(matches: Matches, threshold: float, weights: Weights | None = None) -> float:
    """Share of the detections of at least this score that found a face; nan without such detections."""
    _, _, counts = _totals(matches, weights)
    kept = matches.scores >= threshold
    total = float(counts[kept].sum())
    return float(counts[kept & matches.correct].sum()) / total if total else float("nan")


def f1(matches: Matches, threshold: float, weights: Weights | None = None) -> float:
    """Harmonic mean of precision and recall; nan without faces."""
    faces, _, counts = _totals(matches, weights)
    kept = matches.scores >= threshold
    true = float(counts[kept & matches.correct].sum())
    return 2 * true / (float(counts[kept].sum()) + faces) if faces else float("nan")


def false_positives_per_picture(matches: Matches, threshold: float, weights: Weights | None = None) -> float:
    """Detections of at least this score that found no face, per picture; nan without pictures."""
    _, pictures, counts = _totals(matches, weights)
    wrong = ~matches.correct & (matches.scores >= threshold)
    return float(counts[wrong].sum()) / pictures if pictures else float("nan")


def _totals(matches: Matches, weights: Weights | None) -> tuple[float, float, NDArray[np.float64]]:
    """Faces, pictures, and how often each detection counts (n,)."""
    if weights is None:
        return total_faces(matches, None), matches.pictures, np.ones(len(matches.scores))
    return total_faces(matches, weights), float(weights.sum()), weights[matches.picture]
