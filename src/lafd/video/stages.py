"""Stages that work at the same time: each is an iterator that runs in a thread of its own, ahead of its reader."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
_POLL = 0.1  # s between looks at whether the reader has gone away


@dataclass
class StageTime:
    """Where a stage's time went.

    Attributes:
        name: Of the stage, for people.
        busy: Seconds of work, summed over its threads.
        threads: How many work.
    """

    name: str
    busy: float = 0.0
    threads: int = 1


class Ahead(Generic[Item]):
    """Runs an iterable in a thread, at most `depth` items ahead of who iterates over this.

    An exception of the iterable is raised here, at its place. Leaving the `with` block ends the thread.

    Args:
        items: What runs in the thread.
        depth: Items that may wait.
    """

    def __init__(self, items: Iterable[Item], depth: int) -> None:
        self.items = iter(items)
        self.queue: queue.Queue[tuple[str, object]] = queue.Queue(depth)
        self.left = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __iter__(self) -> Iterator[Item]:
        while True:
            item = self.take()
            if item is None:
                return
            yield item

    def __enter__(self) -> Ahead[Item]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.left.set()
        self.thread.join()

    def take(self, wait: bool = True) -> Item | None:
        """The next item, or None at the end.

        Raises:
            queue.Empty: None is there yet and `wait` is false.
        """
        kind, value = self.queue.get(block=wait)
        if kind == "item":
            return value  # type: ignore[return-value]
        self.queue.put((kind, value))  # for the next call
        if kind == "error":
            assert isinstance(value, BaseException)
            raise value
        return None

    def _run(self) -> None:
        try:
            for item in self.items:
                if not self._put(("item", item)):
                    return
            self._put(("end", None))
        except BaseException as error:
            self._put(("error", error))
        finally:
            close = getattr(self.items, "close", None)
            if close:
                close()

    def _put(self, entry: tuple[str, object]) -> bool:
        while not self.left.is_set():
            try:
                self.queue.put(entry, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False


def timed(items: Iterable[Item], stage: StageTime) -> Iterator[Item]:
    """The items; the time that each takes to come is added to the stage."""
    iterator = iter(items)
    while True:
        started = time.perf_counter()
        try:
            item = next(iterator)
        except StopIteration:
            return
        finally:
            stage.busy += time.perf_counter() - started
        yield item
