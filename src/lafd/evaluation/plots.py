"""Plots of a report as SVG files (extra `evaluate`)."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lafd.evaluation.average_precision import RECALL_POINTS
from lafd.evaluation.report import Report
from lafd.files import replacing


def write_plots(report: Report, folder: Path) -> list[str]:
    """Writes what the report has figures for; returns the names of the files.

    Raises:
        LafdError: A file cannot be written.
    """
    plots = {"precision-recall.svg": precision_recall(report), "calibration.svg": calibration(report)}
    if len(report.sizes) > 1:
        plots["sizes.svg"] = sizes(report)
    if report.angles:
        plots["angles.svg"] = angles(report)
    for name, figure in plots.items():
        save(figure, folder / name)
    return list(plots)


def save(figure: Figure, path: Path) -> None:
    """Writes an SVG that is the same for the same figures."""
    with replacing(path) as temporary, mpl.rc_context({"svg.hashsalt": "lafd", "svg.fonttype": "none"}):
        figure.savefig(temporary, format="svg", metadata={"Date": None})


def axes(horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    """An empty plot with a vertical axis from 0 to 1."""
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    ax = figure.add_subplot()
    ax.set(xlabel=horizontal, ylabel=vertical, ylim=(0, 1.02))
    ax.grid(alpha=0.3)
    return figure, ax


def precision_recall(report: Report) -> Figure:
    """Precision over recall, with the default threshold marked."""
    figure, ax = axes("recall", "precision")
    for iou, values in report.figures.curves.items():
        ax.plot(RECALL_POINTS, values, label=f"IoU {iou}")
    point = (report.figures.summary["recall"].value, report.figures.summary["precision"].value)
    ax.plot(*point, "o", color="black", label=f"score {report.detector['confidence']:g} (IoU 0.5)")
    ax.set_xlim(0, 1.02)
    ax.legend(loc="lower left")
    return figure


def calibration(report: Report) -> Figure:
    """Precision over score, beside what a calibrated detector would have."""
    figure, ax = axes("mean score of the bin", "precision")
    ax.plot([0, 1], [0, 1], "--", color="grey", label="calibrated")
    scores, precisions = (
        [b.mean_score for b in report.figures.calibration],
        [b.precision for b in report.figures.calibration],
    )
    ax.plot(scores, precisions, "o-", label=str(report.detector["name"]))
    ax.set_xlim(0, 1.02)
    ax.legend(loc="upper left")
    return figure


def sizes(report: Report) -> Figure:
    """AP50 over the size of the network's input."""
    figure, ax = axes("size, px", "AP50")
    ticks = [p.size for p in report.sizes]
    ax.plot(ticks, [p.ap50 for p in report.sizes], "o-", label="all faces")
    ax.plot(ticks, [p.ap50_resolvable for p in report.sizes], "o-", label="faces over 10 px at that size")
    ax.plot(ticks, [p.ap50_common for p in report.sizes], "o-", label="faces over 10 px at every size")
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.legend(loc="lower right")
    return figure


def angles(report: Report) -> Figure:
    """AP50 and recall over the angle of the picture."""
    figure, ax = axes("angle, degrees", "")
    ticks = [p.angle for p in report.angles]
    ax.plot(ticks, [p.ap50 for p in report.angles], "o-", label="AP50")
    ax.plot(
        ticks, [p.recall_at_1 for p in report.angles], "o-", label="recall at 1 false positive per picture"
    )
    ax.plot(ticks, [p.recall for p in report.angles], "o-", label="recall at the default threshold")
    ax.set_xticks(range(0, 360, 45))
    ax.legend(loc="lower right")
    return figure
