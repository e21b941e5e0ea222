"""Everything that is measured of a detector, as one value that can be written as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lafd.evaluation import operating_points as at
from lafd.evaluation import slices
from lafd.evaluation.average_precision import (
    IOU_THRESHOLDS,
    RECALL_POINTS,
    Judged,
    Matches,
    Weights,
    average_precision,
    match,
    precision_recall,
)
from lafd.evaluation.box_correction import Correction
from lafd.evaluation.calibration import ScoreBin, expected_calibration_error, reliability
from lafd.evaluation.curves import AnglePoint, SizePoint
from lafd.evaluation.errors import count_causes, find_errors
from lafd.evaluation.intervals import Estimate, estimate, resample
from lafd.evaluation.slices import Faceless, Slice
from lafd.training.samples import Sample


@dataclass(frozen=True)
class Figures:
    """What follows from one set of detections.

    Attributes:
        summary: The main figures by name, on all pictures.
        faceless: False positives on pictures without faces, by kind.
        slices: Figures on parts of the data, by what divides them.
        calibration: Precision by score.
        causes: Errors at the default threshold by cause.
        curves: Precision at recalls 0, 0.01 ... 1, by IoU threshold.
    """

    summary: dict[str, Estimate]
    faceless: list[Faceless]
    slices: dict[str, list[Slice]]
    calibration: list[ScoreBin]
    causes: dict[str, int]
    curves: dict[str, list[float]]


@dataclass(frozen=True)
class Report:
    """What is measured of a detector on annotated pictures.

    Attributes:
        detector: What was judged: name, confidence (the default threshold), and what else is known of it.
        data: The annotated pictures: name of the file, SHA-256, counts.
        made: Versions, machine, date.
        figures: The figures, of corrected boxes if boxes were corrected.
        sizes: Figures by size of the network's input.
        angles: Figures by angle of turned pictures.
        corrections: The box corrections of both halves of the pictures, if boxes were corrected.
        uncorrected: The main figures before that.
    """

    detector: dict[str, Any]
    data: dict[str, Any]
    made: dict[str, str]
    figures: Figures
    sizes: list[SizePoint] = field(default_factory=list)
    angles: list[AnglePoint] = field(default_factory=list)
    corrections: tuple[Correction, ...] = ()
    uncorrected: dict[str, Estimate] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: figures rounded to five decimals, undefined ones None."""
        return {key: jsonable(value) for key, value in dataclasses.asdict(self).items()}


def jsonable(value: Any) -> Any:
    """Without nan, infinity and needless decimals."""
    if isinstance(value, dict):
        return {key: jsonable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(each) for each in value]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value


@dataclass(frozen=True)
class Measuring:
    """What every measurement needs.

    Attributes:
        samples: The annotated pictures.
        threshold: Default score threshold of the detector.
        rounds: Bootstrap rounds.
        scale: By how much the network sees a picture (by its number) enlarged; None if unknown.
    """

    samples: Sequence[Sample]
    threshold: float
    rounds: int
    scale: Callable[[int], float] | None = None

    def draws(self) -> Weights:
        """Bootstrap draws of pictures."""
        return resample(range(len(self.samples)), self.rounds)


def measure(judged: Sequence[Judged], how: Measuring) -> Figures:
    """Everything that follows from one set of detections."""
    matches = match(judged, 0.5)
    return Figures(
        summary=summarise(judged, how),
        faceless=slices.faceless(how.samples, matches, how.threshold, how.draws()),
        slices=divide(judged, matches, how),
        calibration=reliability(matches),
        causes=count_causes(find_errors(judged, matches, how.threshold)),
        curves={f"{iou:g}": curve(match(judged, iou)) for iou in (0.5, 0.75)},
    )


def divide(judged: Sequence[Judged], matches: Matches, how: Measuring) -> dict[str, list[Slice]]:
    """Figures by style, by tag and by size of the faces; `matches` are those of `judged` at IoU 0.5."""
    draws, threshold = how.draws(), how.threshold
    styles = [[sample.style] if sample.style else [] for sample in how.samples]
    tags = [[tag for tag in sample.tags if tag != sample.style] for sample in how.samples]
    relative = slices.sides_of(matches, judged, lambda i: max(how.samples[i].size))
    parts = {
        "style": slices.by_picture(styles, matches, threshold, draws),
        "tag": slices.by_picture(tags, matches, threshold, draws),
        "face size / picture size": slices.by_size(
            relative, slices.RELATIVE_SIZES, matches, threshold, draws
        ),
    }
    if scale := how.scale:
        seen = slices.sides_of(matches, judged, lambda i: 1 / scale(i))
        parts["face size in the network, px"] = slices.by_size(
            seen, slices.NETWORK_SIZES, matches, threshold, draws
        )
    return {name: part for name, part in parts.items() if part}


def summarise(judged: Sequence[Judged], how: Measuring) -> dict[str, Estimate]:
    """The main figures."""
    every = [match(judged, float(iou)) for iou in IOU_THRESHOLDS]
    half, three_quarters = every[0], every[5]
    draws, threshold = how.draws(), how.threshold
    sources = resample([sample.source for sample in how.samples], how.rounds)
    figures: dict[str, Callable[[Weights | None], float]] = {
        "AP50": lambda w: average_precision(half, w),
        "AP75": lambda w: average_precision(three_quarters, w),
        "AP[.5:.95]": lambda w: float(np.mean([average_precision(m, w) for m in every])),
        "recall at 0.1 false positives per picture": lambda w: at.recall_at(half, 0.1, w),
        "recall at 1 false positive per picture": lambda w: at.recall_at(half, 1.0, w),
        "F1": lambda w: at.f1(half, threshold, w),
        "precision": lambda w: at.precision(half, threshold, w),
        "recall": lambda w: at.recall(half, threshold, w),
        "expected calibration error": lambda w: expected_calibration_error(half, w),
    }
    summary = {name: estimate(figure, draws) for name, figure in figures.items()}
    by_source = estimate(figures["AP50"], sources)
    return {"AP50": summary.pop("AP50"), "AP50, sources drawn": by_source, **summary}


def curve(matches: Matches) -> list[float]:
    """Precision at the recalls 0, 0.01 ... 1."""
    precision, recall = precision_recall(matches)
    place = np.searchsorted(recall, RECALL_POINTS)
    return [float(p) for p in np.append(precision, 0.0)[np.minimum(place, len(precision))]]
