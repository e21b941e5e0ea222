"""From annotated pictures and a detector, or its boxes, to a report."""

from __future__ import annotations

import datetime
import functools
import hashlib
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from lafd import __version__
from lafd.detector import Detector
from lafd.errors import LafdError
from lafd.evaluation.average_precision import Judged
from lafd.evaluation.box_correction import Correction, cross_fitted
from lafd.evaluation.curves import AnglePoint, SizePoint, angle_point, size_point
from lafd.evaluation.detections_file import read_detections
from lafd.evaluation.inference import detect_samples, judge, judge_turned, network_scale
from lafd.evaluation.intervals import Estimate
from lafd.evaluation.report import Measuring, Report, measure, summarise
from lafd.training.samples import Sample, read_samples

ANGLES = range(0, 360, 15)
DEFAULT_THRESHOLD = 0.5  # for boxes from a file, which names none

Item = TypeVar("Item")


@dataclass(frozen=True)
class Data:
    """Annotated pictures and how often they are drawn for confidence intervals."""

    path: Path
    samples: Sequence[Sample]
    rounds: int

    def describe(self) -> dict[str, Any]:
        """What a report says of them."""
        file = self.path.is_file()  # a folder has no hash of its own
        return {
            "name": self.path.name,
            **({"sha256": hashlib.sha256(self.path.read_bytes()).hexdigest()} if file else {}),
            "pictures": len(self.samples),
            "faces": sum(int((~sample.ignore).sum()) for sample in self.samples),
            "ignored": sum(int(sample.ignore.sum()) for sample in self.samples),
        }


@dataclass(frozen=True)
class ModelTask:
    """How to judge a model; None takes what its card says.

    Attributes:
        size: Longer side at which the network sees a picture, px.
        threshold: Score from which a detection counts.
        sizes: Sizes for the curve of accuracy over size, ascending.
        angles: Whether to turn the pictures.
        workers: Threads.
    """

    size: int | None = None
    threshold: float | None = None
    sizes: Sequence[int] = ()
    angles: bool = False
    workers: int = 1


@dataclass(frozen=True)
class BoxesTask:
    """How to judge boxes from a file.

    Attributes:
        file: JSON lines, see `detections_file`.
        name: What the report calls the detector; None for the name of the file.
        threshold: Score from which a detection counts; None for 0.5.
        correct: Whether to correct the boxes, see `box_correction`.
    """

    file: Path
    name: str | None = None
    threshold: float | None = None
    correct: bool = False


@dataclass(frozen=True)
class Evaluation:
    """A report, what it was made from, and the pictures that could not be read, one sentence each."""

    report: Report
    judged: list[Judged]
    failures: list[str]


def read_data(path: Path, rounds: int) -> Data:
    """Reads annotations.

    Raises:
        LafdError: They cannot be read, have no pictures, or name a picture that does not exist.
    """
    samples = read_samples(path)
    if not samples:
        raise LafdError(f"{path}: there are no pictures in it.")
    return Data(path, samples, rounds)


def evaluate_boxes(data: Data, task: BoxesTask) -> Evaluation:
    """Judges boxes from a file.

    Raises:
        LafdError: The file does not fit the pictures, or too few boxes fit the faces to be corrected.
    """
    found, failures = read_detections(task.file, data.samples)
    judged = judge(data.samples, found)
    threshold = DEFAULT_THRESHOLD if task.threshold is None else task.threshold
    how = Measuring(data.samples, threshold, data.rounds)
    raw: dict[str, Estimate] | None = None
    corrections: tuple[Correction, ...] = ()
    if task.correct:
        raw = summarise(judged, how)
        judged, corrections = cross_fitted(judged, [s.size for s in data.samples], threshold)
    report = Report(
        detector={"name": task.name or task.file.stem, "confidence": threshold},
        data=data.describe(),
        made=describe_making(),
        figures=measure(judged, how),
        corrections=corrections,
        uncorrected=raw,
    )
    return Evaluation(report, judged, failures)


def evaluate_model(data: Data, detector: Detector, task: ModelTask) -> Evaluation:
    """Judges a model.

    Raises:
        LafdError: A picture has not the annotated size.
    """
    samples, card = data.samples, detector.card
    size = task.size or card.size
    threshold = card.confidence if task.threshold is None else task.threshold
    failures: dict[str, None] = {}  # as an ordered set: each size meets the same ones

    @functools.cache
    def judged_at(wanted: int) -> list[Judged]:
        results = detect_samples(detector, samples, wanted, task.workers)
        found = []
        for detections, failure in progress(results, len(samples), f"size {wanted}"):
            found.append(detections)
            if failure is not None:
                failures[failure] = None
        return judge(samples, found)

    report = Report(
        detector={
            "name": card.name,
            "weights": f"sha256 {card.sha256}",
            "engine": detector.runtime.name,
            "size": size,
            "confidence": threshold,
            "iou": card.iou,
        },
        data=data.describe(),
        made=describe_making(),
        figures=measure(
            judged_at(size),
            Measuring(samples, threshold, data.rounds, lambda i: network_scale(samples[i], size)),
        ),
        sizes=size_curve(samples, task.sizes, judged_at),
        angles=angle_curve(detector, samples, (size, task.workers), threshold) if task.angles else [],
    )
    return Evaluation(report, judged_at(size), list(failures))


def size_curve(
    samples: Sequence[Sample], sizes: Sequence[int], judged_at: Callable[[int], list[Judged]]
) -> list[SizePoint]:
    """Figures at each size, the smallest first; `judged_at(size)` gives the detections."""

    def scale_at(size: int) -> Callable[[int], float]:
        return lambda i: network_scale(samples[i], size)

    return [size_point(size, judged_at(size), (scale_at(size), scale_at(sizes[0]))) for size in sizes]


def angle_curve(
    detector: Detector, samples: Sequence[Sample], view: tuple[int, int], threshold: float
) -> list[AnglePoint]:
    """Figures at each angle, on the pictures with faces; `view` is the size in px and the number of threads."""
    with_faces = [sample for sample in samples if not sample.ignore.all()]
    points = []
    for angle in ANGLES:
        turned = judge_turned(detector, with_faces, angle, view)
        judged = list(progress(turned, len(with_faces), f"{angle} degrees"))
        points.append(angle_point(angle, judged, threshold))
    return points


def progress(items: Iterable[Item], total: int, name: str) -> Iterable[Item]:
    """A progress bar on a terminal."""
    bar: Iterable[Item] = tqdm(
        items, name, total, leave=False, disable=not sys.stderr.isatty(), dynamic_ncols=True
    )
    return bar


def describe_making() -> dict[str, str]:
    """When and by what a report is made."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return {"lafd": __version__, "date": today, "python": platform.python_version(), "machine": machine()}


def machine() -> str:
    """System and processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f"{platform.system()} {platform.machine()}, {processor}"
