"""Timing several contestants in one run so that they can be compared: interleaved, after a warm-up, one at a time."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lafd.benchmark import child
from lafd.drawing import draw_scene
from lafd.errors import LafdError

WARM_UP = 3
LEAST_RUNS = 5
PATIENCE = 20.0  # s per shape; who needs longer runs fewer times, but at least LEAST_RUNS

Shape = tuple[int, int]  # width, height


@dataclass(frozen=True)
class Contestant:
    """Something to time.

    Attributes:
        name: What runs: model and engine.
        part: Which part of it: "detect" from array to faces, or "network" alone.
        command: Python, adapter and its arguments (see `child.py`).
        gmacs: Multiply-adds of 640x640 pixels, in 1e9; they grow with the pixels. None if they are not known.
        multiple: The sides of its input are padded to multiples of this.
        accuracy: Name of its folder in `benchmarks/accuracy`.
        note: What a reader must know.
    """

    name: str
    part: str
    command: tuple[str, ...]
    gmacs: float | None = None
    multiple: int = 1
    accuracy: str | None = None
    note: str | None = None

    def gflop(self, shape: Shape) -> float | None:
        """Floating-point operations for a picture, in 1e9."""
        if self.gmacs is None:
            return None
        width, height = (-(-side // self.multiple) * self.multiple for side in shape)
        return 2 * self.gmacs * width * height / 640**2


@dataclass(frozen=True)
class Timing:
    """What a contestant took for a picture, in milliseconds, and the most memory it had had by then, in MiB."""

    name: str
    part: str
    width: int
    height: int
    median: float
    p95: float
    lowest: float
    spread: float
    """Half the distance between the quartiles, as a share of the median."""
    processor: float
    """Median of the processor's time; what is far from `median` was disturbed."""
    runs: int
    memory: float | None
    gflop: float | None = None
    gflop_per_second: float | None = None


@dataclass
class Runner:
    """A contestant's process."""

    contestant: Contestant
    process: subprocess.Popen[str]
    taken: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    memory: float | None = None

    def run(self, picture: Path) -> None:
        """Lets it run once.

        Raises:
            LafdError: The process has ended.
        """
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{picture}\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise LafdError(f"{self.contestant.name}: its process ended; the reason is above.")
        result = json.loads(answer)
        self.taken.append(result["ms"])
        self.busy.append(result["processor_ms"])
        self.memory = result["mib"]

    def wants(self, rounds: int) -> bool:
        """Whether it runs again for this picture."""
        runs = len(self.taken) - WARM_UP
        return runs < LEAST_RUNS or (runs < rounds and sum(self.taken) < PATIENCE * 1e3)

    def timing(self, shape: Shape) -> Timing:
        """The figures of its runs after the warm-up."""
        taken = np.array(self.taken[WARM_UP:])
        lower, median, upper, p95 = np.percentile(taken, (25, 50, 75, 95)).tolist()
        width, height = shape
        gflop = self.contestant.gflop(shape)
        return Timing(
            self.contestant.name,
            self.contestant.part,
            width,
            height,
            median=round(median, 3),
            p95=round(p95, 3),
            lowest=round(float(taken.min()), 3),
            spread=round((upper - lower) / 2 / median, 3),
            processor=round(float(np.median(self.busy[WARM_UP:])), 3),
            runs=len(taken),
            memory=self.memory,
            gflop=None if gflop is None else round(gflop, 3),
            gflop_per_second=None if gflop is None else round(gflop / median * 1e3, 1),
        )


def measure(
    contestants: Sequence[Contestant], shapes: Sequence[Shape], rounds: int, threads: int
) -> list[Timing]:
    """Runs all contestants in turn, `rounds` times per shape, so that a machine that drifts slows all of them alike.

    Raises:
        LafdError: A contestant cannot run.
    """
    timings = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        runners = [Runner(contestant, start(contestant, threads, stack)) for contestant in contestants]
        for width, height in shapes:
            picture = Path(folder) / f"{width}x{height}.npy"
            np.save(picture, draw_scene(width, height, 0, faces=3).image)
            for runner in runners:
                runner.taken.clear()
                runner.busy.clear()
            while waiting := [runner for runner in runners if runner.wants(rounds)]:
                for runner in waiting:
                    runner.run(picture)
            timings += [runner.timing((width, height)) for runner in runners]
    return timings


def start(contestant: Contestant, threads: int, stack: contextlib.ExitStack) -> subprocess.Popen[str]:
    """Starts a contestant's process, bound to as many cores as it has threads; the stack ends it."""
    python, *arguments = contestant.command
    count = str(threads)
    environment = os.environ | {
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - the user names the programs
            [python, child.__file__, count, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
    except OSError as error:
        raise LafdError(f"{contestant.name}: {python} cannot be run ({error.strerror}).") from None
    stack.callback(end, process)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        with contextlib.suppress(OSError):
            os.sched_setaffinity(process.pid, cores)
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Ends a contestant's process and waits for it."""
    process.kill()
    process.communicate()
