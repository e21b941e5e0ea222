"""Measures what `--slice` gains for tiny faces, and what it costs, beside a larger `--size`.

    python benchmarks/slicing.py val.json -o benchmarks/slicing [--model base] [--tag tiny]

For every way of looking it writes, into `slicing.json` and `slicing.md`: average precision, recall at one false
positive per picture, the default threshold's F1, and the median time of a picture on one thread. Run it on a quiet
machine.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lafd import Detector, Options
from lafd.benchmark.report import measured, signature, write_both
from lafd.evaluation.average_precision import Judged, average_precision, match
from lafd.evaluation.inference import LEAST_CONFIDENCE, judge
from lafd.evaluation.operating_points import f1, recall_at
from lafd.evaluation.text import table
from lafd.images import load_image
from lafd.training.samples import Sample, read_samples

TAG = "tiny"
TIMED_EVERY = 3  # pictures
WAYS = {
    "default": Options(),
    "--size 1280": Options(size=1280),
    "--slice 512": Options(slice=512),
    "--slice 384": Options(slice=384),
    "--slice 256": Options(slice=256),
}


def measure(detector: Detector, samples: Sequence[Sample], options: Options) -> dict[str, Any]:
    """Figures of all pictures and of those with the tag; time without reading files, at the default threshold."""
    found, seconds = [], []
    for number, sample in enumerate(samples):
        pixels = load_image(sample.path)
        if number % TIMED_EVERY == 0:
            started = time.perf_counter()
            detector.detect(pixels, options)
            seconds.append(time.perf_counter() - started)
        found.append(detector.detect(pixels, dataclasses.replace(options, confidence=LEAST_CONFIDENCE)))
    judged = judge(samples, found)
    tagged = [j for j, sample in zip(judged, samples, strict=True) if TAG in sample.tags]
    threshold = detector.card.confidence
    return {
        "ms": round(1000 * statistics.median(seconds), 1),
        "all": figures(judged, threshold),
        TAG: figures(tagged, threshold),
    }


def figures(judged: Sequence[Judged], threshold: float) -> dict[str, float]:
    """Of some pictures."""
    matches = match(judged, 0.5)
    return {
        "pictures": matches.pictures,
        "faces": len(matches.face_picture),
        "AP50": round(average_precision(matches), 4),
        "recall at 1 FP": round(recall_at(matches, 1), 4),
        "F1": round(f1(matches, threshold), 4),
    }


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    first = next(iter(report["ways"].values()))
    lines = ["# Slicing", ""]
    for part in ("all", TAG):
        about = first[part]
        what = "All pictures" if part == "all" else f"Pictures with the tag {TAG!r}"
        lines += [f"{what}: {about['pictures']}, with {about['faces']} faces.", ""]
        rows = [
            (name, *(f"{way[part][key]:.3f}" for key in ("AP50", "recall at 1 FP", "F1")), f"{way['ms']:.1f}")
            for name, way in report["ways"].items()
        ]
        lines += [*table(("options", "AP50", "recall at 1 FP", "F1", "ms per picture"), rows), ""]
    lines += [f"Model: {report['model']}. Data: {report['data']}. {signature(report)}", ""]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("annotations", type=Path, metavar="COCO", help="annotated pictures")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write slicing.json and slicing.md")
    parser.add_argument("--model", default="base", help="name or .onnx file")
    parser.add_argument("--tag", help="only pictures with this tag")
    arguments = parser.parse_args()
    samples = [s for s in read_samples(arguments.annotations) if not arguments.tag or arguments.tag in s.tags]
    detector = Detector(arguments.model, threads=1)
    detector.detect(np.zeros((64, 64, 3), np.uint8))
    report = {
        "model": detector.card.name,
        "data": arguments.annotations.name,
        **measured(),
        "ways": {name: measure(detector, samples, options) for name, options in WAYS.items()},
    }
    print(markdown(report))
    if arguments.output:
        write_both(arguments.output / "slicing", report, markdown(report))


if __name__ == "__main__":
    main()
