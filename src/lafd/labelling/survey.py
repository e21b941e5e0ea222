"""Candidates of many pictures: several at once, and remembered in a file, so that work that was stopped goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lafd.detector import Detector
from lafd.errors import LafdError
from lafd.files import make_folder
from lafd.labelling.views import Candidates, look


@dataclass(frozen=True)
class Found:
    """What became of one picture.

    Attributes:
        path: The picture.
        candidates: What may be its faces; None if it failed.
        error: Why it failed, one sentence.
    """

    path: Path
    candidates: Candidates | None = None
    error: str | None = None


class Memory:
    """A file of JSON lines, one per picture that was looked at; a line that a kill has torn is left out.

    Its name has a hash of the model and of the sizes, so that other views never take its lines for theirs.

    Args:
        start: Path of the file up to the hash.
        detector: The detector.
        sizes: Longer sides at which it sees the pictures, px.

    Raises:
        LafdError: The file cannot be read or written.
    """

    def __init__(self, start: Path, detector: Detector, sizes: Sequence[int]) -> None:
        recipe = json.dumps([detector.card.sha256, detector.card.iou, list(sizes)])
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        self.path = start.with_name(f"{start.name}-{digest}.jsonl")
        self.known: dict[str, Candidates] = {}
        make_folder(start.parent)
        try:
            self.file = self.path.open("a+b", buffering=0)
            self.file.seek(0)
            for line in self.file.read().splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    data = json.loads(line)
                    self.known[data["path"]] = Candidates.from_dict(data, 2 * len(sizes))
            self.file.write(b"\n")  # ends a torn line
        except OSError as error:
            raise LafdError(f"{self.path}: cannot be opened ({error.strerror or error}).") from None

    def add(self, path: Path, candidates: Candidates) -> None:
        """Remembers a picture.

        Raises:
            LafdError: The file cannot be written.
        """
        data: dict[str, Any] = {"path": str(path), **candidates.to_dict()}
        try:
            self.file.write(json.dumps(data, separators=(",", ":")).encode() + b"\n")
        except OSError as error:
            raise LafdError(f"{self.path}: cannot be written ({error.strerror or error}).") from None

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


def survey(
    detector: Detector, paths: Iterable[Path], sizes: Sequence[int], memory: Memory, workers: int
) -> Iterator[Found]:
    """Looks at pictures, in their order; one that cannot be read gives an error and stops nothing.

    Args:
        detector: The detector.
        paths: The pictures.
        sizes: Longer sides at which the network sees them, px.
        memory: What was looked at before.
        workers: Threads.
    """

    def work(path: Path) -> Found:
        if (known := memory.known.get(str(path))) is not None:
            return Found(path, known)
        try:
            return Found(path, look(detector, path, sizes))
        except LafdError as error:
            return Found(path, error=str(error))

    def remembered(found: Found) -> Found:
        if found.candidates is not None and str(found.path) not in memory.known:
            memory.add(found.path, found.candidates)
        return found

    with ThreadPoolExecutor(workers, "lafd") as pool:
        waiting: deque[Future[Found]] = deque()
        try:
            for path in paths:
                waiting.append(pool.submit(work, path))
                if len(waiting) >= 2 * workers:
                    yield remembered(waiting.popleft().result())
            while waiting:
                yield remembered(waiting.popleft().result())
        finally:
            for future in waiting:
                future.cancel()
