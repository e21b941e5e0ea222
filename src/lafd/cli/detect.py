"""`lafd detect`: faces in pictures, folders, globs and lists."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lafd import images
from lafd.cli import options
from lafd.cli.extras import need
from lafd.cli.formats import FORMATS
from lafd.cli.output import Totals, is_folder, opened
from lafd.cli.paths import given_sources
from lafd.detector import Detector, Options
from lafd.draw import draw
from lafd.errors import UsageError
from lafd.files import make_folder
from lafd.pipeline import FileResult, Work, detect_each, source
from lafd.seen import Seen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="picture, folder (recursive), glob, URI, Parquet file with a column path, or - for a list on stdin",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|DIR/",
        help="write results here instead of standard output; goes on where a run that was stopped ended",
    )
    parser.add_argument(
        "--format", choices=(*FORMATS, "parquet"), help="default: by the ending of FILE, else text"
    )
    parser.add_argument(
        "--shard",
        type=int,
        default=10_000,
        metavar="N",
        help="pictures in each Parquet file of DIR/ (default: %(default)s)",
    )
    parser.add_argument(
        "--draw", type=Path, metavar="DIR", help="write pictures with their faces marked into DIR"
    )
    parser.add_argument(
        "--all-frames", action="store_true", help="all frames of animated pictures, not the first alone"
    )
    parser.add_argument(
        "--batch", type=int, default=1, help="pictures that a thread takes at once (default: 1)"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="threads of this machine, or Ray"
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        help="of a Ray cluster (default: one on this machine, for this run)",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say which model and engine are used")
    options.add_reading_arguments(parser)
    options.add_sandbox_arguments(parser)
    options.add_detection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Detects, prints, and returns 1 when a picture failed."""
    with options.sandbox(arguments):
        return detect(arguments)


def detect(arguments: argparse.Namespace) -> int:
    """The work itself."""
    wanted = options.detection_options(arguments)
    for name in ("batch", "shard"):
        if getattr(arguments, name) < 1:
            raise UsageError(f"{name} must be at least 1, not {getattr(arguments, name)}.")
    if arguments.engine == "ray":
        return detect_on_cluster(arguments, wanted)
    if arguments.address is not None:
        raise UsageError("--address is of a Ray cluster: give --engine ray with it.")
    single = len(arguments.paths) == 1 and Path(arguments.paths[0]).is_file()
    detector = options.make_detector(arguments, arguments.threads if single else 1)
    workers = 1 if single else options.worker_count(arguments)
    if arguments.verbose:
        print(
            f"model {detector.card.name}, {detector.runtime.name}, {workers} worker threads", file=sys.stderr
        )
    paths = given_sources(arguments.paths)
    marker = Marker(arguments.draw, wanted) if arguments.draw else None
    if marker:
        paths = map(marker.named, paths)
    work = Work(workers, arguments.batch, arguments.all_frames, marker.mark if marker else None)
    recipe = run_recipe(detector, wanted, arguments.all_frames)
    started, totals = time.monotonic(), Totals()
    with opened(arguments.output, arguments.format, arguments.shard, recipe) as output:
        seen = Seen(totals.earlier(output.earlier()))
        before = totals.pictures
        remaining = (path for path in paths if not (len(seen) and seen.take(str(path))))
        with progress(before, arguments.output is None and sys.stdout.isatty()) as bar:
            for results in detect_each(detector, remaining, wanted, work):
                output.write(results)
                for result in results:
                    totals.add(len(result.detections or ()), result.error is not None)
                    if result.error is not None:
                        bar.write(f"lafd: {result.error}", file=sys.stderr)
                bar.update(len(results))
    report(totals, before, time.monotonic() - started)
    return 1 if totals.failures else 0


