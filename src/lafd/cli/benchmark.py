"""`lafd benchmark`: how long detection takes on this machine."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

from lafd import models
from lafd.cli.extras import need
from lafd.errors import UsageError
from lafd.files import make_folder

SHAPES = ("384x259", "384x216", "276x384", "640x480", "640x640", "1280x720", "1920x1080")
"""The first three are those of the original's table; 640x640 is what YOLO networks usually see."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write a report with plots here (extra benchmark)"
    )
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="default: all shipped models")
    parser.add_argument("--devices", nargs="+", default=["cpu"], metavar="DEVICE", help="default: cpu")
    parser.add_argument(
        "--shapes", nargs="+", default=SHAPES, metavar="WxH", help=f"pictures (default: {' '.join(SHAPES)})"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of one forward pass (default: 1)")
    parser.add_argument("--rounds", type=int, default=30, help="times that everything runs (default: 30)")
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="FILE",
        help="time the detectors too that benchmarks/peers/setup.sh set up",
    )
    parser.add_argument(
        "--accuracy",
        type=Path,
        metavar="DIR",
        help="folder with a report of lafd evaluate per model and peer, for a plot of accuracy over time",
    )


def run(arguments: argparse.Namespace) -> int:
    """Times everything and prints the table."""
    from lafd.benchmark import contestants
    from lafd.benchmark.report import Report, markdown, write
    from lafd.benchmark.timing import measure

    rounds, threads, folder = arguments.rounds, arguments.threads, arguments.output
    for name, value in (("rounds", rounds), ("threads", threads)):
        if value < 1:
            raise UsageError(f"{name} must be at least 1, not {value}.")
    if arguments.accuracy and not arguments.accuracy.is_dir():
        raise UsageError(f"--accuracy: {arguments.accuracy} is not a folder.")
    shapes = [shape(text) for text in arguments.shapes]
    runners = list(contestants.ours(arguments.models or models.shipped_models(), arguments.devices, threads))
    if arguments.peers:
        runners += contestants.peers(arguments.peers)
    peaks = []
    if folder:
        need("benchmark")
        make_folder(folder)
        peaks = measure(list(contestants.machine()), [(640, 640)], rounds, threads)
    timings = measure(runners, shapes, rounds, threads)
    report = Report(runners, timings, peaks, shlex.join(["lafd", *sys.argv[1:]]), threads)
    print(markdown(report))
    if folder:
        from lafd.benchmark.plots import write_plots

        write(report, folder)
        write_plots(report, folder, arguments.accuracy)
    return 0


def shape(text: str) -> tuple[int, int]:
    """(640, 480) from "640x480"."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not found:
        raise UsageError(f"a shape must be such as 640x480, not {text!r}.")
    return int(found[1]), int(found[2])
