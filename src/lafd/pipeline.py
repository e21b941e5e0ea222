"""Detection over many files: reading and detecting overlap in threads, results come in the order of the files."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lafd import images
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.errors import LafdError
from lafd.images import Picture


@dataclass(frozen=True)
class FileResult:
    """What became of one file, or of one frame of it.

    Attributes:
        path: The file.
        frame: Number of the frame, from 0; None for the picture as a whole.
        detections: The faces; None when the file failed.
        error: Why it failed, one sentence.
    """

    path: Path
    frame: int | None = None
    detections: Detections | None = None
    error: str | None = None


@dataclass(frozen=True)
class Work:
    """How to go over files.

    Attributes:
        workers: Threads that read and detect.
        batch: Files that a worker takes at once; those of the same shape share a forward pass.
        all_frames: Every frame of animated pictures, not the first alone.
        visit: Called in the worker with each result, to write a picture, say; its LafdError becomes the result's.
    """

    workers: int = 1
    batch: int = 1
    all_frames: bool = False
    visit: Callable[[FileResult], None] | None = None


def detect_files(
    detector: Detector, paths: Iterable[Path], options: Options, work: Work
) -> Iterator[FileResult]:
    """Detects faces in files; a file that cannot be read gives a result with an error and stops nothing.

    At most two batches per worker are in memory, however many files there are.
    """
    iterator = iter(paths)
    chunks = iter(lambda: list(itertools.islice(iterator, work.batch)), [])
    with ThreadPoolExecutor(work.workers, "lafd") as pool:
        waiting: deque[Future[list[FileResult]]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(detect_chunk, detector, chunk, options, work))
                if len(waiting) >= 2 * work.workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def detect_chunk(detector: Detector, paths: list[Path], options: Options, work: Work) -> list[FileResult]:
    """Reads and detects a few files in one thread."""
    keys: list[tuple[Path, int | None]] = []
    pictures: list[Picture] = []
    failures: dict[Path, FileResult] = {}
    for path in paths:
        try:
            read = (
                list(read_frames(path, options))
                if work.all_frames
                else [(None, detector.read(path, options))]
            )
            for _, picture in read:
                detector.view(picture, options)
            keys += [(path, frame) for frame, _ in read]
            pictures += [picture for _, picture in read]
        except LafdError as error:
            failures[path] = FileResult(path, error=str(error))
    found = detector.detect_pictures(pictures, options)
    results = [FileResult(path, frame, faces) for (path, frame), faces in zip(keys, found, strict=True)]
    if work.visit:
        results = [visited(result, work.visit) for result in results]
    by_path: dict[Path, list[FileResult]] = {path: [failure] for path, failure in failures.items()}
    for result in results:
        by_path.setdefault(result.path, []).append(result)
    return [result for path in dict.fromkeys(paths) for result in by_path[path]]


def read_frames(path: Path, options: Options) -> Iterator[tuple[int | None, Picture]]:
    """Every frame of a file with its number."""
    frames = images.load_frames(path, background=options.background, max_pixels=options.max_pixels)
    for number, pixels in enumerate(frames):
        yield number, Picture(pixels, pixels.shape[1], pixels.shape[0])


def visited(result: FileResult, visit: Callable[[FileResult], None]) -> FileResult:
    """The result after the visit, or the visit's error."""
    try:
        visit(result)
    except LafdError as error:
        return FileResult(result.path, result.frame, error=str(error))
    return result
