"""A folder of Parquet files with results, on this machine or in an object store."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from pyarrow import fs

from lafd import parquet
from lafd.errors import UsageError
from lafd.journal import Row, check_run
from lafd.pipeline import FileResult
from lafd.storage import explained, locate


class Shards:
    """The files part-*.parquet of a folder, which is made if it does not exist.

    Args:
        place: Path or URI of the folder.
        run: What decides about results, ready for JSON.

    Raises:
        LafdError: The folder cannot be made.
    """

    def __init__(self, place: str, run: dict[str, Any]) -> None:
        self.place, self.run = place, run
        self.filesystem, self.folder = locate(place)
        with explained(place, "make"):
            self.filesystem.create_dir(self.folder, recursive=True)

    def names(self) -> list[str]:
        """Names of the files, sorted."""
        return [name for name in self.listed() if name.startswith("part-") and name.endswith(".parquet")]

    def check_finished(self) -> None:
        """Checks that no run on one machine, which has results in a journal, was stopped here.

        Raises:
            UsageError: There is such a journal.
        """
        for name in self.listed():
            if name.startswith("_part-") and name.endswith(".part"):
                raise UsageError(f"{self.path(name)}: finish this run first, with --engine local.")

    def listed(self) -> list[str]:
        """Names of all that is in the folder, sorted."""
        with explained(self.place, "read"):
            found = self.filesystem.get_file_info(fs.FileSelector(self.folder))
        return sorted(info.base_name for info in found)

    def rows(self) -> Iterator[Row]:
        """What is done in all files.

        Raises:
            UsageError: A file is of another run.
        """
        for name in self.names():
            with explained(name, "read"), self.filesystem.open_input_file(self.path(name)) as stream:
                check_run(f"{self.place.rstrip('/')}/{name}", parquet.run_of(stream), self.run)
                yield from parquet.rows(stream)

    def write(self, name: str, results: Iterable[FileResult]) -> None:
        """Writes a file as a whole: under another name first, where the file system has not that itself."""
        content = io.BytesIO()
        parquet.write(content, results, self.run)
        with explained(f"{self.place}/{name}", "write"):
            if isinstance(self.filesystem, fs.LocalFileSystem):
                with self.filesystem.open_output_stream(self.path(f"_{name}.new")) as stream:
                    stream.write(content.getbuffer())
                self.filesystem.move(self.path(f"_{name}.new"), self.path(name))
            else:
                with self.filesystem.open_output_stream(self.path(name)) as stream:
                    stream.write(content.getbuffer())

    def path(self, name: str) -> str:
        """The path of a file in its file system."""
        return f"{self.folder.rstrip('/')}/{name}"
