"""The report for people: Markdown whose tables are aligned, so that it also reads well in a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lafd.evaluation.curves import RESOLVABLE, spread
from lafd.evaluation.intervals import Estimate
from lafd.evaluation.report import Report
from lafd.evaluation.slices import Slice


def to_markdown(report: Report) -> str:
    """The whole report."""
    return "\n".join(_sections(report)) + "\n"


def _sections(report: Report) -> Iterator[str]:
    yield f"# {report.detector['name']} on {report.data['name']}\n"
    yield from (f"- {name}: {value}" for name, value in report.detector.items() if name != "name")
    data = report.data
    yield f"- data: {data['pictures']} pictures, {data['faces']} faces, {data['ignored']} ignore regions"
    yield f"- made: {', '.join(f'{name} {value}' for name, value in report.made.items())}"
    if any(math.isfinite(e.low) for e in report.figures.summary.values()):
        yield "\nIn brackets: 95 % confidence intervals by the bootstrap over pictures."
    yield ""
    yield from _summary(report)
    yield "\n## False positives on pictures without faces\n"
    yield from table(
        ("kind", "pictures", "with false positives", "false positives per picture"),
        [
            (f.kind, f.pictures, f.with_false_positives, interval(f.per_picture))
            for f in report.figures.faceless
        ],
    )
    for name, parts in report.figures.slices.items():
        yield f"\n## By {name}\n"
        yield from _slices(parts)
    yield from _curves(report)
    yield "\n## Errors at the default threshold\n"
    yield from table(("cause", "errors"), list(report.figures.causes.items()))
    yield "\n## Calibration\n"
    yield from table(
        ("score", "detections", "mean score", "precision"),
        [
            (f"{b.low:.1f} to {b.high:.1f}", b.detections, number(b.mean_score), number(b.precision))
            for b in report.figures.calibration
        ],
    )


def _summary(report: Report) -> Iterator[str]:
    if not report.uncorrected:
        yield from table(("figure", "value"), [(n, interval(e)) for n, e in report.figures.summary.items()])
        return
    rows = [(n, interval(e), interval(report.uncorrected[n])) for n, e in report.figures.summary.items()]
    yield from table(("figure", "boxes corrected", "boxes as they are"), rows)
    yield "\nAll further figures are of corrected boxes."
    yield "Each half of the pictures is corrected by what fits the other half:\n"
    yield from table(
        ("half", "right, widths", "down, heights", "width times", "height times"),
        [(i, *map(number, (c.x, c.y, c.width, c.height))) for i, c in enumerate(report.corrections, 1)],
    )


def _slices(parts: Sequence[Slice]) -> Iterator[str]:
    headers = ("", "pictures", "faces", "AP50", "recall at 1 FP per picture", "recall at default")
    yield from table(
        headers,
        [(p.name, p.pictures, p.faces, *map(interval, (p.ap50, p.recall_at_1, p.recall))) for p in parts],
    )


def _curves(report: Report) -> Iterator[str]:
    if report.sizes:
        yield "\n## By size of the network's input\n"
        limit = f"{RESOLVABLE:.0f} px"
        yield from table(
            (
                "size",
                "AP50",
                f"AP50, faces over {limit}",
                "faces",
                f"AP50, over {limit} at every size",
                "faces",
            ),
            [
                (
                    p.size,
                    number(p.ap50),
                    number(p.ap50_resolvable),
                    p.faces_resolvable,
                    number(p.ap50_common),
                    p.faces_common,
                )
                for p in report.sizes
            ],
        )
        yield f"\nOn the same faces, AP50 differs by {number(spread(report.sizes))} between these sizes."
    if report.angles:
        yield "\n## By angle of the picture\n"
        yield from table(
            ("degrees", "AP50", "recall at 1 FP per picture", "recall at default"),
            [(a.angle, number(a.ap50), number(a.recall_at_1), number(a.recall)) for a in report.angles],
        )


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Lines of an aligned Markdown table; all columns but the first are aligned to the right."""
    cells = [[str(value) for value in row] for row in [headers, *rows]]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        padded = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return f"| {' | '.join(padded)} |"

    yield line(cells[0])
    yield line(["-" * w if not i else "-" * (w - 1) + ":" for i, w in enumerate(widths)])
    yield from map(line, cells[1:])


def number(value: float) -> str:
    """Three decimals, or a dash for what is undefined."""
    return f"{value:.3f}" if math.isfinite(value) else "-"


def interval(estimate: Estimate) -> str:
    """Such as "0.912 [0.890, 0.931]"."""
    if not math.isfinite(estimate.low):
        return number(estimate.value)
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"
