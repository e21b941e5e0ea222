"""The file that every change goes to before anything else happens: a kill at any moment loses nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from lafd.errors import LafdError
from lafd.files import make_folder


class Journal:
    """A file of JSON lines that only grows.

    Args:
        path: The file; it is made, with its folder, if it does not exist.

    Attributes:
        entries: What it held when it was opened.
        problems: What could not be read of it, one sentence each.

    Raises:
        LafdError: The file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = []
        self.problems: list[str] = []
        make_folder(path.parent)
        try:
            self.file = path.open("a+b", buffering=0)
            self.file.seek(0)
            content = self.file.read()
        except OSError as error:
            raise LafdError(f"{path}: cannot be opened ({error.strerror or error}).") from None
        self.end = content.rfind(b"\n") + 1
        if self.end < len(content):
            self.problems.append(f"{path}: its last line was only half written and is left out.")
            self.file.truncate(self.end)
        for number, line in enumerate(content[: self.end].splitlines(), 1):
            self.read_line(line, number)

    def read_line(self, line: bytes, number: int) -> None:
        """Takes a line; a damaged one is a listed problem."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if isinstance(entry, dict):
            self.entries.append(entry)
        else:
            self.problems.append(f"{self.path}: line {number} is damaged and is left out.")

    def append(self, entry: dict[str, Any]) -> None:
        """Adds a line; it is on the disk when this returns.

        Raises:
            LafdError: It cannot be written; the file is then as it was.
            ValueError: The entry has values that JSON has not.
        """
        line = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            written = self.file.write(line)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes were written")
            os.fsync(self.file.fileno())
        except OSError as error:
            self.file.truncate(self.end)
            raise LafdError(f"{self.path}: cannot be written ({error.strerror or error}).") from None
        self.end += len(line)

    def close(self) -> None:
        """Closes the file."""
        self.file.close()
