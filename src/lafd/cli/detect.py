"""`lafd detect`: faces in pictures, folders, globs and lists."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from lafd import images
from lafd.cli import options
from lafd.cli.formats import FORMATS
from lafd.cli.paths import given_paths
from lafd.detector import Options
from lafd.draw import draw
from lafd.errors import LafdError, UsageError
from lafd.files import replacing
from lafd.pipeline import FileResult, Work, detect_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="picture, folder (recursive), glob, or - for a list on stdin"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write results here instead of standard output"
    )
    parser.add_argument("--format", choices=FORMATS, help="default: by the ending of FILE, else text")
    parser.add_argument(
        "--draw", type=Path, metavar="DIR", help="write pictures with their faces marked into DIR"
    )
    parser.add_argument(
        "--all-frames", action="store_true", help="all frames of animated pictures, not the first alone"
    )
    parser.add_argument(
        "--batch", type=int, default=1, help="pictures that a thread takes at once (default: 1)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say which model and engine are used")
    options.add_reading_arguments(parser)
    options.add_detection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Detects, prints, and returns 1 when a picture failed."""
    wanted = options.detection_options(arguments)
    if arguments.batch < 1:
        raise UsageError(f"batch must be at least 1, not {arguments.batch}.")
    single = len(arguments.paths) == 1 and Path(arguments.paths[0]).is_file()
    detector = options.make_detector(arguments, arguments.threads if single else 1)
    workers = 1 if single else options.worker_count(arguments)
    if arguments.verbose:
        print(
            f"model {detector.card.name}, {detector.runtime.name}, {workers} worker threads", file=sys.stderr
        )
    marker = Marker(arguments.draw, wanted) if arguments.draw else None
    work = Work(workers, arguments.batch, arguments.all_frames, marker.mark if marker else None)
    paths = given_paths(arguments.paths)
    started, done, faces, failures = time.monotonic(), 0, 0, []
    kind = arguments.format or format_of(arguments.output)
    with output(arguments.output) as stream, FORMATS[kind](stream) as writer:
        for result in progress(detect_files(detector, paths, wanted, work), stream):
            writer.write(result)
            done += 1
            faces += len(result.detections or ())
            if result.error is not None:
                failures.append(result)
    seconds = time.monotonic() - started
    for failure in failures:
        print(f"lafd: {failure.error}", file=sys.stderr)
    print(
        f"{done} pictures, {faces} faces, {len(failures)} failures, {done / max(seconds, 1e-9):.1f} pictures/s",
        file=sys.stderr,
    )
    return 1 if failures else 0


def format_of(output_file: Path | None) -> str:
    """The format that the ending of the output file names, text for others."""
    ending = output_file.suffix.lower().lstrip(".") if output_file else ""
    return ending if ending in FORMATS else "text"


@contextlib.contextmanager
def output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears only when it is complete."""
    if path is None:
        yield sys.stdout
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def progress(results: Iterator[FileResult], stream: TextIO) -> Iterator[FileResult]:
    """A progress bar on a terminal, unless the results are printed on the same terminal."""
    hidden = not sys.stderr.isatty() or stream.isatty()
    return iter(tqdm(results, unit=" pictures", file=sys.stderr, disable=hidden, dynamic_ncols=True))


class Marker:
    """Writes pictures with their faces marked, each under a name of its own."""

    def __init__(self, folder: Path, wanted: Options) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LafdError(f"{folder}: cannot be made ({error.strerror}).") from None
        self.folder, self.options, self.lock = folder, wanted, threading.Lock()
        self.owners: dict[str, tuple[Path, int | None]] = {}

    def mark(self, result: FileResult) -> None:
        """Draws one result; called by several threads."""
        assert result.detections is not None
        background, limit = self.options.background, self.options.max_pixels
        if result.frame is None:
            pixels = images.load_image(result.path, background=background, max_pixels=limit)
        else:
            frames = images.load_frames(result.path, background=background, max_pixels=limit)
            pixels = next(itertools.islice(frames, result.frame, None))
        images.save_image(self.folder / self.name(result), draw(pixels, result.detections))

    def name(self, result: FileResult) -> str:
        """The file's own name where it is free, else with a number; endings that are not written become .png."""
        ending = result.path.suffix if result.path.suffix.lower() in images.WRITTEN_ENDINGS else ".png"
        stem = result.path.stem if result.frame is None else f"{result.path.stem}-{result.frame:04d}"
        with self.lock:
            name, number = stem + ending, 1
            while name.lower() in self.owners:
                number += 1
                name = f"{stem}-{number}{ending}"
            self.owners[name.lower()] = (result.path, result.frame)
        return name
