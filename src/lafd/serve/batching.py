"""A bounded queue whose jobs are worked off by threads, several at a time while time allows.

A free thread never waits for more jobs: it takes its share of those that are there. So batches are of one job
while the service has time, and grow with the queue up to what can be done within the latency budget: a job waits
for at most one batch in hand and is done with the next, unless the service is overloaded.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

MAX_BATCH = 16
SMOOTHING = 0.1  # weight of the newest batch in the running mean of seconds per job

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


class BusyError(Exception):
    """There is no room now; `retry_after` is the number of seconds until there should be."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the service is busy; try again in {retry_after} s.")
        self.retry_after = retry_after


@dataclass
class Waiting(Generic[JobT, ResultT]):
    """A job in the queue and the promise of its result."""

    job: JobT
    promise: Future[ResultT] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)


class Batcher(Generic[JobT, ResultT]):
    """Threads that work off a bounded queue.

    Args:
        work: Does a batch of jobs; gives a result, or the exception that is to be raised, for each in order.
        threads: How many threads work.
        max_queue: Jobs that may wait.
        budget: Seconds that a batch may take, by the cost of the jobs before.
        watch: Is told the number of jobs, and the seconds that the first of them waited, of each batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[JobT]], Sequence[ResultT | Exception]],
        *,
        threads: int,
        max_queue: int,
        budget: float,
        watch: Callable[[int, float], None] = lambda size, waited: None,
    ) -> None:
        self.work, self.watch = work, watch
        self.max_queue, self.budget = max_queue, budget
        self.queue: deque[Waiting[JobT, ResultT]] = deque()
        self.changed = threading.Condition()
        self.closing = False
        self.cost = 0.0
        self.busy_since: dict[int, float] = {}
        self.threads = [
            threading.Thread(target=self.serve, args=(i,), name=f"lafd-{i}", daemon=True)
            for i in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def submit(self, jobs: Sequence[JobT]) -> list[Future[ResultT]]:
        """Queues all of the jobs or none.

        Raises:
            BusyError: There is no room for them.
        """
        waiting = [Waiting[JobT, ResultT](job) for job in jobs]
        with self.changed:
            if self.closing or len(self.queue) + len(waiting) > self.max_queue:
                raise BusyError(self.retry_after())
            self.queue.extend(waiting)
            self.changed.notify(len(waiting))
        return [one.promise for one in waiting]

    def full(self) -> bool:
        """Whether there is no room for even one job."""
        return len(self.queue) >= self.max_queue

    def retry_after(self) -> int:
        """Seconds until the queue of now should be worked off, at least 1."""
        return max(1, math.ceil(len(self.queue) * self.cost / len(self.threads)))

    def stuck(self, seconds: float) -> bool:
        """Whether every thread has been at one batch for so long."""
        oldest = time.monotonic() - seconds
        return len(self.busy_since) == len(self.threads) and all(
            t < oldest for t in list(self.busy_since.values())
        )

    def close(self) -> None:
        """Works off what is queued and ends the threads; nothing new is taken."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        for thread in self.threads:
            thread.join()

    def serve(self, number: int) -> None:
        """What each thread does."""
        while batch := self.take():
            started = time.monotonic()
            self.busy_since[number] = started
            self.watch(len(batch), started - batch[0].since)
            self.finish(batch)
            spent = (time.monotonic() - started) / len(batch)
            self.cost = spent if self.cost == 0 else self.cost + SMOOTHING * (spent - self.cost)
            del self.busy_since[number]

    def take(self) -> list[Waiting[JobT, ResultT]]:
        """The next batch, when there is one; empty at the end."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.queue or self.closing)
                taken = [self.queue.popleft() for _ in range(self.batch_size())]
            wanted = [one for one in taken if one.promise.set_running_or_notify_cancel()]
            if wanted or not taken:
                return wanted

    def batch_size(self) -> int:
        """A fair share of the queue, as much as can be done within the budget; at least one of what is there."""
        share = math.ceil(len(self.queue) / len(self.threads))
        in_time = int(self.budget / self.cost) if self.cost > 0 else 1
        return min(share, max(1, in_time), MAX_BATCH)

    def finish(self, batch: Sequence[Waiting[JobT, ResultT]]) -> None:
        """Does the work and keeps the promises, whatever happens."""
        try:
            results = self.work([one.job for one in batch])
        except Exception as error:  # a fault in the work must not end the thread
            results = [error] * len(batch)
        for one, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                one.promise.set_exception(result)
            else:
                one.promise.set_result(result)
