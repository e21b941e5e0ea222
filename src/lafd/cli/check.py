"""`lafd check`: faults of annotated pictures, before they are trained on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from lafd.annotations import read_annotations
from lafd.cli import options
from lafd.errors import UsageError
from lafd.files import replacing

SHOWN = 5  # of a kind, in the terminal
SURE = 0.6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "data", nargs="+", type=Path, metavar="DATA", help="annotations of any format; one per split"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write faults.json and a page with the pictures"
    )
    parser.add_argument(
        "--confidence",
        type=float,
        default=SURE,
        help="score from which a face that the model finds ought to have a label (default: %(default)s)",
    )
    parser.add_argument("--no-model", action="store_true", help="do not compare labels with a model's")
    options.add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Checks, prints, writes, and returns 1 when there are faults that make data unusable."""
    if not 0 <= arguments.confidence <= 1:
        raise UsageError(f"confidence must be between 0 and 1, not {arguments.confidence}.")
    from lafd.checking.duplicates import Entry, find_duplicates
    from lafd.checking.faults import KINDS, UNUSABLE, Fault, find_faults
    from lafd.checking.page import write_faults
    from lafd.checking.suspicions import find_suspicions

    workers = options.worker_count(arguments)
    detector = None if arguments.no_model else options.make_detector(arguments, 1)
    datasets = {path: read_annotations(path) for path in arguments.data}
    images = {data.path(image): image for data in datasets.values() for image in data.images}
    entries = [Entry(path, data.path(image)) for path, data in datasets.items() for image in data.images]
    found: list[Fault] = [fault for data in datasets.values() for fault in find_faults(data)]
    found += find_duplicates(entries, workers)
    if detector:
        found += find_suspicions(detector, images.items(), arguments.confidence, workers)
    faults = list(dict.fromkeys(found))  # a file that is no picture is found twice
    for kind, title in KINDS.items():
        show(title, [fault.text for fault in faults if fault.kind == kind])
    if arguments.output:
        page = write_faults(arguments.output, faults, images)
        with replacing(arguments.output / "faults.json") as temporary:
            content = json.dumps([fault.to_dict() for fault in faults], indent=1, ensure_ascii=False)
            temporary.write_text(content + "\n", encoding="utf-8")
        print(f"lafd: {page} shows your pictures; do not share or commit it.", file=sys.stderr)
    return int(any(fault.kind in UNUSABLE for fault in faults))


def show(title: str, texts: Sequence[str]) -> None:
    """Prints how many faults of a kind there are, and the first of them."""
    print(f"{len(texts):6} {title}")
    for text in texts[:SHOWN]:
        print(f"         {text}")
    if len(texts) > SHOWN:
        print(f"         and {len(texts) - SHOWN} more")
