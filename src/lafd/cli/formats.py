"""How results are written: a line for people, or JSON, JSON lines or CSV for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import TextIO

from lafd.pipeline import FileResult

COLUMNS = ("path", "frame", "width", "height", "x1", "y1", "x2", "y2", "score", "error")


class Writer:
    """Writes results to a stream one by one; a context, because JSON has an end."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        pass

    def write(self, result: FileResult) -> None:
        """Writes one result."""
        raise NotImplementedError


class TextWriter(Writer):
    """One line per picture, for people; failures are listed elsewhere."""

    def write(self, result: FileResult) -> None:  # noqa: D102
        if result.detections is None:
            return
        count = len(result.detections)
        faces = "  ".join(
            f"({', '.join(f'{side:.0f}' for side in face.box)}) {face.score:.2f}"
            for face in result.detections
        )
        frame = "" if result.frame is None else f" frame {result.frame}"
        print(
            f"{result.path}{frame}: {count} face{'' if count == 1 else 's'}  {faces}".rstrip(),
            file=self.stream,
        )


class JsonLinesWriter(Writer):
    """One JSON object per line."""

    def write(self, result: FileResult) -> None:  # noqa: D102
        print(json.dumps(result.to_dict(), ensure_ascii=False), file=self.stream)


class JsonWriter(Writer):
    """One JSON array."""

    def __enter__(self) -> Writer:
        self.separator = "[\n"
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.stream.write("\n]\n" if self.separator == ",\n" else "[]\n")

    def write(self, result: FileResult) -> None:  # noqa: D102
        self.stream.write(self.separator + json.dumps(result.to_dict(), ensure_ascii=False))
        self.separator = ",\n"


class CsvWriter(Writer):
    """One row per face; a picture without faces, or that failed, has one row with empty box columns."""

    def __enter__(self) -> Writer:
        self.rows = csv.writer(self.stream, lineterminator="\n")
        self.rows.writerow(COLUMNS)
        return self

    def write(self, result: FileResult) -> None:  # noqa: D102
        frame = "" if result.frame is None else result.frame
        found = result.detections
        if found is None or not len(found):
            size = ("", "") if found is None else (found.width, found.height)
            self.rows.writerow((result.path, frame, *size, "", "", "", "", "", result.error or ""))
            return
        for face in found:
            box = (round(side, 2) for side in face.box)
            self.rows.writerow(
                (result.path, frame, found.width, found.height, *box, round(face.score, 4), "")
            )


FORMATS: dict[str, Callable[[TextIO], Writer]] = {
    "text": TextWriter,
    "json": JsonWriter,
    "jsonl": JsonLinesWriter,
    "csv": CsvWriter,
}
