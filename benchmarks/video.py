"""Measures `lafd video` on a drawn film of 30 s, 1280x720, 24 frames a second, H.264 with AAC.

    python benchmarks/video.py [--seconds 30] [--report benchmarks/video.json] [-- options of lafd video]

It prints and writes: seconds, frames a second, times real time, the time of each stage, and the peak memory of the
process in the first half and in all, which should be about the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import cv2
import numpy as np

from films import write_film
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


def measure(film: Path, out: Path, options: list[str]) -> dict[str, object]:
    """Runs the command once."""
    command = [sys.executable, "-m", "lafd", "video", str(film), "-o", str(out), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    memory: list[float] = []
    watcher = threading.Thread(target=watch_memory, args=(process, memory))
    watcher.start()
    _, said = process.communicate()
    watcher.join()
    print(said, end="")
    if process.returncode:
        raise SystemExit(process.returncode)
    head, _, *rows = said.splitlines()
    seconds, rate, times = re.findall(r"([\d.]+) (?:s:|frames/s|x real)", head)
    stages = {
        words[0]: {"threads": int(words[1]), "busy_s": float(words[2])} for words in map(str.split, rows)
    }
    half = len(memory) // 2
    return {
        "command": "lafd video film.mp4 -o out.mp4 " + " ".join(options),
        "seconds": float(seconds),
        "frames_per_second": float(rate),
        "times_real_time": float(times),
        "stages": stages,
        "memory_mib": {"first_half": max(memory[: half + 1], default=0), "peak": max(memory, default=0)},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.processor() or platform.machine(),
    }


def main() -> None:
    """Makes the film, measures and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=30, help="length of the film")
    parser.add_argument("--report", type=Path, help="write the numbers to this file as JSON")
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
        report = measure(film, Path(folder) / "out.mp4", arguments.options)
    print(json.dumps(report, indent=2))
    if arguments.report:
        arguments.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
