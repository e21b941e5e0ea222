"""Detection on many machines with Ray Data (extra `ray`): a pool of actors, each of which writes whole files."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lafd.detector import Detector, Options
from lafd.errors import LafdError
from lafd.opencv import limit_threads
from lafd.pipeline import FileResult, Work, detect_chunk, to_path
from lafd.shards import Shards

TRIES = 3  # of a picture: once in its batch, then alone
FILES_PER_WORKER = 20  # in one Ray data set, whose paths are all in memory
STARTS = 3  # of a cluster on this machine, before it is given up
OBJECT_STORE = 200 * 2**20  # bytes, of a cluster that is started here; paths and counts alone go through it

# Of a cluster that is started here. The second is Ray's name for: at the loopback address. In spite of the first, Ray
# asks metadata servers which cloud it is in; a proxy that nobody is behind keeps that on this machine.
ALONE = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "http://169.254.169.254_proxy": "http://127.0.0.1:9",
    "http://metadata.google.internal_proxy": "http://127.0.0.1:9",
}

FILE = pa.schema([("name", pa.string()), ("paths", pa.list_(pa.binary()))])
DONE = pa.schema([("pictures", pa.int64()), ("faces", pa.int64()), ("errors", pa.list_(pa.string()))])


@dataclass(frozen=True)
class Job:
    """What workers do.

    Attributes:
        detector: Loaded again by each worker.
        options: How to detect.
        work: How to go over pictures; each worker has one thread, whatever this says.
        place: Path or URI of the folder for the results.
        run: What decides about results, ready for JSON.
        shard: Pictures in a file of results at most.
    """

    detector: Detector
    options: Options
    work: Work
    place: str
    run: dict[str, Any]
    shard: int


@dataclass(frozen=True)
class Done:
    """What came of one file of results: counts, and the errors."""

    pictures: int
    faces: int
    errors: list[str]


class Attempts:
    """An actor that outlives the workers, and knows at which picture each of them died."""

    def __init__(self) -> None:
        self.deaths: dict[str, Counter[bytes]] = {}
        self.current: dict[str, bytes] = {}

    def begin(self, file: str) -> Counter[bytes] | None:
        """How often each picture of a file of results ended its worker; None where the file was not begun before."""
        if file not in self.deaths:
            self.deaths[file] = Counter()
            return None
        if file in self.current:
            self.deaths[file][self.current.pop(file)] += 1
        return self.deaths[file]

    def take(self, file: str, picture: bytes) -> None:
        """Notes the picture that is in hand."""
        self.current[file] = picture

    def end(self, file: str) -> None:
        """Forgets a file that is written."""
        self.deaths.pop(file, None)
        self.current.pop(file, None)


class Worker:
    """An actor with a detector of its own; from a list of paths it makes one file of results."""

    def __init__(self, job: Job, attempts: Any, folder: str) -> None:
        limit_threads(1)
        if os.path.isdir(folder):  # noqa: PTH112 - relative paths are those of the driver
            os.chdir(folder)
        self.job, self.attempts = job, attempts
        self.shards = Shards(job.place, job.run)

    def __call__(self, files: pa.Table) -> pa.Table:
        """Makes the files of a table like `FILE`; returns one like `DONE`."""
        return pa.Table.from_pylist([self.make(**file) for file in files.to_pylist()], DONE)

    def make(self, name: str, paths: list[bytes]) -> dict[str, Any]:
        """Detects, writes the file, and says what came of it."""
        import ray

        deaths = ray.get(self.attempts.begin.remote(name))
        results = list(self.detect(paths) if deaths is None else self.detect_singly(name, paths, deaths))
        self.shards.write(name, results)
        ray.get(self.attempts.end.remote(name))
        return {
            "pictures": len(results),
            "faces": sum(len(result.detections or ()) for result in results),
            "errors": [result.error for result in results if result.error is not None],
        }

    def detect(self, paths: list[bytes]) -> Iterator[FileResult]:
        """Batch by batch."""
        work = self.job.work
        for start in range(0, len(paths), work.batch):
            batch = [to_path(os.fsdecode(path)) for path in paths[start : start + work.batch]]
            for results in detect_chunk(self.job.detector, batch, self.job.options, work):
                yield from results

    def detect_singly(self, name: str, paths: list[bytes], deaths: Counter[bytes]) -> Iterator[FileResult]:
        """One by one, each noted before it is touched, because one of them may have ended a worker."""
        import ray

        for path in paths:
            if deaths[path] < TRIES - 1:
                ray.get(self.attempts.take.remote(name, path))
                yield from self.detect([path])
            else:
                text = os.fsdecode(path)
                yield FileResult(
                    to_path(text), error=f"cannot read {text}: it ended its worker {TRIES} times."
                )


@contextlib.contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[None]:
    """A connection to a Ray cluster.

    Args:
        address: Of a running cluster; None starts one on this machine, and stops it at the end of the block.
        workers: Processors of the cluster on this machine; None takes all.

    Raises:
        LafdError: There is no cluster at the address, it cannot be started, or it fails inside the block.
    """
    if address is None:
        os.environ.update(ALONE)
    import ray

    start(address, workers)
    try:
        yield
    except ray.exceptions.RayError as error:
        raise LafdError(f"the Ray cluster failed: {last_line(error)}") from None
    finally:
        ray.shutdown()


def start(address: str | None, workers: int | None) -> None:
    """Connects to a cluster, or starts one on this machine."""
    import ray

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is not None:
        try:
            ray.init(address, **quiet)
        except Exception as error:  # Ray raises all kinds, and Exception itself
            raise LafdError(f"there is no Ray cluster at {address} ({last_line(error)}).") from None
        return
    local = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    for attempt in range(STARTS):
        try:
            ray.init("local", **local, **quiet)
            return
        except Exception as error:  # on a busy machine Ray's own 30 seconds may not be enough
            ray.shutdown()
            if attempt == STARTS - 1:
                raise LafdError(f"Ray cannot start on this machine ({last_line(error)}).") from None


def detect(paths: Iterable[str], job: Job, workers: int | None = None) -> Iterator[Done]:
    """Detects faces on the cluster that is connected, and writes them into `job.place`.

    A worker that dies is replaced, and its file of results is begun anew. A picture is tried three times at most; if
    it ends its worker each time, it is a result with an error.

    Args:
        paths: Paths that every machine can read, or URIs.
        job: What to do.
        workers: How many; None takes one per processor of the cluster.

    Yields:
        For each file of results what is in it, as soon as it is written.
    """
    import ray

    attempts = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Attempts).remote()
    count = workers or int(ray.cluster_resources()["CPU"])
    iterator = iter(paths)
    while wave := list(itertools.islice(iterator, job.shard * count * FILES_PER_WORKER)):
        yield from detect_wave(wave, job, attempts, count)


def detect_wave(paths: list[str], job: Job, attempts: Any, workers: int) -> Iterator[Done]:
    """One Ray data set, with one block per file of results."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # a file of results may take hours
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    size = min(job.shard, -(-len(paths) // (4 * workers)))  # a few for each, so that all end together
    files = [
        {"name": f"part-{uuid.uuid4().hex}.parquet", "paths": list(map(os.fsencode, paths[at : at + size]))}
        for at in range(0, len(paths), size)
    ]
    done = ray.data.from_arrow([pa.Table.from_pylist([file], FILE) for file in files]).map_batches(
        Worker,
        fn_constructor_args=(job, attempts, os.getcwd()),  # noqa: PTH109
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        batch_size=None,
        batch_format="pyarrow",
        num_cpus=1,
    )
    for table in done.iter_batches(batch_size=None, batch_format="pyarrow"):
        for row in table.to_pylist():
            yield Done(**row)


def last_line(error: Exception) -> str:
    """The last line of an error's text that says something: Ray puts the cause below the traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
