"""Measures what OpenCV gains where it is installed, and that the same faces are found without it.

    python benchmarks/opencv.py val.json -o benchmarks/opencv

Two processes take turns, one of which cannot import OpenCV. For pictures of several sizes each times reading a JPEG for
size 640, scaling to it, and all of `detect` from an array: processor's time of one thread, the least of all runs. Then
each looks at the annotated pictures. It writes `opencv.json` and `opencv.md`. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lafd import Detector, preprocess
from lafd.evaluation.average_precision import average_precision, match
from lafd.evaluation.inference import detect_samples, judge
from lafd.evaluation.operating_points import f1
from lafd.evaluation.text import table
from lafd.images import read_image
from lafd.opencv import limit_threads
from lafd.training.samples import read_samples

SIZES = ((800, 600), (1280, 720), (1000, 1400), (1920, 1080), (1500, 2100), (2480, 3508))
PARTS = ("read", "scale", "detect")
RUNS, ROUNDS = 9, 4
WAYS = ("with", "without")


def least(work: Callable[[], object]) -> float:
    """Milliseconds of the processor."""
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return 1000 * best


def time_parts(folder: Path) -> dict[str, dict[str, float]]:
    """Of each picture: milliseconds of each part."""
    limit_threads(1)
    detector = Detector(threads=1)
    return {path.stem: time_picture(detector, path) for path in folder.iterdir()}


def time_picture(detector: Detector, path: Path) -> dict[str, float]:
    """Milliseconds of each part."""
    size = detector.card.size
    encoded, pixels = path.read_bytes(), read_image(path).pixels
    view = preprocess.fit(*pixels.shape[:2], size, None)
    canvas = np.empty((view.padded_height, view.padded_width, 3), np.uint8)
    works: tuple[Callable[[], object], ...] = (
        lambda: read_image(encoded, reduce_to=size),
        lambda: preprocess.place(pixels, view, canvas),
        lambda: detector.detect(pixels),
    )
    return dict(zip(PARTS, map(least, works), strict=True))


def accuracy(annotations: Path) -> dict[str, float]:
    """Of the default model on annotated pictures."""
    detector, samples = Detector(), read_samples(annotations)
    found = [faces for faces, _ in detect_samples(detector, samples, detector.card.size, 1)]
    matches = match(judge(samples, found), 0.5)
    return {"AP50": average_precision(matches), "F1": f1(matches, detector.card.confidence)}


def child(way: str, task: str, path: Path) -> Any:
    """Runs a task in a process of its own, without OpenCV if so wanted."""
    block = "import sys; sys.modules['cv2'] = None; " if way == "without" else "import sys; "
    here = f"sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    code = f"{block}{here}import json, opencv, pathlib; print(json.dumps(opencv.{task}(pathlib.Path(sys.argv[1]))))"
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own file
    return json.loads(done.stdout)


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    from lafd.benchmark.report import signature

    times = report["milliseconds"]
    rows = [
        (name, *(f"{times[way][name][part]:.1f}" for part in PARTS for way in WAYS)) for name in times["with"]
    ]
    head = ("picture", *(f"{part}, {way}" for part in PARTS for way in WAYS))
    lines = [
        "# With and without OpenCV",
        "",
        "Milliseconds of the processor, one thread, the least of all runs, to read a JPEG for size 640, to scale an "
        "array to it, and for all of `detect` from the array.",
        "",
        *table(head, rows),
        "",
    ]
    judged = report["accuracy"]
    rows = [(way, *(f"{judged[way][key]:.4f}" for key in ("AP50", "F1"))) for way in WAYS]
    lines += [f"On the pictures of {report['data']}:", "", *table(("OpenCV", "AP50", "F1"), rows), ""]
    return "\n".join([*lines, f"Model: base. {signature(report)}", ""])


def main() -> None:
    """Measures, prints and writes."""
    from lafd.benchmark.report import measured, write_both
    from lafd.drawing import draw_scene
    from lafd.images import save_image

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("annotations", type=Path, metavar="COCO", help="annotated pictures")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write opencv.json and opencv.md")
    arguments = parser.parse_args()
    milliseconds: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            save_image(Path(folder, f"{width}x{height}.jpg"), draw_scene(width, height, 1).image)
        for _ in range(ROUNDS):
            for way in WAYS:
                found = child(way, "time_parts", Path(folder))
                milliseconds[way] = lower(milliseconds.get(way, found), found)
    order = [f"{width}x{height}" for width, height in SIZES]
    report = {
        "data": arguments.annotations.name,
        **measured(),
        "milliseconds": {way: {name: milliseconds[way][name] for name in order} for way in WAYS},
        "accuracy": {way: child(way, "accuracy", arguments.annotations.absolute()) for way in WAYS},
    }
    print(markdown(report))
    if arguments.output:
        write_both(arguments.output / "opencv", report, markdown(report))


def lower(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The lower one of each two times."""
    return {
        name: {part: round(min(first[name][part], second[name][part]), 3) for part in PARTS} for name in first
    }


if __name__ == "__main__":
    main()
