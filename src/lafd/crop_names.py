"""Names of crops: a template that users write, made into paths that never leave their folder."""

from __future__ import annotations

import re
import string
import threading
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from lafd.errors import LafdError, UsageError

FIELDS = ("stem", "folder", "index", "score", "width", "height", "x1", "y1", "x2", "y2")
_FORMAT = re.compile(r"[<>^+]?0?\d{0,2}(\.\d)?[dfs%]?")
_RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_LONGEST = 150  # bytes of a file's name that are kept; file systems allow 255 with all that is added


class Template:
    """How crops are named, without the ending.

    Args:
        pattern: Text with fields in braces, as of `str.format`; slashes make folders.
        many: Whether a picture may give several crops.

    Raises:
        UsageError: The pattern has an unknown field, may give one name twice, or leads out of the folder.
    """

    def __init__(self, pattern: str, many: bool) -> None:
        self.pattern = pattern
        try:
            parts = list(string.Formatter().parse(pattern))
        except ValueError as error:
            raise UsageError(f"the name {pattern!r} is not a template ({error}).") from None
        used = [field for _, field, _, _ in parts if field is not None]
        for _, field, spec, conversion in parts:
            if field is not None and field not in FIELDS:
                raise UsageError(
                    f"the name {pattern!r} has an unknown field {{{field}}}; choose of {', '.join(FIELDS)}."
                )
            if conversion or (spec and not _FORMAT.fullmatch(spec)):
                raise UsageError(
                    f"the name {pattern!r} has an unknown format after {{{field}; write it as {{index:03d}}."
                )
        for field in ("stem", "index")[: 1 + many]:
            if field not in used:
                raise UsageError(
                    f"the name {pattern!r} needs {{{field}}}, so that no two crops get one name."
                )
        if "\\" in pattern or any(part in ("", ".", "..") for part in pattern.split("/")):
            raise UsageError(
                f"the name {pattern!r} must stay in the folder: no leading or double /, no . or .. or \\."
            )
        try:
            self.name(dict.fromkeys(("stem", "folder"), "a") | dict.fromkeys(FIELDS[2:], 1))
        except ValueError as error:
            raise UsageError(f"the name {pattern!r} cannot be filled in ({error}).") from None

    def name(self, fields: Mapping[str, str | float]) -> PurePosixPath:
        """The name of a crop whose fields have these values."""
        safe = {key: harmless(value) if isinstance(value, str) else value for key, value in fields.items()}
        return PurePosixPath(self.pattern.format_map(safe))


def harmless(text: str) -> str:
    """Text as a part of a file's name on any system, not longer than it may be."""
    cut = _RESERVED.sub("_", text).strip(" .").encode(errors="surrogateescape")[:_LONGEST]
    return cut.decode(errors="ignore") or "_"


class Names:
    """Gives out names and never one twice; where capital letters do not count, too."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.lock = threading.Lock()
        self.numbers: dict[str, int] = {}

    def stem(self, path: Path) -> str:
        """The path's stem where it is free, else with a number; the same for the same paths in the same order."""
        stem = harmless(path.stem)
        number = self.numbers.get(stem.lower(), 1)
        name = stem if number == 1 else f"{stem}_{number}"
        while not self.claim(name):
            number += 1
            name = f"{stem}_{number}"
        self.numbers[stem.lower()] = number + 1
        return name

    def claim(self, name: str) -> bool:
        """Takes a name; False if it is taken."""
        with self.lock:
            free = name.lower() not in self.taken
            self.taken.add(name.lower())
        return free

    def claim_all(self, names: list[str]) -> None:
        """Takes the names of all crops of a picture.

        Raises:
            LafdError: One is taken.
        """
        for name in names:
            if not self.claim(name):
                raise LafdError(
                    f"two crops would be named {name}: put something between the fields of the name."
                )
