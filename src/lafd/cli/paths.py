"""The pictures that a command is given: files, folders, patterns, and lists of them."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lafd import listing
from lafd.cli.extras import need
from lafd.errors import UsageError
from lafd.pipeline import to_path


def given_paths(arguments: list[str]) -> Iterator[Path]:
    """The pictures that the arguments stand for, checked now and found as they are needed.

    Raises:
        UsageError: An argument does not exist, or there is no picture at all.
    """
    named = [argument for argument in arguments if argument != "-"]
    found = listing.list_images(named) if named else iter(())
    return itertools.chain(found, map(Path, standard_input() if len(named) < len(arguments) else ()))


def given_sources(arguments: list[str]) -> Iterator[Path | str]:
    """As `given_paths`, and also URIs, and Parquet files whose column `path` lists paths and URIs."""
    tables = [argument for argument in arguments if argument.endswith(".parquet")]
    uris = [argument for argument in arguments if "://" in argument and argument not in tables]
    if tables or uris:
        need("parquet")
    plain = [argument for argument in arguments if argument not in (*tables, *uris, "-")]
    names = [uris, *map(table, tables), standard_input() if "-" in arguments else ()]
    return itertools.chain(given_paths(plain) if plain else (), map(to_path, itertools.chain(*names)))


def table(place: str) -> Iterator[str]:
    """The paths in a Parquet file."""
    from lafd.parquet import listed_paths

    return nonempty(listed_paths(place), f"in {place}")


def standard_input() -> Iterator[str]:
    """The paths on standard input, one per line, in the bytes of file names."""
    lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
    return nonempty((line for line in lines if line), "on standard input")


def nonempty(names: Iterator[str], place: str) -> Iterator[str]:
    """The names; an error if there is none."""
    first = next(names, None)
    if first is None:
        raise UsageError(f"there are no paths {place}.")
    yield first
    yield from names
