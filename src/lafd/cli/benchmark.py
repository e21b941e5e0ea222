"""`lafd benchmark`: how long detection takes on this machine."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from lafd import models
from lafd.cli.extras import need
from lafd.detector import Detector
from lafd.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write speed.json and speed.md here")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="default: all shipped models")
    parser.add_argument("--devices", nargs="+", default=["cpu"], metavar="DEVICE", help="default: cpu")
    parser.add_argument("--threads", type=int, default=1, help="threads of one forward pass (default: 1)")
    parser.add_argument("--rounds", type=int, default=30, help="times that everything runs (default: 30)")
    parser.add_argument(
        "--lffd", action="store_true", help="time the original LFFD network too (extra train)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Times everything and prints the table."""
    from lafd.benchmark import cases, report
    from lafd.benchmark.timing import measure

    if arguments.rounds < 1:
        raise UsageError(f"rounds must be at least 1, not {arguments.rounds}.")
    if arguments.output and not arguments.output.is_dir():
        raise UsageError(f"{arguments.output} is not a folder.")
    names = arguments.models or models.shipped_models()
    detectors = [Detector(n, device=d, threads=arguments.threads) for n in names for d in arguments.devices]
    lffd = None
    if arguments.lffd:
        need("train")
        lffd = cases.lffd_forward(arguments.threads)
    timings = []
    for shape in cases.SHAPES:
        batch = [case for detector in detectors for case in cases.detector_cases(detector, shape)]
        timings += measure(batch + ([lffd(shape)] if lffd else []), arguments.rounds)
    command = shlex.join(["lafd", *sys.argv[1:]])
    print(report.markdown(timings, report.machine(), command, arguments.threads))
    if arguments.output:
        report.write(arguments.output, timings, command, arguments.threads)
    return 0
