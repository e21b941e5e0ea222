"""Measures `lafd video` on a drawn film of 30 s, 1280x720, 24 frames a second, H.264 with AAC.

    python benchmarks/video.py -o benchmarks/video [--seconds 30] [-- options of lafd video]

It writes `video.json` and `video.md`: seconds, frames a second, times real time, seconds of processor time, the time of
each stage, and the peak memory of the process in the first half of the run and in all, which should be about the same.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import cv2
import numpy as np

from films import write_film
from lafd.benchmark.report import measured, signature, write_both
from lafd.drawing import demo_scene, draw_scene

RATE = 24
WIDTH, HEIGHT = 1280, 720


def pictures(seconds: int) -> list[np.ndarray]:
    """Scenes of five seconds each; the camera moves and comes nearer."""
    frames = []
    for number in range(-(-seconds // 5)):
        scene = demo_scene() if number == 0 else draw_scene(WIDTH, HEIGHT, number, faces=1 + number % 4)
        large = cv2.resize(scene.image, None, fx=1.25, fy=1.25, interpolation=cv2.INTER_CUBIC)
        for i in range(min(5, seconds - 5 * number) * RATE):
            share = i / (5 * RATE)
            scale, shift = 1 - 0.2 * share, share * 60
            view = np.array([[scale, 0, shift], [0, scale, shift / 2]], np.float32)
            frames.append(
                cv2.warpAffine(large, view, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            )
    return frames


def watch_memory(process: subprocess.Popen[str], samples: list[float]) -> None:
    """Appends the resident memory of a process, MiB, four times a second, where the system tells."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
        except OSError:
            return
        if found:
            samples.append(int(found[1]) / 1024)
        time.sleep(0.25)


def measure(film: Path, out: Path, options: list[str]) -> dict[str, Any]:
    """Runs the command once."""
    command = [sys.executable, "-m", "lafd", "video", str(film), "-o", str(out), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    memory: list[float] = []
    watcher = threading.Thread(target=watch_memory, args=(process, memory))
    watcher.start()
    _, said = process.communicate()
    watcher.join()
    print(said, end="")
    if process.returncode:
        raise SystemExit(process.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    head, _, *rows = said.splitlines()
    frames, seconds, rate, times = re.findall(r"([\d.]+) (?:frames,|s:|frames/s|x real)", head)
    stages = {
        name: {"threads": int(threads), "busy_s": float(busy), "waiting_s": float(waiting)}
        for name, threads, busy, _, waiting, _ in map(str.split, rows)
    }
    half = len(memory) // 2
    return {
        "frames": int(frames),
        "seconds": float(seconds),
        "frames_per_second": float(rate),
        "times_real_time": float(times),
        "processor_s": round(sum(after[:2]) - sum(before[:2]), 2),
        "stages": stages,
        "memory_mib": {
            "first_half": round(max(memory[: half + 1], default=0)),
            "peak": round(max(memory, default=0)),
        },
    }


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""
    run, film = report["run"], report["film"]
    lines = [
        "# Films",
        "",
        f"A drawn film of {film['seconds']} s, {WIDTH}x{HEIGHT}, {RATE} frames/s, H.264 with sound, is read, "
        "every frame is looked at, and it is written again as H.264.",
        "",
        "| figure | value |",
        "| --- | ---: |",
        f"| times real time | {run['times_real_time']:.2f} |",
        f"| frames per second | {run['frames_per_second']:.1f} |",
        f"| seconds | {run['seconds']:.1f} |",
        f"| seconds of processor time, start included | {run['processor_s']:.1f} |",
        f"| memory, peak of the first half, MiB | {run['memory_mib']['first_half']} |",
        f"| memory, peak of all, MiB | {run['memory_mib']['peak']} |",
        "",
        "| stage | threads | busy, s | waiting, s |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, stage in run["stages"].items():
        lines.append(f"| {name} | {stage['threads']} | {stage['busy_s']:.2f} | {stage['waiting_s']:.2f} |")
    lines += ["", f"{signature(report)} Command: `{report['command']}`.", ""]
    return "\n".join(lines)


def main() -> None:
    """Makes the film, measures and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=30, help="length of the film")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write video.json and video.md")
    parser.add_argument("options", nargs="*", help="options of lafd video, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(
            Path(folder) / "film.mp4",
            pictures(arguments.seconds),
            rate=RATE,
            sound="aac",
            codec_options={"preset": "fast", "crf": "20"},
        )
        run = measure(film, Path(folder) / "out.mp4", arguments.options)
    report = {
        "command": " ".join(["python benchmarks/video.py", *sys.argv[1:]]),
        **measured(),
        "film": {"seconds": arguments.seconds, "width": WIDTH, "height": HEIGHT, "frames_per_second": RATE},
        "run": run,
    }
    print(json.dumps(report, indent=1))
    if arguments.output:
        write_both(arguments.output / "video", report, markdown(report))


if __name__ == "__main__":
    main()
