"""Confidence intervals by the bootstrap: the set of pictures is drawn again and again, with replacement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lafd.evaluation.average_precision import Weights

SEED = 0
COVERAGE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % confidence interval; nan where it is undefined."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


def resample(groups: Sequence[object], rounds: int) -> Weights:
    """How often each picture is drawn in each round: float64 (rounds, pictures).

    Args:
        groups: What is drawn: pictures with equal entries are drawn together.
        rounds: How many times; the same draws at every call.
    """
    names = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    member = np.array([names[group] for group in groups], int)
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / max(1, len(names))), size=rounds)
    return drawn.astype(np.float64)[:, member]


def estimate(figure: Callable[[Weights | None], float], draws: Weights) -> Estimate:
    """A figure on all pictures, and the middle 95 % of what it is on the draws where it is defined."""
    value = figure(None)
    sampled = np.array([figure(weights) for weights in draws], float)
    sampled = sampled[np.isfinite(sampled)]
    if not np.isfinite(value) or not len(sampled):
        return Estimate(value)
    tail = 50 * (1 - COVERAGE)
    low, high = np.percentile(sampled, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))
