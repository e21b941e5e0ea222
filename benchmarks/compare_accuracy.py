"""Sets the reports that `lafd evaluate -o` wrote side by side: python compare_accuracy.py FOLDER.

Reads FOLDER/*/report.json, writes FOLDER/README.md and FOLDER/precision-recall.svg.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lafd.evaluation.average_precision import RECALL_POINTS
from lafd.evaluation.plots import axes, save
from lafd.evaluation.text import table
from lafd.files import replacing

Report = dict[str, Any]

HEADLINE = {
    "AP50": "AP50",
    "AP75": "AP75",
    "AP[.5:.95]": "AP[.5:.95]",
    "recall at 0.1 false positives per picture": "recall at 0.1 FP",
    "recall at 1 false positive per picture": "recall at 1 FP",
    "F1": "F1",
}
WEAKNESSES = {  # what LFFD's anime detector named as its own, and where the figures have it
    "the face is the whole picture": ("tag", "huge"),
    "tiny faces": ("tag", "tiny"),
    "faces of 8 to 16 px in the network": ("face size in the network, px", "8 to 16"),
    "faces of 16 to 32 px in the network": ("face size in the network, px", "16 to 32"),
    "chibi": ("style", "chibi"),
    "rotated": ("tag", "rotated"),
    "side views": ("tag", "profile"),
    "ornaments and headdresses": ("tag", "headwear"),
    "faces close together": ("tag", "close"),
    "manga": ("style", "manga"),
    "sketches": ("style", "sketch"),
    "closed eyes": ("tag", "closed_eyes"),
    "dark pictures": ("tag", "dark"),
}
ABOUT = """# Accuracy

Made by `benchmarks/accuracy.sh`, which has the commands. `docs/evaluation.md` says what the figures mean. A folder per
detector has its whole report.

The peers are other detectors with other box rules. Their figures are those after an affine box correction that each
half of the pictures takes from the other half, so that only detection is compared; without it they are much lower (see
their reports). "-2x" stands for pictures enlarged twice before the peer sees them.

In brackets: 95 % confidence intervals by the bootstrap over pictures.
"""


def main() -> None:
    """Reads, compares, writes."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*/report.json"))]
    if not reports:
        sys.exit(f"{folder}: there are no reports in it")
    if len({report["data"]["sha256"] for report in reports}) > 1:
        sys.exit(f"{folder}: the reports are of different pictures")
    reports.sort(key=lambda report: (not is_model(report), -report["figures"]["summary"]["AP50"]["value"]))
    with replacing(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines(reports)) + "\n", encoding="utf-8")
    plot(reports, folder / "precision-recall.svg")


def is_model(report: Report) -> bool:
    """Whether it is about one of our models."""
    return "weights" in report["detector"]


def lines(reports: list[Report]) -> Iterator[str]:
    """The comparison in Markdown."""
    data, made = reports[0]["data"], sorted({report["made"]["date"] for report in reports})
    machines = sorted({report["made"]["machine"] for report in reports})
    yield ABOUT
    yield f"Data: {data['name']}, {data['pictures']} pictures with {data['faces']} faces."
    yield f"Date: {' to '.join(dict.fromkeys((made[0], made[-1])))}. Machine: {'; '.join(machines)}.\n"
    rows = [[report["detector"]["name"], *headline(report)] for report in reports]
    yield from table(("detector", *HEADLINE.values(), "FP per faceless picture"), rows)
    yield "\n![Precision over recall](precision-recall.svg)"
    yield "\n## Known weaknesses: recall at one false positive per picture\n"
    yield "A tag is of a picture: all faces of a picture with it count, also those that it is not about.\n"
    yield from weaknesses(reports)
    for division in ("style", "tag", "face size / picture size"):
        yield f"\n## AP50 by {division}\n"
        yield from by_slice(reports, division)


def headline(report: Report) -> Iterator[str]:
    """The main figures of a detector."""
    for name in HEADLINE:
        yield interval(report["figures"]["summary"][name])
    yield next((interval(f["per_picture"]) for f in report["figures"]["faceless"] if f["kind"] == "all"), "-")


def weaknesses(reports: list[Report]) -> Iterator[str]:
    """Recall of each model, and of the best peer, where detectors are known to be weak."""
    models = [report for report in reports if is_model(report)]
    peers = [report for report in reports if not is_model(report)]
    rows = []
    for title, place in WEAKNESSES.items():
        found = [part_of(report, *place) for report in models]
        theirs = [part["recall_at_1"]["value"] or 0.0 for r in peers if (part := part_of(r, *place))]
        if part := next(filter(None, found), None):
            cells = [interval(p["recall_at_1"]) if p else "-" for p in found]
            if peers:
                cells.append(f"{max(theirs):.3f}" if theirs else "-")
            rows.append([title, part["faces"], *cells])
    best = ["best peer"] if peers else []
    yield from table(("", "faces", *[report["detector"]["name"] for report in models], *best), rows)


def part_of(report: Report, division: str, name: str) -> dict[str, Any] | None:
    """The figures of one part of the pictures, if the report has them."""
    parts = report["figures"]["slices"].get(division, ())
    return next((part for part in parts if part["name"] == name), None)


def by_slice(reports: list[Report], division: str) -> Iterator[str]:
    """AP50 of each detector on each part, and by how much our best is above the best peer."""
    parts = {part["name"]: part["faces"] for part in reports[0]["figures"]["slices"][division]}
    names = [report["detector"]["name"] for report in reports]
    rows = []
    for name, faces in parts.items():
        values = {}
        for report in reports:
            part = part_of(report, division, name)
            values[report["detector"]["name"]] = part["ap50"]["value"] if part else None
        ours, theirs = (
            [values[r["detector"]["name"]] or 0.0 for r in reports if is_model(r) is mine]
            for mine in (True, False)
        )
        cells = ["-" if values[n] is None else f"{values[n]:.3f}" for n in names]
        margin = [f"{max(ours) - max(theirs):+.3f}"] if ours and theirs else []
        rows.append([name, faces, *cells, *margin])
    header = ["our best - best peer"] if 0 < sum(map(is_model, reports)) < len(reports) else []
    yield from table(("", "faces", *names, *header), rows)


def interval(estimate: dict[str, float | None]) -> str:
    """Such as "0.912 [0.890, 0.931]"."""
    if estimate["value"] is None:
        return "-"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def plot(reports: list[Report], path: Path) -> None:
    """Precision over recall at IoU 0.5 of every detector."""
    figure, ax = axes("recall", "precision")
    for report in reports:
        style = "-" if is_model(report) else "--"
        ax.plot(RECALL_POINTS, report["figures"]["curves"]["0.5"], style, label=report["detector"]["name"])
    ax.set_xlim(0, 1.02)
    ax.legend(loc="lower left")
    save(figure, path)


if __name__ == "__main__":
    main()
