"""Whether scores mean what they say: of the detections that score 0.8, are 80 % faces?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lafd.evaluation.average_precision import Matches, Weights

BINS = 10
LEAST_SCORE = 0.1  # the many detections below would make any detector look calibrated


@dataclass(frozen=True)
class ScoreBin:
    """Detections with scores in [low, high).

    Attributes:
        low: Least score.
        high: Upper limit; the last bin holds 1.0.
        detections: How many there are.
        mean_score: Their mean score.
        precision: Share of them that found a face.
    """

    low: float
    high: float
    detections: int
    mean_score: float
    precision: float


def reliability(matches: Matches) -> list[ScoreBin]:
    """The detections by score, in ten bins of equal width; empty bins are left out."""
    place = np.minimum((matches.scores.astype(np.float64) * BINS + 1e-6).astype(int), BINS - 1)
    bins = []
    for number in range(BINS):
        member = place == number
        if member.any():
            mean, correct = float(matches.scores[member].mean()), float(matches.correct[member].mean())
            bins.append(ScoreBin(number / BINS, (number + 1) / BINS, int(member.sum()), mean, correct))
    return bins


def expected_calibration_error(matches: Matches, weights: Weights | None = None) -> float:
    """Mean over detections of |mean score - precision| of their bin, from score 0.1 on; nan without detections."""
    place = np.minimum((matches.scores.astype(np.float64) * BINS + 1e-6).astype(int), BINS - 1)
    counts = np.ones(len(place)) if weights is None else weights[matches.picture]
    counts = counts * (place >= LEAST_SCORE * BINS)
    gaps = np.bincount(place, counts * (matches.scores - matches.correct), minlength=BINS)
    return float(np.abs(gaps).sum() / counts.sum()) if counts.sum() else float("nan")
