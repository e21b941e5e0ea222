"""What the service measures, for Prometheus."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it at its import
CONTENT_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the number of series and tell nothing here
REQUESTS = Counter("lafd_requests", "Answered requests.", ("path", "method", "status"))
REQUEST = Histogram(
    "lafd_request_seconds", "From a request's headers to its answer.", ("path",), buckets=SECONDS
)
STAGE = Histogram("lafd_stage_seconds", "Time per picture in each stage.", ("stage",), buckets=SECONDS)
PICTURES = Counter("lafd_pictures", "Pictures by what became of them.", ("outcome",))
FACES = Counter("lafd_faces", "Faces found.")
BATCH = Histogram("lafd_batch_pictures", "Pictures that one thread took at once.", buckets=(1, 2, 4, 8, 16))
WAITING = Gauge("lafd_waiting_pictures", "Pictures that wait for a thread.", multiprocess_mode="livesum")
UPLOADS = Gauge("lafd_upload_bytes", "Bytes of bodies in memory.", multiprocess_mode="livesum")


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Measures one picture's time in a stage."""
    started = time.perf_counter()
    try:
        yield
    finally:
        STAGE.labels(name).observe(time.perf_counter() - started)


def exposition() -> bytes:
    """All measurements as text; of all worker processes where several share a folder."""
    if SHARED_FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_dead_workers() -> None:
    """Removes what workers that are gone said about the present; what they counted stays."""
    if SHARED_FOLDER not in os.environ or os.name == "nt":  # there, os.kill(pid, 0) kills
        return
    for file in Path(os.environ[SHARED_FOLDER]).glob("gauge_live*_*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except OSError:
            continue
