"""Files that have their name only when they are complete, and can be used even when they are not."""

from __future__ import annotations

from pathlib import Path

from lafd.errors import LafdError, UsageError


class Partial:
    """A file that is written as NAME.part.ENDING beside NAME.ENDING.

    Unlike `lafd.files.replacing` it stays there when the work is broken off: a film or a list of results is of use
    up to where it goes.

    Raises:
        UsageError: The folder does not exist.
        LafdError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.final, self.path = path, path.with_name(f"{path.stem}.part{path.suffix}")
        if not path.parent.is_dir():
            raise UsageError(f"cannot write {path}: the folder {path.parent} does not exist.")
        if path.is_dir():
            raise UsageError(f"cannot write {path}: it is a folder.")
        try:
            self.path.open("wb").close()
        except OSError as error:
            raise LafdError(f"{path}: cannot be written ({error.strerror}).") from None

    def finish(self) -> None:
        """Gives the file its name."""
        try:
            self.path.replace(self.final)
        except OSError as error:
            raise LafdError(f"{self.final}: cannot be written ({error.strerror}).") from None

    def discard(self) -> None:
        """Removes the file."""
        self.path.unlink(missing_ok=True)
