"""Two runs must not write the same output."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from lafd.errors import LafdError


def lock(file: IO[bytes], output: Path) -> None:
    """Keeps other processes from locking an open file until it is closed or this process ends.

    On Windows, and on file systems without locks, it does nothing.

    Raises:
        LafdError: Another process has locked it; `output` is what the message names.
    """
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LafdError(f"{output}: another run is writing it; wait for it or stop it.") from None
    except OSError:
        return
