"""Measures `lafd serve` on this machine, loopback only, bounded in time, and checks what it has to reach.

    python benchmarks/service.py -o benchmarks/service

Parts of --seconds each: the library alone and, by turns with it, the service with as many requests as it can take; at
70 % of that; at three times that; and then --requests more to see whether memory grows. Pictures are drawn. The load is
made on the same cores; its share is small, but it is the service's loss. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from lafd import Detector
from lafd.benchmark.report import measured, signature, write_both
from lafd.drawing import draw_scene
from lafd.evaluation.text import table
from lafd.images import encode_image

BUDGET = 0.1  # seconds; the service's --latency-budget
IN_HAND = 8  # requests at once per thread of the service, in the part that sends as much as it can
ROUNDS = 5  # of the library and of the service at full load, by turns
MOST = 400  # requests in the air at once in the open loops; beyond, the load itself is the limit
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass
class Tally:
    """What came back: statuses, and seconds of the successful answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    took: float = 0.0

    def add(self, other: Tally) -> None:
        """Takes in what another time brought."""
        self.statuses += other.statuses
        self.seconds += other.seconds
        self.took += other.took

    def summary(self) -> dict[str, Any]:
        """Numbers for the report; latencies in milliseconds."""
        ordered = sorted(self.seconds) or [float("nan")]
        at = {
            name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in SHARES.items()
        }
        return {
            "per_second": round(len(self.seconds) / self.took, 1),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            **{f"{name}_ms": round(value * 1000, 1) for name, value in at.items()},
        }


class Load:
    """Sends prepared requests over connections that it keeps; leaner than any client, to leave the cores alone."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self.port, self.requests = port, itertools.cycle(requests)
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, tally: Tally, since: float) -> None:
        """One request; its time counts from `since`. Status 0 is a connection that failed."""
        status = 0
        with contextlib.suppress(OSError, EOFError, ValueError):
            reader, writer = await self.connection()
            writer.write(next(self.requests))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            status = int(head[9:12])
            self.idle.append((reader, writer))
        tally.statuses[status] += 1
        if status == 200:
            tally.seconds.append(time.perf_counter() - since)

    async def connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One that is idle, or a new one; those that the service has closed after some idle seconds are left."""
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def closed(self, connections: int, seconds: float, count: int) -> Tally:
        """Each of some connections sends as soon as it has its answer, for some time or up to a count."""
        tally, started = Tally(), time.perf_counter()
        left = iter(range(count))

        async def one() -> None:
            while time.perf_counter() - started < seconds and next(left, None) is not None:
                await self.send(tally, time.perf_counter())

        await asyncio.gather(*(one() for _ in range(connections)))
        tally.took = time.perf_counter() - started
        return self.done(tally)

    async def open(self, rate: float, seconds: float) -> Tally:
        """Requests at random times, whatever the answers; latency counts from when a request was due."""
        tally, started, due = Tally(), time.perf_counter(), 0.0
        chance, sent = random.Random(1), set[asyncio.Task[None]]()  # noqa: S311
        while (due := due + chance.expovariate(rate)) < seconds:
            await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
            if len(sent) < MOST:
                task = asyncio.create_task(self.send(tally, started + due))
                sent.add(task)
                task.add_done_callback(sent.discard)
        await asyncio.gather(*sent)
        tally.took = time.perf_counter() - started
        return self.done(tally)

    def done(self, tally: Tally) -> Tally:
        """Closes the connections, which belong to one event loop."""
        for _, writer in self.idle:
            writer.close()
        self.idle.clear()
        return tally


