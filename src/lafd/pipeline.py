"""Detection over many files: reading and detecting overlap in threads, results come in the order of the files."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lafd import images
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.errors import LafdError
from lafd.images import ImageSource, Picture

FRAMES = 4  # of an animation in memory at once


@dataclass(frozen=True)
class FileResult:
    """What became of one file, or of one frame of it.

    Attributes:
        path: The file; a str is a URI such as s3://bucket/picture.png.
        frame: Number of the frame, from 0; None for the picture as a whole.
        detections: The faces; None when the file failed.
        error: Why it failed, one sentence.
    """

    path: Path | str
    frame: int | None = None
    detections: Detections | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Path, frame if there is one, width, height and faces, or path and error; ready for JSON."""
        head: dict[str, Any] = {"path": str(self.path)}
        if self.frame is not None:
            head["frame"] = self.frame
        if self.detections is None:
            return {**head, "error": self.error}
        return {**head, **self.detections.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FileResult:
        """The result that `to_dict` wrote, rounded as there."""
        found = None if "error" in data else Detections.from_dict(data)
        return cls(to_path(data["path"]), data.get("frame"), found, data.get("error"))


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
    detector: Detector, paths: Iterable[Path | str], options: Options, work: Work
) -> Iterator[FileResult]:
    """Detects faces in files; a file that cannot be read gives a result with an error and stops nothing.

    At most two batches per worker are in memory, however many files there are.
    """
    return itertools.chain.from_iterable(detect_each(detector, paths, options, work))


def detect_each(
    detector: Detector, paths: Iterable[Path | str], options: Options, work: Work
) -> Iterator[list[FileResult]]:
    """As `detect_files`, with the results of a file together: one, or one per frame."""
    iterator = iter(paths)
    chunks = iter(lambda: list(itertools.islice(iterator, work.batch)), [])
    with ThreadPoolExecutor(work.workers, "lafd") as pool:
        waiting: deque[Future[list[list[FileResult]]]] = deque()
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


def detect_chunk(
    detector: Detector, paths: list[Path | str], options: Options, work: Work
) -> list[list[FileResult]]:
    """Reads and detects a few files in one thread."""
    if work.all_frames:
        results = [detect_frames(detector, path, options) for path in paths]
    else:
        results = [[result] for result in detect_first(detector, paths, options)]
    visit = work.visit
    return [[visited(one, visit) for one in each] for each in results] if visit else results


def detect_first(detector: Detector, paths: list[Path | str], options: Options) -> list[FileResult]:
    """Detects in the pictures of files, or the first of their frames; those of the same shape share a forward pass."""
    pictures: list[Picture] = []
    reasons: list[str | None] = []
    for path in paths:
        try:
            picture = detector.read(source(path), options)
            detector.view(picture, options)
        except LafdError as error:
            reasons.append(str(error))
        else:
            pictures.append(picture)
            reasons.append(None)
    found = iter(detector.detect_pictures(pictures, options))
    return [
        FileResult(path, detections=next(found)) if reason is None else FileResult(path, error=reason)
        for path, reason in zip(paths, reasons, strict=True)
    ]


def detect_frames(detector: Detector, path: Path | str, options: Options) -> list[FileResult]:
    """Detects in every frame of a file, a few at a time: a small file may have thousands of large frames."""
    results: list[FileResult] = []
    try:
        frames = images.load_frames(
            source(path), background=options.background, max_pixels=options.max_pixels
        )
        while part := list(itertools.islice(frames, FRAMES)):
            pictures = [Picture(pixels, pixels.shape[1], pixels.shape[0]) for pixels in part]
            for faces in detector.detect_pictures(pictures, options):
                results.append(FileResult(path, len(results), faces))
    except LafdError as error:
        return [FileResult(path, error=str(error))]
    return results


def to_path(name: str) -> Path | str:
    """A path, or the text as it is if it is a URI."""
    return name if "://" in name else Path(name)


def source(path: Path | str) -> ImageSource:
    """What to read: the path itself, or what lies at a URI."""
    if isinstance(path, Path):
        return path
    from lafd.storage import fetch

    return fetch(path)


def visited(result: FileResult, visit: Callable[[FileResult], None]) -> FileResult:
    """The result after the visit, or the visit's error."""
    try:
        visit(result)
    except LafdError as error:
        return FileResult(result.path, result.frame, error=str(error))
    return result
