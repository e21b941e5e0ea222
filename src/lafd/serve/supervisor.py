"""Keeps worker processes running: what dies is started again, until a signal ends them all."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing import connection
from multiprocessing.process import BaseProcess

from lafd.errors import LafdError
from lafd.serve import logs

STARTUP_FAILURE = 3  # exit status of a worker that would fail again in the same way
SHORT_LIFE = 5.0  # seconds; a worker that dies younger is replaced after a pause
PAUSE = 1.0


def supervise(work: Callable[[], None], count: int, patience: float) -> None:
    """Runs work in so many processes until SIGINT or SIGTERM, which they get as well.

    Args:
        work: What a process does; can be pickled. It ends by itself, in order, at SIGTERM.
        count: How many processes.
        patience: Seconds that they have to end before they are killed.

    Raises:
        LafdError: A worker ended with `STARTUP_FAILURE`.
    """
    woken, wake = connection.Pipe(duplex=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: wake.send_bytes(b"."))
    workers = [Worker(work) for _ in range(count)]
    try:
        while woken not in connection.wait([woken, *(worker.process.sentinel for worker in workers)]):
            for worker in workers:
                worker.replace_if_dead()
    finally:
        logs.LOG.info("ending")
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + patience
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            worker.process.kill()


class Worker:
    """One place for a process."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.start()

    def start(self) -> None:
        """Starts a process in this place."""
        self.process: BaseProcess = multiprocessing.get_context("spawn").Process(target=self.work)
        self.process.start()
        self.since = time.monotonic()

    def replace_if_dead(self) -> None:
        """Starts another process in the place of one that has ended.

        Raises:
            LafdError: It could not start in the first place.
        """
        status = self.process.exitcode
        if status is None:
            return
        if status == STARTUP_FAILURE:
            raise LafdError("the service could not start; the log has the reason.")
        fields = {"worker": self.process.pid, "exit": status}
        logs.LOG.error("worker died, starting another", extra={"fields": fields})
        if time.monotonic() - self.since < SHORT_LIFE:
            time.sleep(PAUSE)
        self.start()
