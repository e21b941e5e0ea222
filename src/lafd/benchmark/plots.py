"""Plots of a report as SVG files (extra `benchmark`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

from lafd.benchmark.report import FIRST_LOOK, Report
from lafd.errors import UsageError
from lafd.evaluation.plots import axes, save


def write_plots(report: Report, folder: Path, accuracy: Path | None) -> None:
    """Writes time over size, and accuracy over time where there are reports of `lafd evaluate` in `accuracy`/NAME.

    Raises:
        UsageError: A report of accuracy cannot be read.
        LafdError: A file cannot be written.
    """
    save(time_over_size(report), folder / "time-over-size.svg")
    if accuracy:
        save(accuracy_over_time(report, accuracy), folder / "accuracy-over-time.svg")


def time_over_size(report: Report) -> Figure:
    """Milliseconds over pixels of the picture, both logarithmic: what grows linearly has the slope of the grey line."""
    figure, ax = axes("pixels of the picture", "ms")
    shapes = sorted(report.shapes, key=lambda shape: shape[0] * shape[1])
    pixels = [width * height for width, height in shapes]
    colours = colours_of(report)
    for contestant in report.contestants:
        medians = [report.of(contestant, shape).median for shape in shapes]
        style = "o-" if contestant.part == "detect" else "s--"
        name = label(contestant.name, contestant.part)
        ax.plot(pixels, medians, style, color=colours[contestant.name], markersize=4, label=name)
    first = min(report.of(contestant, shapes[0]).median for contestant in report.contestants)
    ax.plot(pixels, [first * count / pixels[0] for count in pixels], color="lightgrey", label="linear")
    ax.autoscale(axis="y")
    ax.set(xscale="log", yscale="log")
    legend_beside(figure)
    return figure


def accuracy_over_time(report: Report, folder: Path) -> Figure:
    """AP50 of the evaluation over the time of `detect`, for those who have both."""
    shape = FIRST_LOOK if FIRST_LOOK in report.shapes else report.shapes[-1]
    figure, ax = axes(f"ms at {shape[0]}x{shape[1]}", "AP50")
    colours = colours_of(report)
    for contestant in report.contestants:
        if contestant.accuracy and (folder / contestant.accuracy).is_dir():
            ap50 = read_ap50(folder / contestant.accuracy / "report.json")
            median = report.of(contestant, shape).median
            ax.plot(median, ap50, "o", color=colours[contestant.name], label=contestant.name)
    ax.set_xscale("log")
    legend_beside(figure)
    return figure


def read_ap50(path: Path) -> float:
    """AP50 in a report of `lafd evaluate`."""
    try:
        return float(json.loads(path.read_text("utf-8"))["figures"]["summary"]["AP50"]["value"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not a report of lafd evaluate ({error}).") from None


def label(name: str, part: str) -> str:
    """What the legend says."""
    return name if part == "detect" else f"{name}, {part} alone"


def colours_of(report: Report) -> dict[str, Any]:
    """A colour for each contestant, the same in all plots and for all its parts."""
    names = list(dict.fromkeys(contestant.name for contestant in report.contestants))
    return {name: colormaps["tab20"](number % 20) for number, name in enumerate(names)}


def legend_beside(figure: Figure) -> None:
    """Puts the legend where it hides nothing, in a figure that is large enough for it."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.set_size_inches(9.5, max(4.5, 0.3 + 0.155 * len(labels)))
    figure.legend(handles, labels, loc="outside right upper", fontsize="x-small")
