"""Writes docs/models/NAME.md and docs/images/hard-cases-NAME.jpg of every shipped model.

    python tools/model_cards.py

Figures come from the model's card and from benchmarks/accuracy/NAME/report.json; the picture shows what the model finds
in drawn scenes of the kinds that are hard for it. Run it when weights or report change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lafd import Detector, draw, models
from lafd import boxes as box_maths
from lafd.drawing import Character, Placement, Scene, compose, draw_background
from lafd.drawing.styles import style_named
from lafd.evaluation.text import table
from lafd.images import save_image
from lafd.models import ModelCard

ROOT = Path(__file__).parents[1]
SIZE = (640, 480)
WEAK = 0.8  # recall at the default threshold below which a kind of faces is listed
FEW = 10  # faces; a figure of fewer says nothing
SUMMARY = (
    "AP50",
    "AP75",
    "AP[.5:.95]",
    "recall at 1 false positive per picture",
    "F1",
    "precision",
    "recall",
)
SOMEONE = Character(hair_colour="#e9c46f", hair_style="ponytail", fringe="parted", eye_colour="#2fa58c")
OTHER = Character(hair_colour="#3a3346", hair_style="spiky", fringe="messy", eye_colour="#c8862c")


def scene(*placements: Placement) -> Scene:
    """Characters before a drawn background."""
    background = draw_background("room", SIZE, np.random.default_rng(3), style_named("cel"))
    return compose(background, placements)


def night() -> Scene:
    """A face that is hardly lit."""
    lit = scene(Placement(SOMEONE, 320, 240, 120))
    return replace(lit, image=(lit.image * 0.12).astype(np.uint8))


HARD: dict[str, Callable[[], Scene]] = {
    "upside down": lambda: scene(Placement(replace(SOMEONE, tilt=180.0), 320, 240, 130)),
    "full profile": lambda: scene(Placement(replace(SOMEONE, yaw=-1.0), 320, 240, 130)),
    "10 px": lambda: scene(
        *(Placement(SOMEONE, 80 + 80 * (i % 7), 120 + 120 * (i // 7), 10) for i in range(21))
    ),
    "fills the picture": lambda: scene(Placement(SOMEONE, 320, 250, 430)),
    "half covered": lambda: scene(Placement(SOMEONE, 290, 220, 130), Placement(OTHER, 380, 260, 130)),
    "night": night,
}


def hard_cases(detector: Detector, path: Path) -> list[tuple[str, str]]:
    """Writes the picture; returns what was found in each case."""
    panels, found = [], []
    for name, make in HARD.items():
        drawn = make()
        faces = detector.detect(drawn.image)
        hit = int((box_maths.iou(drawn.boxes, faces.boxes).max(1, initial=0) > 0.5).sum())
        found.append((name, f"{hit} of {len(drawn.boxes)}"))
        panel = cv2.resize(draw(drawn.image, faces), (400, 300), interpolation=cv2.INTER_AREA)
        caption = np.full((28, 400, 3), 255, np.uint8)
        text = f"{name}: {found[-1][1]} found"
        cv2.putText(caption, text, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        panels.append(np.vstack([panel, caption]))
    save_image(path, np.vstack([np.hstack(panels[:3]), np.hstack(panels[3:])]))
    return found


def page(
    card: ModelCard, weights: Path, report: dict[str, Any] | None, hard: list[tuple[str, str]]
) -> Iterator[str]:
    """The lines of a model's page."""
    yield f"# {card.name}\n"
    yield f"{card.description}\n"
    yield from table(
        ("what", "value"),
        [
            ("file", f"{weights.stat().st_size / 1e6:.1f} MB, SHA-256 {card.sha256[:16]}…"),
            ("parameters", f"{card.parameters:,}"),
            ("cost at 640x640", f"{card.gmacs:.2f} G multiply-adds"),
            ("default size", f"{card.size} px"),
            ("default threshold", card.confidence),
            ("licence", card.licence),
            ("made", f"{card.date}, {card.origin}"),
        ],
    )
    yield "\n## Trained on\n"
    yield from (f"- {name}: {value}" for name, value in card.training.items())
    if report:
        yield from accuracy(report)
    else:
        yield "\n## Accuracy\n"
        yield from (f"- {name}: {value}" for name, value in card.metrics.items())
    yield "\n## Hard cases\n"
    yield f"Drawn scenes of {SIZE[0]}x{SIZE[1]} pixels, and what this model finds in them by itself, without options.\n"
    yield f"![Six drawn scenes](../images/hard-cases-{card.name}.jpg)\n"
    yield from table(("scene", "faces found"), hard)


def accuracy(report: dict[str, Any]) -> Iterator[str]:
    """What the report says, and where the model is weak."""
    data, figures = report["data"], report["figures"]
    yield "\n## Accuracy\n"
    yield f"On {data['pictures']} pictures with {data['faces']} faces, of sources that it was not trained on."
    yield "In brackets: 95 % intervals.\n"
    yield from table(("figure", "value"), [(name, bracketed(figures["summary"][name])) for name in SUMMARY])
    faceless = figures["faceless"][0]
    rate = bracketed(faceless["per_picture"])
    yield f"\nFalse positives per picture without faces: {rate}, {faceless['pictures']} pictures.\n"
    yield "## Where it is weak\n"
    yield f"Kinds of faces of which it finds fewer than {100 * WEAK:.0f} % at the default threshold.\n"
    rows = [
        (f"{kind}: {part['name']}", part["faces"], bracketed(part["recall"]), bracketed(part["ap50"]))
        for kind, parts in figures["slices"].items()
        for part in parts
        if part["faces"] >= FEW and part["recall"]["value"] < WEAK
    ]
    yield from table(("kind", "faces", "recall", "AP50"), rows)
    turned = [
        f"{point['angle']}°: {point['recall']:.2f}"
        for point in report["angles"]
        if point["angle"] in (30, 60, 90, 180)
    ]
    if turned:
        yield f"\nRecall on pictures turned by {', '.join(turned)}."


def bracketed(estimate: dict[str, float]) -> str:
    """A figure with its interval."""
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


def main() -> None:
    """Writes all pages."""
    for name in models.shipped_models():
        weights = models.find_model(name)
        card = models.load_card(weights)
        file = ROOT / "benchmarks" / "accuracy" / name / "report.json"
        report = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        if report and card.sha256 not in report["detector"]["weights"]:
            report = None  # of other weights
        hard = hard_cases(Detector(name, threads=1), ROOT / "docs" / "images" / f"hard-cases-{name}.jpg")
        text = "\n".join(page(card, weights, report, hard)) + "\n"
        (ROOT / "docs" / "models" / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
