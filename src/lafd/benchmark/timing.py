"""Timing several things in one run so that they can be compared: interleaved, after a warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

WARM_UP = 5


@dataclass(frozen=True)
class Case:
    """Something to time.

    Attributes:
        name: What runs: model and engine.
        part: Which part of it: "detect" from array to faces, or "network" alone.
        width: Of the image, px.
        height: Of the image, px.
        run: Does it once.
    """

    name: str
    part: str
    width: int
    height: int
    run: Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """What a case took, in milliseconds."""

    name: str
    part: str
    width: int
    height: int
    median: float
    p95: float
    lowest: float
    runs: int


def measure(cases: Sequence[Case], rounds: int) -> list[Timing]:
    """Runs all cases in turn, `rounds` times, so that a machine whose speed drifts slows all of them alike."""
    times: list[list[float]] = [[] for _ in cases]
    for turn in range(WARM_UP + rounds):
        for case, taken in zip(cases, times, strict=True):
            started = time.perf_counter()
            case.run()
            if turn >= WARM_UP:
                taken.append((time.perf_counter() - started) * 1e3)
    return [
        Timing(
            case.name,
            case.part,
            case.width,
            case.height,
            median=round(float(np.median(taken)), 3),
            p95=round(float(np.percentile(taken, 95)), 3),
            lowest=round(min(taken), 3),
            runs=len(taken),
        )
        for case, taken in zip(cases, times, strict=True)
    ]
