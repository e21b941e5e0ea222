"""`lafd evaluate`: how good a model, or any detector's boxes, are on annotated pictures."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lafd.cli import options
from lafd.errors import UsageError
from lafd.files import make_folder, replacing

if TYPE_CHECKING:
    from lafd.evaluation.evaluate import BoxesTask, ModelTask
    from lafd.evaluation.report import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "annotations",
        type=Path,
        metavar="PATH",
        help="annotations of any format (see docs/annotations.md)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write report.json, report.md and plots into DIR"
    )
    parser.add_argument(
        "--gallery",
        type=Path,
        metavar="DIR",
        help="write a page of the worst errors into DIR; it shows your pictures, so keep it to yourself",
    )
    parser.add_argument(
        "--bootstrap",
        type=int,
        default=1000,
        metavar="N",
        help="rounds for the confidence intervals, 0 for none (default: 1000)",
    )
    parser.add_argument(
        "--confidence",
        type=float,
        help="threshold for F1, false positives and errors (default: the model's; 0.5 with --detections)",
    )
    model = parser.add_argument_group("judging a model")
    model.add_argument(
        "--size", type=int, help="longer side at which the network sees a picture, px (default: the model's)"
    )
    model.add_argument(
        "--sizes", type=options.parse_sizes, metavar="N,N,...", help="also AP50 at each of these sizes"
    )
    model.add_argument(
        "--angles", action="store_true", help="also recall on pictures turned by every 15 degrees"
    )
    boxes = parser.add_argument_group("judging any detector's boxes")
    boxes.add_argument(
        "--detections", type=Path, metavar="FILE", help="JSON lines, as of lafd detect --confidence 0.01"
    )
    boxes.add_argument("--name", help="what the report calls the detector (default: the name of FILE)")
    boxes.add_argument(
        "--correct-boxes",
        action="store_true",
        help="judge after an affine correction of the boxes, for detectors with another box rule",
    )
    options.add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints, writes, and returns 1 when a picture failed."""
    check(arguments)
    from lafd.evaluation.evaluate import evaluate_boxes, evaluate_model, read_data
    from lafd.evaluation.text import to_markdown

    data = read_data(arguments.annotations, arguments.bootstrap)
    if arguments.detections:
        done = evaluate_boxes(data, boxes_task(arguments))
    else:
        done = evaluate_model(data, options.make_detector(arguments, 1), model_task(arguments))
    print(to_markdown(done.report), end="")
    if arguments.output:
        write_report(done.report, arguments.output)
    if arguments.gallery:
        from lafd.evaluation.gallery import write_gallery

        page = write_gallery(arguments.gallery, data.samples, done.judged, done.report.detector["confidence"])
        print(f"lafd: {page} shows your pictures; do not share or commit it.", file=sys.stderr)
    for failure in done.failures:
        print(f"lafd: {failure}", file=sys.stderr)
    return 1 if done.failures else 0


def model_task(arguments: argparse.Namespace) -> ModelTask:
    """How to judge the model."""
    from lafd.evaluation.evaluate import ModelTask

    return ModelTask(
        size=arguments.size,
        threshold=arguments.confidence,
        sizes=arguments.sizes or (),
        angles=arguments.angles,
        workers=options.worker_count(arguments),
    )


def boxes_task(arguments: argparse.Namespace) -> BoxesTask:
    """How to judge the boxes of a file."""
    from lafd.evaluation.evaluate import BoxesTask

    return BoxesTask(arguments.detections, arguments.name, arguments.confidence, arguments.correct_boxes)


def check(arguments: argparse.Namespace) -> None:
    """Refuses what does not go together, before any work.

    Raises:
        UsageError: A value is out of range, does not go with another, or needs an extra that is missing.
    """
    if arguments.size is not None and not 32 <= arguments.size <= 16384:
        raise UsageError(f"size must be between 32 and 16384 pixels, not {arguments.size}.")
    if arguments.confidence is not None and not 0 <= arguments.confidence <= 1:
        raise UsageError(f"confidence must be between 0 and 1, not {arguments.confidence}.")
    if arguments.bootstrap < 0:
        raise UsageError(f"bootstrap must be 0 or more rounds, not {arguments.bootstrap}.")
    if arguments.detections and (arguments.size or arguments.sizes or arguments.angles):
        raise UsageError("--size, --sizes and --angles need a model, they do not go with --detections.")
    if not arguments.detections and (arguments.correct_boxes or arguments.name):
        raise UsageError("--correct-boxes and --name go with --detections only.")
    if arguments.output and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("plots need the package matplotlib: pip install 'lafd[evaluate]'")


def write_report(report: Report, folder: Path) -> None:
    """Writes the plots, then report.md and report.json.

    Raises:
        LafdError: The folder or a file cannot be written.
    """
    from lafd.evaluation.plots import write_plots
    from lafd.evaluation.text import to_markdown

    make_folder(folder)
    plots = write_plots(report, folder)
    pictures = "".join(f"\n![{Path(name).stem}]({name})\n" for name in plots)
    texts = {
        "report.md": to_markdown(report) + pictures,
        "report.json": json.dumps(report.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