def main() -> int:
    """Measures, prints, writes; returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="of each part (default: 20)")
    parser.add_argument("--requests", type=int, default=20_000, help="of the last part (default: 20000)")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: one per core"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the report into this folder")
    arguments = parser.parse_args()
    pictures = drawn_pictures()
    threads, seconds = arguments.threads, arguments.seconds
    with service(threads) as (port, worker):
        load = Load(port, [request(picture) for picture in pictures])
        run(load.closed(threads, seconds=2, count=10**9))  # warm
        library, full = 0.0, Tally()
        for _ in range(ROUNDS):  # by turns, because machines become slower and faster
            library += measure_library(pictures, threads, seconds / ROUNDS) / ROUNDS
            full.add(run(load.closed(IN_HAND * threads, seconds / ROUNDS, count=10**9)))
        print(f"library           {library:.1f} pictures/s on {threads} threads", flush=True)
        show("as much as it can", full)
        rate = len(full.seconds) / full.took
        usual = run(load.open(0.7 * rate, seconds))
        show("at 70 %", usual)
        flood = run(load.open(3 * rate, seconds))
        show("at 300 %", flood)
        before = memory(worker)
        long = run(load.closed(4 * threads, seconds=20 * seconds, count=arguments.requests))
        growth = memory(worker) - before
        show("and on and on", long)
        print(f"memory            {before / 1e6:.0f} MB, then {growth / 1e6:+.1f} MB")
    parts = {"as much as it can": full, "70 % of that": usual, "300 % of that": flood, "endurance": long}
    statuses = {status for tally in parts.values() for status in tally.statuses}
    goals = {
        "throughput at least 80 % of the library": rate >= 0.8 * library,
        "p99 at 70 % load under twice the latency budget": usual.summary()["p99_ms"] < 2000 * BUDGET,
        "no error except 429": statuses <= {200, 429},
        "no 429 at 70 % load": set(usual.statuses) == {200},
        f"memory flat within 5 % over {sum(long.statuses.values())} requests": growth < 0.05 * before,
    }
    for goal, reached in goals.items():
        print(f"{'reached' if reached else 'MISSED '}  {goal}")
    report = {
        **measured(),
        "command": f"python benchmarks/service.py --seconds {seconds:g} --requests {arguments.requests} "
        f"--threads {threads} -o benchmarks/service",
        "threads": threads,
        "latency_budget_ms": BUDGET * 1000,
        "library_per_second": round(library, 1),
        "parts": {name: tally.summary() for name, tally in parts.items()},
        "memory_before": before,
        "memory_growth": growth,
        "goals": goals,
    }
    if arguments.output:
        write_both(arguments.output / "service", report, markdown(report))
    return 0 if all(goals.values()) else 1


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    rows = [
        (
            name,
            part["per_second"],
            *(part[f"{share}_ms"] for share in SHARES),
            ", ".join(f"{count} x {status}" for status, count in part["statuses"].items()),
        )
        for name, part in report["parts"].items()
    ]
    lines = [
        "# The service under load",
        "",
        f"`lafd serve --threads {report['threads']} --latency-budget {report['latency_budget_ms']:g}` on loopback, the "
        f"load made on the same cores. The library alone does {report['library_per_second']} of these pictures per "
        "second, JPEG decoding included; they are drawn, of 0.6 to 1.4 megapixels.",
        "",
        *table(("load", "pictures/s", *(f"{share}, ms" for share in SHARES), "answers"), rows),
        "",
        "Times are of the answers with status 200, from when a request was due; the others are refusals (429) of what "
        "would wait too long.",
        "",
        f"Memory of the worker: {report['memory_before'] / 1e6:.0f} MB before the last part, "
        f"{report['memory_growth'] / 1e6:+.1f} MB after it.",
        "",
        *(f"- {goal}: {'reached' if reached else 'missed'}" for goal, reached in report["goals"].items()),
        "",
        f"{signature(report)} Command: `{report['command']}`.",
        "",
    ]
    return "\n".join(lines)


def drawn_pictures() -> list[bytes]:
    """Eight JPEG pictures of usual sizes."""
    sizes = [(900, 1200), (1280, 720), (800, 800), (1000, 1400)] * 2
    scenes = [draw_scene(width, height, seed, faces=seed % 4) for seed, (width, height) in enumerate(sizes)]
    return [encode_image(scene.image, ".jpg") for scene in scenes]


def measure_library(pictures: list[bytes], threads: int, seconds: float) -> float:
    """Pictures per second of the library, decoding included, the way that is fastest for many pictures."""
    detector = Detector(threads=1)
    for picture in pictures:
        detector.detect(picture)
    started = time.perf_counter()

    def work(number: int) -> int:
        done = 0
        for picture in itertools.cycle(pictures[number:] + pictures[:number]):
            if time.perf_counter() - started >= seconds:
                return done
            detector.detect(picture)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(work, range(threads))) / (time.perf_counter() - started)


def request(picture: bytes) -> bytes:
    """A whole request with one picture."""
    head = f"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return head.encode() + picture


@contextlib.contextmanager
def service(threads: int) -> Iterator[tuple[int, int]]:
    """A service with one worker process; gives its port and the worker's process number."""
    command = [sys.executable, "-m", "lafd", "serve", "--port", "0", "--threads", str(threads)]
    command += ["--latency-budget", str(BUDGET * 1000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=300).close()
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
            yield port, next(child for child, words in commands.items() if "spawn_main" in words)
        finally:
            process.terminate()


def memory(process: int) -> int:
    """Bytes of memory that a process uses."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def run(part: Coroutine[Any, Any, Tally]) -> Tally:
    """Runs one part of the load, in the event loop that the service has too."""
    return uvloop.run(part)


def show(name: str, tally: Tally) -> None:
    """One line on one part."""
    numbers = tally.summary()
    latencies = ", ".join(f"{share} {numbers[f'{share}_ms']} ms" for share in SHARES)
    print(
        f"{name:17} {numbers['per_second']} pictures/s, {latencies}, answers {numbers['statuses']}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
