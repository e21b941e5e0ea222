"""Measures what `--turned` gains for faces at any angle, and what it costs.

    python benchmarks/turned.py val.json -o benchmarks/turned [--model base] [--threads 2]

Pictures with faces are turned in steps of 15 degrees, as `lafd evaluate --angles` turns them; with `--turned` up to 75
degrees, because a quarter more shows it the same. `turned.json` and `turned.md` have the recall at one false positive
per picture and at the default threshold at each angle, without and with `--turned`, the same for pictures with the tag
"rotated" as they are, the false positives on pictures without faces, and the median time of a picture on one thread.
Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lafd import Detector, Options
from lafd.benchmark.report import measured, signature, write_both
from lafd.evaluation.average_precision import Judged, match
from lafd.evaluation.curves import angle_point
from lafd.evaluation.inference import judge_turned
from lafd.evaluation.operating_points import false_positives_per_picture
from lafd.evaluation.text import table
from lafd.images import load_image
from lafd.training.samples import Sample, read_samples

ANGLES = range(0, 360, 15)
QUARTER = 90
TIMED = 100  # pictures
WAYS = {"upright": False, "--turned": True}
TAG = "rotated"


def measure(detector: Detector, samples: Sequence[Sample], turned: bool, threads: int) -> dict[str, Any]:
    """Figures of one way of looking."""
    size, threshold = detector.card.size, detector.card.confidence

    def judge(some: Sequence[Sample], angle: int) -> list[Judged]:
        return list(judge_turned(detector, some, angle, (size, threads), turned))

    def recalls(some: Sequence[Sample], angle: int) -> dict[str, float]:
        point = angle_point(angle, judge(some, angle), threshold)
        return {
            "recall at 1 FP": round(point.recall_at_1, 4),
            "recall at default": round(point.recall, 4),
        }

    angles = range(0, QUARTER, ANGLES.step) if turned else ANGLES
    with_faces = [sample for sample in samples if (~sample.ignore).any()]
    faceless = [sample for sample in samples if not (~sample.ignore).any()]
    empty = match(judge(faceless, 0), 0.5)
    return {
        "pictures with faces": len(with_faces),
        "angles": {str(angle): recalls(with_faces, angle) for angle in angles},
        TAG: recalls([sample for sample in samples if TAG in sample.tags], 0),
        "FP per faceless picture": round(false_positives_per_picture(empty, threshold), 4),
        "ms": round(1000 * statistics.median(seconds(detector, samples[:TIMED], Options(turned=turned))), 1),
    }


def seconds(detector: Detector, samples: Sequence[Sample], options: Options) -> list[float]:
    """For each picture, without reading it."""
    spent = []
    for sample in samples:
        pixels = load_image(sample.path)
        started = time.perf_counter()
        detector.detect(pixels, options)
        spent.append(time.perf_counter() - started)
    return spent


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    ways = report["ways"].items()
    columns = ("recall at 1 FP", "recall at default")

    def at(way: dict[str, Any], angle: int) -> dict[str, float]:
        angles: dict[str, dict[str, float]] = way["angles"]
        return angles.get(str(angle)) or angles[str(angle % QUARTER)]

    rows = [
        (str(angle), *(f"{at(way, angle)[key]:.3f}" for key in columns for _, way in ways))
        for angle in ANGLES
    ]
    costs = [
        (
            name,
            *(f"{way[TAG][key]:.3f}" for key in columns),
            f"{way['FP per faceless picture']:.3f}",
            f"{way['ms']:.1f}",
        )
        for name, way in ways
    ]
    header = ("degrees", *(f"{key}, {name}" for key in columns for name, _ in ways))
    tagged = (f"{key}, tag {TAG}" for key in columns)
    lines = [
        "# Faces at any angle",
        "",
        f"{report['ways']['upright']['pictures with faces']} pictures with faces, turned:",
        "",
        *table(header, rows),
        "",
        "Pictures as they are:",
        "",
        *table(("", *tagged, "FP per faceless picture", "ms per picture"), costs),
        "",
        f"Model: {report['model']}. Data: {report['data']}. {signature(report)}",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("annotations", type=Path, metavar="COCO", help="annotated pictures")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write turned.json and turned.md")
    parser.add_argument("--model", default="base", help="name or .onnx file")
    parser.add_argument("--threads", type=int, default=1, help="pictures at once; the time is of one")
    arguments = parser.parse_args()
    samples = read_samples(arguments.annotations)
    detector = Detector(arguments.model, threads=1)
    detector.detect(np.zeros((64, 64, 3), np.uint8))
    report = {
        "model": detector.card.name,
        "data": arguments.annotations.name,
        **measured(),
        "ways": {
            name: measure(detector, samples, turned, arguments.threads) for name, turned in WAYS.items()
        },
    }
    print(markdown(report))
    if arguments.output:
        write_both(arguments.output / "turned", report, markdown(report))


if __name__ == "__main__":
    main()
