"""Engines and fork(): a child process has none of its parent's threads, so it has to start an engine of its own."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """Something with native threads, made now, and made again in a forked child when that first needs it.

    Args:
        make: Makes it, for so many threads.
        threads: For this process; None uses every core here and one in a forked or multiprocessing child, of which
            there are usually as many as cores.
    """

    def __init__(self, make: Callable[[int], T], threads: int | None) -> None:
        self.make, self.threads = make, threads
        alone = multiprocessing.parent_process() is None
        self.held = os.getpid(), make(threads or (usable_cores() if alone else 1))

    def get(self) -> T:
        """The one of this process; may be called by many threads at once."""
        owner, value = self.held
        if owner == os.getpid():
            return value
        # never freed: that would wait for the parent's threads, which do not exist here
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))
        mine = self.make(self.threads or 1)
        self.held = os.getpid(), mine
        return mine


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
