"""The benchmark's report: JSON for programs, Markdown for people."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from lafd import __version__
from lafd.benchmark.timing import Timing
from lafd.files import replacing


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        flags = next((line for line in lines if line.startswith("flags")), "")
        wide = [
            flag
            for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
            if flag in flags.split()
        ]
        processor = f"{names[0] if names else processor} ({', '.join(wide) or 'no AVX'})"
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "onnxruntime": onnxruntime.__version__,
        "lafd": __version__,
    }


def markdown(timings: Sequence[Timing], about: dict[str, Any], command: str, threads: int) -> str:
    """The report as Markdown: one row per case, one column per shape."""
    shapes = list(dict.fromkeys((t.width, t.height) for t in timings))
    rows = list(dict.fromkeys((t.name, t.part) for t in timings))
    table = {((t.name, t.part), (t.width, t.height)): t for t in timings}
    lines = [
        "# Speed",
        "",
        f"Milliseconds per picture, median (95th percentile) of {timings[0].runs} interleaved runs, batch 1, "
        f"{threads} thread{'s' if threads > 1 else ''}. `detect` is everything from a uint8 array to faces; "
        "`network` is the forward pass alone. Pictures are seen at their own size.",
        "",
        "| what | part | " + " | ".join(f"{w}x{h}" for w, h in shapes) + " |",
        "| --- | --- |" + " ---: |" * len(shapes),
    ]
    for row in rows:
        cells = (table.get((row, shape)) for shape in shapes)
        lines.append(
            f"| {row[0]} | {row[1]} | "
            + " | ".join(f"{c.median:.2f} ({c.p95:.2f})" if c else "" for c in cells)
            + " |"
        )
    details = ", ".join(f"{key} {value}" for key, value in about.items())
    date = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    lines += ["", f"Machine: {details}. Date: {date}. Command: `{command}`.", ""]
    return "\n".join(lines)


def write(folder: Path, timings: Sequence[Timing], command: str, threads: int) -> None:
    """Writes `speed.json` and `speed.md`."""
    about = machine()
    data = {
        "machine": about,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": command,
        "threads": threads,
        "timings": [dataclasses.asdict(timing) for timing in timings],
    }
    with replacing(folder / "speed.json") as temporary:
        temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    with replacing(folder / "speed.md") as temporary:
        temporary.write_text(markdown(timings, about, command, threads), encoding="utf-8")
