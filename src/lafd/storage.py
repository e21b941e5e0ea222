"""Files that may lie in an object store: local paths and URIs, through pyarrow and fsspec."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import fs

from lafd.errors import LafdError, UsageError


class NamedBytes(io.BytesIO):
    """The content of a file that knows where it is from, for error messages."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


def locate(place: str) -> tuple[fs.FileSystem, str]:
    """The file system of a local path or a URI, and the path in it.

    Filesystems that pyarrow has not itself (az://, http://, ...) come from fsspec, if it is installed.

    Raises:
        UsageError: There is no file system for the URI.
    """
    if "://" not in place:
        return fs.LocalFileSystem(), place
    try:
        return fs.FileSystem.from_uri(place)  # type: ignore[no-any-return]
    except pa.ArrowInvalid as error:
        try:
            import fsspec

            found, path = fsspec.core.url_to_fs(place)
        except (ImportError, ValueError):
            raise UsageError(f"{place}: cannot be reached ({error}).") from None
        return fs.PyFileSystem(fs.FSSpecHandler(found)), path


def fetch(uri: str) -> NamedBytes:
    """Reads a file at a URI.

    Raises:
        LafdError: It cannot be read.
    """
    with explained(uri, "read"):
        filesystem, path = locate(uri)
        with filesystem.open_input_stream(path, compression=None) as stream:
            return NamedBytes(stream.read(), uri)


@contextlib.contextmanager
def explained(place: str, verb: str) -> Iterator[None]:
    """Turns what file systems raise into one sentence."""
    try:
        yield
    except LafdError:
        raise
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise LafdError(f"cannot {verb} {place}: {reason}.") from None
