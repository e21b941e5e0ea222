"""Keeps encoders from taking the machine: SVT-AV1 gives itself real-time priority where it runs as root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TASKS = Path("/proc/self/task")


@contextlib.contextmanager
def same_priority() -> Iterator[None]:
    """Gives threads that became real-time ones in the block the scheduling back that this thread had before it."""
    if not TASKS.exists():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for task in TASKS.iterdir():
            with contextlib.suppress(OSError):  # the thread has ended
                if os.sched_getscheduler(int(task.name)) in (os.SCHED_FIFO, os.SCHED_RR):
                    os.sched_setscheduler(int(task.name), policy, parameters)
