"""Measures `lafd detect` as a program: one picture from a cold start, a folder on one core and on all, and memory.

    python benchmarks/bulk.py -o benchmarks/bulk

The pictures are 60 drawn JPEG files of usual sizes, in the long runs under many names. It writes `bulk.json` and
`bulk.md`. Run it on a quiet machine; it takes some minutes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lafd.benchmark.report import measured, signature, write_both
from lafd.drawing import draw_scene
from lafd.evaluation.text import table
from lafd.images import save_image

SIZES = ((900, 1200), (1280, 720), (800, 800), (1000, 1400), (640, 480))
SCENES = 60
STARTS = 15  # of the program, for the cold start
ROUNDS = 3  # of each number of threads, by turns


@dataclass
class Run:
    """One run of the program.

    Attributes:
        seconds: From the start of the process to its end.
        peak: The most memory it had, bytes.
        memory: Memory over time, bytes, four times a second.
    """

    seconds: float
    peak: int
    memory: list[int] = field(default_factory=list)


def run(*arguments: object) -> Run:
    """Runs `lafd detect`; a run that fails ends the benchmark."""
    started, memory = time.perf_counter(), []
    command = [sys.executable, "-m", "lafd", "detect", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    statm, page = Path(f"/proc/{process.pid}/statm"), os.sysconf("SC_PAGE_SIZE")
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        now = time.perf_counter() - started
        if now > 0.25 * (len(memory) + 1):
            memory.append(int(statm.read_text().split()[1]) * page)
        time.sleep(0.002 if now < 2 else 0.05)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"lafd detect {' '.join(map(str, arguments))} ended with {process.returncode}.")
    return Run(seconds, usage.ru_maxrss * 1024, memory)


def draw_pictures(folder: Path) -> list[Path]:
    """The drawn pictures."""
    folder.mkdir()
    paths = []
    for seed, (width, height) in zip(range(SCENES), itertools.cycle(SIZES), strict=False):
        path = folder / f"{seed}.jpg"
        save_image(path, draw_scene(width, height, seed, faces=seed % 4).image)
        paths.append(path)
    return paths


def under_many_names(pictures: list[Path], folder: Path, count: int) -> Path:
    """A folder with so many pictures."""
    folder.mkdir()
    for number, picture in zip(range(count), itertools.cycle(pictures), strict=False):
        (folder / f"{number:06}.jpg").hardlink_to(picture)
    return folder


def measure_start(picture: Path) -> dict[str, Any]:
    """One picture, from the start of the process to its end; the first time is not counted."""
    runs = [run(picture) for _ in range(STARTS + 1)][1:]
    seconds = sorted(one.seconds for one in runs)
    return {
        "seconds_median": round(statistics.median(seconds), 3),
        "seconds_least": round(seconds[0], 3),
        "seconds_most": round(seconds[-1], 3),
        "peak_mib": round(max(one.peak for one in runs) / 2**20),
    }


def measure_threads(folder: Path, count: int, out: Path) -> dict[str, Any]:
    """Pictures per second with one thread and with all cores, by turns, start and decoding included."""
    cores = len(os.sched_getaffinity(0))
    rates: dict[int, list[float]] = {1: [], cores: []}
    for threads in (1, cores) * ROUNDS:
        rates[threads].append(count / run(folder, "-o", out, "--threads", threads).seconds)
        out.unlink()
    one, all_cores = (statistics.median(rates[threads]) for threads in (1, cores))
    return {
        "pictures": count,
        "threads": cores,
        "per_second_one_thread": round(one, 1),
        "per_second_all_cores": round(all_cores, 1),
        "gain": round(all_cores / one, 2),
        "rounds": {str(threads): [round(rate, 1) for rate in found] for threads, found in rates.items()},
    }


def measure_memory(folder: Path, count: int, out: Path) -> dict[str, Any]:
    """Memory at a tenth of a long run and at its end."""
    memory = (done := run(folder, "-o", out)).memory
    tenth = len(memory) // 10
    early, late = statistics.median(memory[tenth : 2 * tenth]), statistics.median(memory[-tenth - 1 : -1])
    return {
        "pictures": count,
        "seconds": round(done.seconds, 1),
        "mib_second_tenth": round(early / 2**20, 1),
        "mib_last_tenth": round(late / 2**20, 1),
        "growth": round(late / early - 1, 4),
        "peak_mib": round(done.peak / 2**20, 1),
    }


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    start, threads, memory = report["start"], report["threads"], report["memory"]
    rows = [
        ("one picture, from the start of the process to its end, s", f"{start['seconds_median']:.2f}"),
        ("the same, least and most, s", f"{start['seconds_least']:.2f}, {start['seconds_most']:.2f}"),
        ("its peak memory, MiB", start["peak_mib"]),
        (f"{threads['pictures']} pictures, one thread, per second", threads["per_second_one_thread"]),
        (f"the same, {threads['threads']} threads, per second", threads["per_second_all_cores"]),
        ("gain", f"{threads['gain']:.2f}"),
        (f"memory in the second tenth of {memory['pictures']} pictures, MiB", memory["mib_second_tenth"]),
        ("memory in the last tenth, MiB", memory["mib_last_tenth"]),
        ("growth", f"{memory['growth']:+.1%}"),
        ("peak, MiB", memory["peak_mib"]),
    ]
    lines = [
        "# `lafd detect` as a program",
        "",
        "Drawn JPEG pictures of 0.3 to 1.4 megapixels, the default model at its default size, start of the program and "
        f"decoding included. The cold start is the median of {STARTS} runs, files in the system's cache; the threads "
        f"take turns, median of {ROUNDS} rounds.",
        "",
        *table(("figure", "value"), rows),
        "",
        f"{signature(report)} Command: `{report['command']}`.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=10_000, help="of the long run (default: 10000)")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write bulk.json and bulk.md")
    arguments = parser.parse_args()
    count = arguments.pictures
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        pictures = draw_pictures(here / "pictures")
        few = under_many_names(pictures, here / "few", count // 10)
        many = under_many_names(pictures, here / "many", count)
        report = {
            "command": " ".join(["python benchmarks/bulk.py", *sys.argv[1:]]),
            **measured(),
            "start": measure_start(pictures[1]),
            "threads": measure_threads(few, count // 10, here / "few.jsonl"),
            "memory": measure_memory(many, count, here / "many.jsonl"),
        }
    print(markdown(report))
    if arguments.output:
        write_both(arguments.output / "bulk", report, markdown(report))


if __name__ == "__main__":
    main()
