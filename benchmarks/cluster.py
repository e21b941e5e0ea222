"""What Ray costs on this machine, and what a billion pictures would take: `python benchmarks/cluster.py`."""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lafd import Detector, Options, cluster
from lafd.benchmark.report import measured, signature, write_both
from lafd.drawing import draw_scene
from lafd.evaluation.text import table
from lafd.images import save_image
from lafd.pipeline import Work, detect_files

SIZES = ((900, 1200), (1280, 720), (800, 800), (1000, 1400))
FILES = 40  # of results in a run: what workers wait for each other at its end is little
CONTESTS = (("local", 1), ("ray", 1), ("local", 2), ("ray", 2))  # engines and workers
BILLION = 10**9
CORES = 1000  # of the cluster in the arithmetic
SHARD = 10_000  # pictures in its files
SEEN = 17  # bytes in memory for each picture that is done, when a run goes on

Run = dict[str, Any]


def main() -> None:
    """Draws pictures, goes over them with both engines by turns, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1200, help="in each run (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--price", type=float, default=0.04, help="of a core for an hour, US$ (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent / "cluster")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = list(drawn(folder, arguments.pictures))
        runs: list[Run] = []
        for turn in range(arguments.rounds):
            for engine, workers in CONTESTS:
                out = folder / f"{engine}-{workers}-{turn}"
                found = on_ray(paths, workers, out) if engine == "ray" else on_threads(paths, workers)
                runs.append({"engine": engine, "workers": workers, **found})
        sizes = {"read": mean_size(paths), "written": total_size(out) / len(paths)}
    data = {
        **measured(),
        "command": shlex.join(["python", "benchmarks/cluster.py", *sys.argv[1:]]),
        "pictures": len(paths),
        "rounds": arguments.rounds,
        "runs": runs,
        "bytes_per_picture": sizes,
        "efficiency": rate(runs, "ray", 2) / (2 * rate(runs, "ray", 1)),
        "billion": billion(rate(runs, "ray", 2) / 2, sizes, arguments.price),
    }
    write_both(arguments.output / "cluster", data, markdown(data))


def drawn(folder: Path, count: int) -> Iterator[Path]:
    """Writes drawn pictures of the usual sizes and formats."""
    for number in range(count):
        path = folder / f"{number}{('.jpg', '.png', '.webp')[number % 3]}"
        save_image(path, draw_scene(*SIZES[number % len(SIZES)], number, faces=number % 4).image)
        yield path


def on_threads(paths: list[Path], workers: int) -> Run:
    """The local engine: pictures per second."""
    started = time.perf_counter()
    for _ in detect_files(Detector(threads=1), paths, Options(), Work(workers)):
        pass
    return {"rate": len(paths) / (time.perf_counter() - started)}


def on_ray(paths: list[Path], workers: int, out: Path) -> Run:
    """Ray: pictures per second once each worker has written a file, and the seconds that the start takes besides."""
    shard = max(1, len(paths) // FILES)
    job = cluster.Job(Detector(threads=1), Options(), Work(), str(out), {}, shard)
    started = time.perf_counter()
    with cluster.connected(None, workers):
        ends = [
            (time.perf_counter(), done.pictures) for done in cluster.detect(map(str, paths), job, workers)
        ]
    steady = ends[workers:]
    found = sum(pictures for _, pictures in steady) / (ends[-1][0] - ends[workers - 1][0])
    return {"rate": found, "start": ends[-1][0] - started - len(paths) / found}


def mean_size(paths: list[Path]) -> float:
    """Bytes of a file."""
    return statistics.mean(path.stat().st_size for path in paths)


def total_size(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def rate(runs: list[Run], engine: str, workers: int) -> float:
    """The median over the rounds, pictures per second."""
    return statistics.median(
        run["rate"] for run in runs if (run["engine"], run["workers"]) == (engine, workers)
    )


def billion(each: float, sizes: dict[str, float], price: float) -> dict[str, float]:
    """What a billion pictures take at so many per second and core."""
    hours = BILLION / each / 3600
    return {
        "core_hours": hours,
        "dollars_per_core_hour": price,
        "dollars": hours * price,
        "cores": CORES,
        "hours": hours / CORES,
        "terabytes_read": BILLION * sizes["read"] / 1e12,
        "gigabytes_read_per_second": CORES * each * sizes["read"] / 1e9,
        "terabytes_written": BILLION * sizes["written"] / 1e12,
        "files_written": BILLION / SHARD,
        "files_written_per_second": CORES * each / SHARD,
        "gigabytes_of_memory_to_go_on": BILLION * SEEN / 1e9,
    }


def markdown(data: dict[str, Any]) -> str:
    """The report for people."""
    runs, sizes, total = data["runs"], data["bytes_per_picture"], data["billion"]
    alone = rate(runs, "local", 1)
    rows = [
        (engine, workers, f"{found:.1f}", f"{found / workers / alone:.0%}")
        for engine, workers in CONTESTS
        for found in [rate(runs, engine, workers)]
    ]
    start = statistics.median(run["start"] for run in runs if run["engine"] == "ray")
    price = f"at US$ {total['dollars_per_core_hour']:g} for a core and hour"
    arithmetic = [
        ("hours of one core", f"{total['core_hours']:,.0f}"),
        (f"US$ for the cores, {price}", f"{total['dollars']:,.0f}"),
        (f"hours on {CORES:,} cores", f"{total['hours']:.1f}"),
        ("TB read", f"{total['terabytes_read']:,.0f}"),
        (f"GB read per second by {CORES:,} cores", f"{total['gigabytes_read_per_second']:.1f}"),
        ("TB of results", f"{total['terabytes_written']:.2f}"),
        (f"files of results, of {SHARD:,} pictures", f"{total['files_written']:,.0f}"),
        (f"files of results per second of {CORES:,} cores", f"{total['files_written_per_second']:.1f}"),
        ("GB of memory of a command that goes on at the end", f"{total['gigabytes_of_memory_to_go_on']:.0f}"),
    ]
    lines = [
        "# Ray on one machine",
        "",
        f"{data['pictures']} drawn pictures on the local disk (JPEG, PNG, WebP; 1 MP, {sizes['read'] / 1000:.0f} kB "
        f"on average), one thread per worker; median of {data['rounds']} rounds in which all took turns. The share is "
        "of the local engine's rate with one worker, times the workers. Ray's rate is that after each worker has "
        f"written its first file; the start takes {start:.0f} s besides.",
        "",
        *table(("engine", "workers", "pictures/s", "share"), rows),
        "",
        f"Two workers of Ray do {data['efficiency']:.0%} of twice the work of one.",
        "",
        "## A billion pictures",
        "",
        "Arithmetic, not a measurement: each core is as fast as one of Ray's two workers, the pictures are like these, "
        "and a store that is fast enough. Larger pictures cost more of everything.",
        "",
        *table(("what", "amount"), arithmetic),
        "",
        f"{signature(data)} Command: `{data['command']}`.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
