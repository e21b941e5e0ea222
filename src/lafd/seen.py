"""Which files of a listing are done already, in a few bytes per file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

WIDTH = 16  # bytes of a digest; at this length no two paths ever share one


class Seen:
    """Paths that are done, 17 bytes each in memory.

    A path that was listed twice was also done twice, therefore each is taken as often as it is there.

    Args:
        paths: As they were written.

    Examples:
        >>> seen = Seen(["a.png", "b.png"])
        >>> [seen.take(path) for path in ("b.png", "b.png", "c.png")]
        [True, False, False]
    """

    def __init__(self, paths: Iterable[str]) -> None:
        digests = bytearray()
        for path in paths:
            digests += digest(path)
        self.digests = np.frombuffer(digests, f"S{WIDTH}").copy()
        self.digests.sort()
        self.taken = np.zeros(len(self.digests), bool)

    def __len__(self) -> int:
        return len(self.digests)

    def take(self, path: str) -> bool:
        """Whether a path is done; the next time it counts no more."""
        wanted = np.frombuffer(digest(path), f"S{WIDTH}")
        start, end = (int(self.digests.searchsorted(wanted, side)[0]) for side in ("left", "right"))
        free = np.flatnonzero(~self.taken[start:end])
        if not len(free):
            return False
        self.taken[start + free[0]] = True
        return True


def digest(path: str) -> bytes:
    """Sixteen bytes that stand for a path; names that are not Unicode count as they are written to files."""
    return hashlib.blake2b(path.encode("utf-8", "backslashreplace"), digest_size=WIDTH).digest()
