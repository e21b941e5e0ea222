"""The queue, its threads and the choice of an answer's form."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from lafd.serve.batching import Batcher, BusyError
from lafd.serve.negotiation import choose


class Work:
    """Gives each number its double once `go` is set; a negative one fails alone, 99 fails everything."""

    def __init__(self) -> None:
        self.go, self.started = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []
        self.seconds = 0.0

    def __call__(self, jobs: Sequence[int]) -> list[int | Exception]:
        self.started.set()
        assert self.go.wait(10)
        self.batches.append(list(jobs))
        if 99 in jobs:
            raise RuntimeError("all of it")
        time.sleep(self.seconds * len(jobs))
        return [ValueError(job) if job < 0 else 2 * job for job in jobs]


def make(work: Work, threads: int = 1, max_queue: int = 100, budget: float = 1000) -> Batcher[int, int]:
    return Batcher(work, threads=threads, max_queue=max_queue, budget=budget)


def test_results_come_in_order_and_one_failure_stays_alone() -> None:
    work = Work()
    work.go.set()
    batcher = make(work, threads=3)
    promises = batcher.submit([1, 2, -3, 4])
    assert [promise.result(10) for i, promise in enumerate(promises) if i != 2] == [2, 4, 8]
    with pytest.raises(ValueError, match="-3"):
        promises[2].result(10)
    with pytest.raises(RuntimeError, match="all of it"):
        batcher.submit([99])[0].result(10)
    assert batcher.submit([5])[0].result(10) == 10  # the thread lives on
    batcher.close()


def test_what_waits_shares_a_batch() -> None:
    work = Work()
    batcher = make(work)
    first = batcher.submit([0])
    assert work.started.wait(10)
    batcher.cost = 0.001  # as if measured
    rest = [batcher.submit([i])[0] for i in range(1, 21)]
    work.go.set()
    assert [promise.result(10) for promise in (*first, *rest)] == [2 * i for i in range(21)]
    assert work.batches[0] == [0]
    assert max(len(batch) for batch in work.batches) > 1
    assert max(len(batch) for batch in work.batches) <= 16
    batcher.close()


def test_batches_stay_within_the_budget() -> None:
    work = Work()
    work.seconds = 0.02
    work.go.set()
    batcher = make(work, budget=0.1)
    batcher.submit([1])[0].result(10)
    for promise in batcher.submit(list(range(40))):
        promise.result(30)
    assert max(len(batch) for batch in work.batches[1:]) <= 5
    batcher.close()


def test_full_queue_takes_all_or_nothing() -> None:
    work = Work()
    batcher = make(work, max_queue=3)
    running = batcher.submit([0])
    assert work.started.wait(10)
    waiting = batcher.submit([1, 2])
    with pytest.raises(BusyError) as refused:
        batcher.submit([3, 4])
    assert refused.value.retry_after >= 1
    waiting += batcher.submit([5])
    assert batcher.full()
    work.go.set()
    assert [promise.result(10) for promise in (*running, *waiting)] == [0, 2, 4, 10]
    batcher.close()


def test_cancelled_jobs_are_not_done() -> None:
    work = Work()
    batcher = make(work)
    batcher.submit([0])
    assert work.started.wait(10)
    dropped, kept = batcher.submit([1, 2])
    assert dropped.cancel()
    work.go.set()
    assert kept.result(10) == 4
    assert work.batches == [[0], [2]]
    batcher.close()


def test_close_finishes_the_queue_and_takes_nothing_more() -> None:
    work = Work()
    batcher = make(work)
    promises = batcher.submit(list(range(30)))
    threading.Timer(0.1, work.go.set).start()
    batcher.close()
    assert [promise.result(0) for promise in promises] == [2 * i for i in range(30)]
    with pytest.raises(BusyError):
        batcher.submit([1])


def test_stuck_threads_are_noticed() -> None:
    work = Work()
    batcher = make(work, threads=2)
    batcher.submit([0])
    assert work.started.wait(10)
    time.sleep(0.05)
    assert not batcher.stuck(0.01)  # one thread is free
    batcher.submit([1])
    time.sleep(0.2)
    assert batcher.stuck(0.01)
    assert not batcher.stuck(60)
    work.go.set()
    batcher.close()
    assert not batcher.stuck(0.01)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/*", "image/png"),
        ("IMAGE/WebP", "image/webp"),
        ("text/html, image/*;q=0.5, */*;q=0.1", "image/png"),
        ("image/png;q=0.3, image/webp;q=0.9", "image/webp"),
        ("application/json;q=0, */*", "image/png"),
        ("text/html", None),
        ("application/json;q=nonsense", None),
        ("application/json;q=nan", None),
        (",;,", None),
    ],
)
def test_choice_by_accept(accept: str, chosen: str | None) -> None:
    assert choose(accept, ("application/json", "image/png", "image/webp")) == chosen