def detect_on_cluster(arguments: argparse.Namespace, wanted: Options) -> int:
    """As `detect`, with Ray."""
    need("ray")
    if (
        arguments.output is None
        or not is_folder(arguments.output)
        or arguments.format not in (None, "parquet")
    ):
        raise UsageError("the engine ray writes a folder of Parquet files: give one with a slash, -o faces/")
    for name in ("draw", "sandbox"):
        if getattr(arguments, name):
            raise UsageError(f"--{name} is for the engine local alone: leave it out.")
    from lafd import cluster
    from lafd.shards import Shards

    detector = options.make_detector(arguments, 1)
    local = arguments.address is None or arguments.threads is not None
    workers = options.worker_count(arguments) if local else None
    if arguments.verbose:
        print(f"model {detector.card.name}, {detector.runtime.name}, Ray", file=sys.stderr)
    recipe = run_recipe(detector, wanted, arguments.all_frames)
    place = arguments.output if "://" in arguments.output else str(Path(arguments.output).resolve())
    paths = given_sources(arguments.paths)
    shards = Shards(place, recipe)
    shards.check_finished()
    work = Work(batch=arguments.batch, all_frames=arguments.all_frames)
    job = cluster.Job(detector, wanted, work, place, recipe, arguments.shard)
    started, totals = time.monotonic(), Totals()
    seen = Seen(totals.earlier(shards.rows()))
    before = totals.pictures
    remaining = (str(path) for path in paths if not (len(seen) and seen.take(str(path))))
    with cluster.connected(arguments.address, workers), progress(before, False) as bar:
        for done in cluster.detect(remaining, job, workers):
            totals.pictures += done.pictures
            totals.faces += done.faces
            totals.failures += len(done.errors)
            for error in done.errors:
                bar.write(f"lafd: {error}", file=sys.stderr)
            bar.update(done.pictures)
    report(totals, before, time.monotonic() - started)
    return 1 if totals.failures else 0


def run_recipe(detector: Detector, wanted: Options, all_frames: bool) -> dict[str, Any]:
    """What decides about results, in types of JSON."""
    values = {"version": 1, "weights": detector.card.sha256, **dataclasses.asdict(wanted)}
    return {**values, "background": list(wanted.background), "all_frames": all_frames}


def report(totals: Totals, before: int, seconds: float) -> None:
    """Prints what a run came to, of which earlier runs had done some before."""
    rate = (totals.pictures - before) / max(seconds, 1e-9)
    print(
        f"{totals.pictures} pictures, {totals.faces} faces, {totals.failures} failures, "
        f"{rate:.1f} pictures/s" + (f", {before} were done before" if before else ""),
        file=sys.stderr,
    )


def progress(done: int, printing: bool) -> tqdm[Any]:
    """A progress bar on a terminal, unless results are printed on the same terminal."""
    hidden = not sys.stderr.isatty() or printing
    return tqdm(initial=done, unit=" pictures", file=sys.stderr, disable=hidden, dynamic_ncols=True)


class Marker:
    """Writes pictures with their faces marked, each under a name of its own, the same whenever a list is done again."""

    def __init__(self, folder: Path, wanted: Options) -> None:
        make_folder(folder)
        self.folder, self.options = folder, wanted
        self.names: dict[str, Path] = {}
        self.taken: set[str] = set()

    def named(self, path: Path | str) -> Path | str:
        """Gives a path its name: the file's own where it is free, else with a number; unknown endings become .png."""
        if str(path) not in self.names:
            own = Path(path)
            ending = own.suffix if own.suffix.lower() in images.WRITTEN_ENDINGS else ".png"
            name, number = own.stem + ending, 1
            while name.lower() in self.taken:
                number += 1
                name = f"{own.stem}-{number}{ending}"
            self.taken.add(name.lower())
            self.names[str(path)] = self.folder / name
        return path

    def mark(self, result: FileResult) -> None:
        """Draws one result; called by several threads."""
        assert result.detections is not None
        background, limit = self.options.background, self.options.max_pixels
        target = self.names[str(result.path)]
        if result.frame is None:
            pixels = images.load_image(source(result.path), background=background, max_pixels=limit)
        else:
            target = target.with_stem(f"{target.stem}-{result.frame:04d}")
            frames = images.load_frames(source(result.path), background=background, max_pixels=limit)
            pixels = next(itertools.islice(frames, result.frame, None))
        images.save_image(target, draw(pixels, result.detections))
