"""A record of what is done, kept while it is done, that outlives kill -9, a full disk and a power cut."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lafd.errors import LafdError, UsageError
from lafd.locks import lock
from lafd.pipeline import FileResult

SYNC_INTERVAL = 1.0  # seconds between writes to the disk itself; a power cut loses no more, a kill nothing


class Row(NamedTuple):
    """What is left to know of a result that is written: its file, whether it is that file's first, and counts."""

    path: str
    first: bool
    faces: int
    failed: bool


class Journal:
    """Results of files, one line of JSON per file after a first line that says which run they are of.

    A line is there as a whole or not at all: what a killed run left of its last one is cut off.

    Args:
        path: The journal; made if it does not exist, continued if it does.
        run: What decides about results, ready for JSON; a journal of another run is not continued.

    Raises:
        UsageError: The journal is of another run, or the file is no journal.
        LafdError: It cannot be written, or another process is writing it.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self.path, self.synced, self.count = path, time.monotonic(), 0
        with self._explained():
            self.file = path.open("a+b", buffering=0)
        try:
            lock(self.file, self.path)
            self._continue(run)
        except BaseException:
            self.close()
            raise

    def append(self, results: Sequence[FileResult]) -> None:
        """Adds the results of one file."""
        with self._explained():
            self._write([result.to_dict() for result in results])
            self.count += 1
            if time.monotonic() - self.synced > SYNC_INTERVAL:
                os.fsync(self.file.fileno())
                self.synced = time.monotonic()

    def __iter__(self) -> Iterator[list[FileResult]]:
        """The results so far, file by file."""
        with self.path.open("rb") as lines:
            next(lines, None)
            for line in lines:
                yield [FileResult.from_dict(data) for data in json.loads(line)]

    def close(self) -> None:
        """Lets go of the file, which stays."""
        self.file.close()

    def remove(self) -> None:
        """Deletes the file, when its content is elsewhere."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _continue(self, run: dict[str, Any]) -> None:
        """Checks whose journal it is, cuts off what is not whole, and begins a new one."""
        end = 0
        with self._explained(), self.path.open("rb") as lines:
            for number, line in enumerate(lines):
                try:
                    data = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    data = None
                if number == 0 and data is None and b"\n" in line:
                    raise UsageError(f"{self.path}: is in the way, it is no journal of lafd; move it.")
                if data is None:
                    break
                if number == 0:
                    check_run(self.path, data, run)
                end += len(line)
                self.count = number
        with self._explained():
            self.file.truncate(end)
            if end == 0:
                self._write(run)

    def _write(self, data: object) -> None:
        line = json.dumps(data).encode() + b"\n"
        while line:
            line = line[self.file.write(line) :]

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except LafdError:
            raise
        except OSError as error:
            raise LafdError(f"{self.path}: cannot be written ({error.strerror or error}).") from None


def check_run(path: Path | str, theirs: Any, ours: dict[str, Any]) -> None:
    """Checks that a file of an earlier run was made as this run makes its own.

    Raises:
        UsageError: It was not.
    """
    if theirs == ours:
        return
    if not isinstance(theirs, dict) or theirs.keys() != ours.keys():
        raise UsageError(
            f"{path}: is of another version of lafd; give another output, or delete it to begin anew."
        )
    key = next(key for key in ours if theirs[key] != ours[key])
    raise UsageError(
        f"{path}: is of a run with {key.replace('_', ' ')} {theirs[key]}, not {ours[key]}; "
        "finish that with its own options, or delete it to begin anew."
    )
