"""Where results go: a stream, or a file or a folder of Parquet files, which go on where a stopped run ended."""

from __future__ import annotations

import contextlib
import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from lafd.cli.extras import need
from lafd.cli.formats import FORMATS
from lafd.errors import LafdError, UsageError
from lafd.journal import Journal, Row
from lafd.pipeline import FileResult


class Output(Protocol):
    """Takes results, file by file."""

    def earlier(self) -> Iterator[Row]:
        """What earlier runs have done."""
        ...

    def write(self, results: list[FileResult]) -> None:
        """Takes the results of one file."""
        ...

    def complete(self) -> None:
        """Says that there are no more."""
        ...

    def close(self) -> None:
        """Ends the run, complete or not."""
        ...


@dataclass
class Totals:
    """What a run came to, its earlier parts included."""

    pictures: int = 0
    faces: int = 0
    failures: int = 0

    def add(self, faces: int, failed: bool) -> None:
        """Counts one picture or frame."""
        self.pictures += 1
        self.faces += faces
        self.failures += failed

    def earlier(self, rows: Iterable[Row]) -> Iterator[str]:
        """Counts what earlier runs have done; yields its files."""
        for row in rows:
            self.add(row.faces, row.failed)
            if row.first:
                yield row.path


@contextlib.contextmanager
def opened(target: str | None, kind: str | None, shard: int, run: dict[str, Any]) -> Iterator[Output]:
    """The output that the user named, complete if the block ends well.

    Args:
        target: A file, a folder (with a slash at its end, or one that exists), or None for standard output.
        kind: One of `FORMATS` or "parquet"; None goes by the ending of the target.
        shard: Pictures in a file of a folder.
        run: What decides about the results.
    """
    output: Output
    if target is not None and "://" in target:
        raise UsageError(f"{target}: only --engine ray writes there; give a file or folder of this machine.")
    if target is not None and is_folder(target):
        if kind not in (None, "parquet"):
            raise UsageError(f"{target}: a folder takes Parquet files alone, not {kind}; give a file.")
        output = FolderOutput(target, shard, run)
    else:
        path = None if target is None else Path(target)
        kind = kind or format_of(path)
        if path is not None and (path.is_file() or not path.exists()):
            output = FileOutput(path, path.with_name(f"{path.name}.part"), kind, run)
        elif kind == "parquet":
            raise UsageError("the format parquet needs a file or a folder: -o faces.parquet")
        else:
            output = StreamOutput(path, kind)
    try:
        yield output
        output.complete()
    finally:
        output.close()


def is_folder(target: str) -> bool:
    """Whether the target is meant to be a folder."""
    return target.endswith(("/", "\\")) or "://" in target or Path(target).is_dir()


def format_of(path: Path | None) -> str:
    """The format that the ending of the output file names, text for others."""
    ending = path.suffix.lower().lstrip(".") if path else ""
    return ending if ending in (*FORMATS, "parquet") else "text"


class StreamOutput:
    """Standard output, a pipe or a device: what is written is gone."""

    def __init__(self, path: Path | None, kind: str) -> None:
        self.stack = contextlib.ExitStack()
        stream = sys.stdout if path is None else self.stack.enter_context(text_file(path))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self.writer = FORMATS[kind](stream)
        self.writer.__enter__()

    def earlier(self) -> Iterator[Row]:
        """See `Output.earlier`."""
        return iter(())

    def write(self, results: list[FileResult]) -> None:
        """See `Output.write`."""
        for result in results:
            self.writer.write(result)

    def complete(self) -> None:
        """See `Output.complete`."""
        self.writer.__exit__(None, None, None)

    def close(self) -> None:
        """See `Output.close`."""
        self.stack.close()


class FileOutput:
    """A file that appears when it is complete; until then its results are in a journal beside it."""

    def __init__(self, path: Path, journal: Path, kind: str, run: dict[str, Any]) -> None:
        if kind == "parquet":
            need("parquet")
        self.path, self.kind, self.run = path, kind, run
        self.journal = Journal(journal, run)

    def earlier(self) -> Iterator[Row]:
        """See `Output.earlier`."""
        for results in self.journal:
            for i, result in enumerate(results):
                yield Row(str(result.path), not i, len(result.detections or ()), result.error is not None)

    def write(self, results: list[FileResult]) -> None:
        """See `Output.write`."""
        self.journal.append(results)

    def complete(self) -> None:
        """Writes the journal in the wanted format, puts that into place, and drops the journal."""
        temporary = self.journal.path.with_name(
            f"{self.journal.path.name}.new"
        )  # one name, also after a kill
        results = itertools.chain.from_iterable(self.journal)
        try:
            write_file(temporary, self.kind, results, self.run)
            temporary.replace(self.path)
        except OSError as error:
            raise LafdError(f"{self.path}: cannot be written ({error.strerror or error}).") from None
        finally:
            temporary.unlink(missing_ok=True)
        self.journal.remove()

    def close(self) -> None:
        """Keeps the journal for the next run, unless there is nothing in it."""
        if self.journal.count:
            self.journal.close()
        else:
            self.journal.remove()


class FolderOutput:
    """A folder of Parquet files that grows: what is in it is not done again."""

    def __init__(self, folder: str, shard: int, run: dict[str, Any]) -> None:
        need("parquet")
        from lafd.shards import Shards

        self.folder, self.shard, self.run = Path(folder), shard, run
        self.shards = Shards(folder, run)
        numbers = [-1]
        for name in self.shards.names():  # a journal is still there after a kill at the end of `complete`
            self.journal_of(name).unlink(missing_ok=True)
            if (number := name[len("part-") : -len(".parquet")]).isdecimal():
                numbers.append(int(number))
        self.part = self.part_of(max(numbers) + 1)

    def part_of(self, number: int) -> FileOutput:
        """The file of that number."""
        self.number, name = number, f"part-{number:05d}.parquet"
        return FileOutput(self.folder / name, self.journal_of(name), "parquet", self.run)

    def journal_of(self, name: str) -> Path:
        """The journal of a file, which readers of Parquet folders pass over for its first letter."""
        return self.folder / f"_{name}.part"

    def earlier(self) -> Iterator[Row]:
        """See `Output.earlier`."""
        return itertools.chain(self.shards.rows(), self.part.earlier())

    def write(self, results: list[FileResult]) -> None:
        """See `Output.write`."""
        self.part.write(results)
        if self.part.journal.count >= self.shard:
            self.part.complete()
            self.part = self.part_of(self.number + 1)

    def complete(self) -> None:
        """See `Output.complete`."""
        if self.part.journal.count:
            self.part.complete()

    def close(self) -> None:
        """See `Output.close`."""
        self.part.close()


def write_file(path: Path, kind: str, results: Iterator[FileResult], run: dict[str, Any]) -> None:
    """Writes a whole file."""
    if kind == "parquet":
        from lafd import parquet

        with path.open("wb") as binary:
            parquet.write(binary, results, run)
        return
    with text_file(path) as stream, FORMATS[kind](stream) as writer:
        for result in results:
            writer.write(result)


def text_file(path: Path) -> TextIO:
    """A file for text, in which names that are not Unicode are escaped."""
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
