"""The manifest of crops: one JSON line per picture while the work goes on, and a CSV table of all at its end."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

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
        self.records: dict[str, Record] = {}
        path = folder / LINES
        if path.exists() and not resume:
            raise UsageError(
                f"{path} is of an earlier run: --resume goes on with it, or choose another folder."
            )
        if path.exists():
            self.records = {record["path"]: record for record in read_lines(path) if "error" not in record}
        text = "".join(line(record) for record in self.records.values())
        with replacing(
            path
        ) as temporary:  # without a torn last line, and without failures, which are tried again
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")
        self.stream = path.open("a", encoding="utf-8", errors="surrogateescape")

    def __contains__(self, path: Path) -> bool:
        return str(path) in self.records

    def add(self, record: Record) -> None:
        """Adds the record of one picture.

        Raises:
            LafdError: It cannot be written.
        """
        self.records[record["path"]] = record
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
        with (
            replacing(self.folder / TABLE) as temporary,
            temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream,
        ):
            table = csv.writer(stream, lineterminator="\n")
            table.writerow((*COLUMNS, *FACE_COLUMNS))
            for record in self.records.values():
                for crop in record.get("crops", ()):
                    table.writerows(rows(record["path"], crop))


def read_lines(path: Path) -> list[Record]:
    """The records of a manifest, without lines that are torn.

    Raises:
        LafdError: It cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror or error}).") from None
    records = []
    for text in lines:
        try:
            record = json.loads(text)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("path"), str):
            records.append(record)
    return records


def line(record: Record) -> str:
    """A record as a line."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def rows(path: str, crop: Record) -> list[list[Any]]:
    """A row for every face of a crop; one with empty columns where it has none."""
    head = [crop["file"], path, *crop["region"], crop["tilt"], crop["width"], crop["height"]]
    faces = [[*face["box"], face["score"]] for face in crop["faces"]]
    return [[*head, *face] for face in faces or [[""] * len(FACE_COLUMNS)]]
