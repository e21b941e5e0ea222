"""The manifest of crops: one JSON line per picture while the work goes on, and a CSV table of all at its end."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from lafd.errors import LafdError, UsageError
from lafd.files import replacing

LINES, TABLE = "manifest.jsonl", "manifest.csv"
COLUMNS = ("file", "path", "region_x1", "region_y1", "region_x2", "region_y2", "tilt", "width", "height")
FACE_COLUMNS = ("x1", "y1", "x2", "y2", "score")

Record = dict[str, Any]


class Manifest:
    """Records what became of each picture; what is recorded survives a kill.

    Args:
        folder: Where it lies; it exists.
        resume: Whether to go on with the manifest of an earlier run.

    Raises:
        UsageError: There is a manifest, but it is not to be gone on with.
        LafdError: It cannot be read or written.
    """

    def __init__(self, folder: Path, resume: bool) -> None:
        self.folder = folder
        self.done: set[str] = set()
        path = folder / LINES
        if path.exists() and not resume:
            raise UsageError(
                f"{path} is of an earlier run: --resume goes on with it, or choose another folder."
            )
        earlier = read_lines(path) if path.exists() else ()
        with replacing(path) as temporary, writing(temporary, "w") as stream:
            for record in earlier:  # failures are tried again
                if "error" not in record and record["path"] not in self.done:
                    self.done.add(record["path"])
                    stream.write(line(record))
        self.stream = writing(path, "a")

    def __contains__(self, path: Path) -> bool:
        return str(path) in self.done

    def add(self, record: Record) -> None:
        """Adds the record of one picture.

        Raises:
            LafdError: It cannot be written.
        """
        try:
            self.stream.write(line(record))
            self.stream.flush()
        except OSError as error:
            raise LafdError(
                f"{self.folder / LINES}: cannot be written ({error.strerror or error})."
            ) from None

    def close(self) -> None:
        """Writes the table.

        Raises:
            LafdError: It cannot be written.
        """
        self.stream.close()
        with replacing(self.folder / TABLE) as temporary, writing(temporary, "w") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow((*COLUMNS, *FACE_COLUMNS))
            for record in read_lines(self.folder / LINES):
                for crop in record.get("crops", ()):
                    table.writerows(rows(record["path"], crop))


def writing(path: Path, mode: str) -> TextIO:
    """A text file for writing, which takes file names that are not UTF-8, too."""
    return cast(TextIO, path.open(mode, encoding="utf-8", errors="surrogateescape", newline="\n"))


def read_lines(path: Path) -> Iterator[Record]:
    """The records of a manifest one by one, without lines that are torn.

    Raises:
        LafdError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            for text in stream:
                with contextlib.suppress(ValueError):
                    record = json.loads(text)
                    if isinstance(record, dict) and isinstance(record.get("path"), str):
                        yield record
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror or error}).") from None


def line(record: Record) -> str:
    """A record as a line."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def rows(path: str, crop: Record) -> list[list[Any]]:
    """A row for every face of a crop; one with empty columns where it has none."""
    head = [crop["file"], path, *crop["region"], crop["tilt"], crop["width"], crop["height"]]
    faces = [[*face["box"], face["score"]] for face in crop["faces"]]
    return [[*head, *face] for face in faces or [[""] * len(FACE_COLUMNS)]]
