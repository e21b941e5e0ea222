"""The pictures that a command is given: files, folders, patterns, and a list on standard input."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from lafd import listing
from lafd.errors import UsageError


def given_paths(arguments: list[str]) -> Iterator[Path]:
    """The pictures that the arguments stand for, checked now and found as they are needed.

    Raises:
        UsageError: An argument does not exist, or there is no picture at all.
    """
    named = [argument for argument in arguments if argument != "-"]
    found = listing.list_images(named) if named else iter(())
    return itertools.chain(found, standard_input() if len(named) < len(arguments) else ())


def standard_input() -> Iterator[Path]:
    """The paths on standard input, one per line."""
    empty = True
    for line in sys.stdin:
        if name := line.rstrip("\r\n"):
            empty = False
            yield Path(name)
    if empty:
        raise UsageError("there are no paths on standard input.")
