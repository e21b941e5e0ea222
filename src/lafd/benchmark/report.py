"""The benchmark's report: JSON for programs, Markdown for people."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from lafd import __version__
from lafd.benchmark.timing import Contestant, Shape, Timing
from lafd.evaluation.text import table
from lafd.files import make_folder, replacing
from lafd.opencv import cv2

FIRST_LOOK = (640, 480)  # the shape of the detailed table


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
        "opencv": cv2.__version__ if cv2 else "none",
        "onnxruntime": onnxruntime.__version__,
        "lafd": __version__,
    }


def measured() -> dict[str, Any]:
    """Where and when: the fields `machine` and `date` of a report."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"machine": machine(), "date": now.isoformat(timespec="seconds")}


def signature(about: dict[str, Any]) -> str:
    """The sentences for people on what `measured` says."""
    details = ", ".join(f"{key} {value}" for key, value in about["machine"].items())
    return f"Machine: {details}. Date: {about['date'][:10]}."


def write_both(path: Path, data: dict[str, Any], text: str) -> None:
    """Writes a report for programs and for people: `path` with the endings .json and .md, and the folders above it.

    Raises:
        LafdError: A file cannot be written.
    """
    make_folder(path.parent)
    for ending, content in ((".json", json.dumps(data, indent=1) + "\n"), (".md", text)):
        with replacing(path.with_suffix(ending)) as temporary:
            temporary.write_text(content, encoding="utf-8")


@dataclass(frozen=True)
class Report:
    """What was measured.

    Attributes:
        contestants: In the order of the tables.
        timings: Of every contestant for every shape.
        peaks: What the machine can do at most; empty if that was not measured.
        command: Makes this report.
        threads: Of each contestant.
    """

    contestants: Sequence[Contestant]
    timings: Sequence[Timing]
    peaks: Sequence[Timing]
    command: str
    threads: int

    @property
    def shapes(self) -> list[Shape]:
        """The pictures' (width, height)."""
        return list(dict.fromkeys((t.width, t.height) for t in self.timings))

    def of(self, contestant: Contestant, shape: Shape) -> Timing:
        """A contestant's figures for a shape."""
        key = (contestant.name, contestant.part, *shape)
        return next(t for t in self.timings if (t.name, t.part, t.width, t.height) == key)

    def share_of_peak(self, timing: Timing) -> float | None:
        """How much of the best that the machine can do a contestant gets, in [0, 1]."""
        best = max((peak.gflop_per_second or 0 for peak in self.peaks), default=0)
        return timing.gflop_per_second / best if best and timing.gflop_per_second else None


def markdown(report: Report) -> str:
    """The report as Markdown: times of all shapes, then what lies behind them at one shape."""
    threads = report.threads
    shape = report.shapes[-1] if FIRST_LOOK not in report.shapes else FIRST_LOOK
    lines = [
        "# Speed",
        "",
        f"Milliseconds per picture, median (95th percentile) of {max(t.runs for t in report.timings)} interleaved "
        f"runs, fewer for the slowest, batch 1, {threads} thread{'s' if threads > 1 else ''}. `detect` is everything "
        "from a uint8 array to faces; `network` is the forward pass alone. Pictures are seen at their own size.",
        "",
        *table(("what", "part", *(f"{w}x{h}" for w, h in report.shapes)), list(times(report))),
        "",
        f"## At {shape[0]}x{shape[1]}",
        "",
        "The spread is half the distance between the quartiles. Where the processor's time is much less than the time, "
        "other programs were running. Memory is the most that a process with nothing else in "
        "it has had, Python and libraries included.",
        "",
        *table(
            (
                "what",
                "part",
                "runs",
                "ms",
                "spread",
                "processor's ms",
                "GFLOP",
                "GFLOP/s",
                "of the peak",
                "memory, MiB",
            ),
            list(details(report, shape)),
        ),
    ]
    if report.peaks:
        best = "; ".join(f"{peak.name} {peak.gflop_per_second:.1f}" for peak in report.peaks)
        lines += ["", f"The peak is the better of these in ONNX Runtime, GFLOP/s: {best}."]
    lines += ["", *(f"- {c.name}: {c.note}" for c in report.contestants if c.note)]
    return "\n".join([*lines, "", f"{signature(measured())} Command: `{report.command}`.", ""])


def times(report: Report) -> Iterator[list[object]]:
    """A row per contestant: median and 95th percentile of every shape."""
    for contestant in report.contestants:
        row = (report.of(contestant, shape) for shape in report.shapes)
        yield [contestant.name, contestant.part, *(f"{t.median:.2f} ({t.p95:.2f})" for t in row)]


def details(report: Report, shape: Shape) -> Iterator[list[object]]:
    """A row per contestant: what it did in its time for a shape."""
    for contestant in report.contestants:
        timing = report.of(contestant, shape)
        share = report.share_of_peak(timing)
        yield [
            contestant.name,
            contestant.part,
            timing.runs,
            f"{timing.median:.2f}",
            f"{timing.spread:.0%}",
            f"{timing.processor:.2f}",
            "-" if timing.gflop is None else f"{timing.gflop:.2f}",
            "-" if timing.gflop_per_second is None else f"{timing.gflop_per_second:.1f}",
            "-" if share is None else f"{share:.0%}",
            "-" if timing.memory is None else f"{timing.memory:.0f}",
        ]


def write(report: Report, folder: Path) -> None:
    """Writes `speed.json` and `speed.md`."""
    data = {
        **measured(),
        "command": report.command,
        "threads": report.threads,
        "peaks": [dataclasses.asdict(peak) for peak in report.peaks],
        "timings": [dataclasses.asdict(timing) for timing in report.timings],
    }
    write_both(folder / "speed", data, markdown(report))
