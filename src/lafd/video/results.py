"""Faces of every frame as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lafd.errors import LafdError
from lafd.video.frame import Frame
from lafd.video.partial import Partial
from lafd.video.picture import Preparer
from lafd.video.source import Source


class Results:
    """A JSON file with one object per frame; lines of JSON if its ending is .jsonl.

    Raises:
        UsageError: The folder does not exist.
        LafdError: The file cannot be written.
    """

    def __init__(self, path: Path, source: Source, preparer: Preparer) -> None:
        self.partial = Partial(path)
        self.lines = path.suffix.lower() == ".jsonl"
        self.stream = self.partial.path.open("w", encoding="utf-8")
        base = source.time_base
        head = {
            "film": source.name,
            "width": preparer.width,
            "height": preparer.height,
            "time_base": f"{base.numerator}/{base.denominator}",
        }
        self.separator = "" if self.lines else json.dumps(head, ensure_ascii=False)[:-1] + ', "frames": [\n'

    def write(self, frame: Frame) -> None:
        """Appends a frame."""
        self._put(self.separator + json.dumps(record(frame)))
        self.separator = "\n" if self.lines else ",\n"

    def close(self) -> None:
        """Ends the file; it is valid JSON and keeps its temporary name."""
        if self.lines:
            self._put("\n" if self.separator else "")
        else:
            self._put("\n]}\n" if self.separator == ",\n" else self.separator + "]}\n")
        self.stream.close()

    def finish(self) -> None:
        """Ends the file and gives it its name."""
        self.close()
        self.partial.finish()

    def abandon(self) -> None:
        """Removes the file."""
        self.stream.close()
        self.partial.discard()

    def _put(self, text: str) -> None:
        try:
            self.stream.write(text)
        except OSError as error:
            raise LafdError(f"{self.partial.final}: cannot be written ({error.strerror}).") from None


def record(frame: Frame) -> dict[str, Any]:
    """A frame as a JSON object: number, timestamp, seconds, and its faces with their ids."""
    shown = frame.shown
    faces = [face.to_dict() for face in shown.detections]
    if shown.ids is not None:
        faces = [{"id": number, **face} for number, face in zip(shown.ids.tolist(), faces, strict=True)]
    return {"frame": frame.index, "pts": frame.pts, "time": round(frame.time, 6), "faces": faces}
