"""Which models exist, where their weights lie, and what their cards say."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lafd.errors import ModelError, UsageError
from lafd.files import replacing

WEIGHTS = Path(__file__).parent / "weights"
DEFAULT_MODEL = "base"

GRAPH_INPUT: dict[str, Any] = {
    "name": "images",
    "layout": "NHWC",
    "dtype": "uint8",
    "colour": "BGR",
    "range": [0, 255],
    "normalisation": "inside the graph",
    "padding": "black, right and bottom, to multiples of 32",
}
GRAPH_OUTPUTS: dict[str, Any] = {
    "boxes": "float32 (n, k, 4), xyxy in input pixels, one per cell, not clipped",
    "scores": "float32 (n, k), in [0, 1]; threshold, then non-maximum suppression",
}
"""What every graph that `Detector` runs takes and gives."""


@dataclass(frozen=True)
class ModelCard:
    """What a user of a model's weights must know; a JSON file beside the .onnx file.

    Attributes:
        name: How the model is asked for.
        description: One sentence.
        sha256: Of the .onnx file.
        date: When the weights were made, ISO 8601.
        licence: Of the weights.
        origin: Where the weights come from.
        parameters: Number of weights.
        gmacs: Multiply-adds of one image of 640x640 pixels, in 1e9.
        input: Name, layout, type, colour order and value range of the graph's input.
        outputs: The same of its outputs.
        strides: Of the cells, in pixels.
        size: Default longer side of the network's input, in pixels.
        confidence: Default score threshold.
        iou: Default IoU threshold of non-maximum suppression.
        box_rule: What a box encloses.
        training: Summary of data and recipe.
        metrics: Accuracy, each with the data it was measured on.
    """

    name: str
    description: str
    sha256: str
    date: str
    licence: str
    origin: str
    parameters: int
    gmacs: float
    input: dict[str, Any]
    outputs: dict[str, Any]
    strides: list[int]
    size: int
    confidence: float
    iou: float
    box_rule: str
    training: dict[str, Any]
    metrics: dict[str, Any]


def shipped_models() -> list[str]:
    """Names of the models in the package, the default one first."""
    names = sorted(path.stem for path in WEIGHTS.glob("*.onnx"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def find_model(model: str) -> Path:
    """The .onnx file of a shipped model's name or of a path to a user's own.

    Raises:
        UsageError: There is no such model.
    """
    shipped = WEIGHTS / f"{model}.onnx"
    if model in shipped_models():
        return shipped
    own = Path(model)
    if own.suffix == ".onnx" and own.is_file():
        return own
    raise UsageError(
        f"unknown model {model!r}: choose one of {', '.join(shipped_models())}, or give the path of an .onnx file."
    )


def read_card(weights: Path) -> ModelCard:
    """Reads the card beside an .onnx file.

    Raises:
        ModelError: The card is missing or unreadable, or a field is missing, unknown or of the wrong type.
    """
    path = weights.with_suffix(".json")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{weights}: its card {path.name} must lie beside it.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: the model card cannot be read ({error}).") from None
    fields = {field.name: field.type for field in dataclasses.fields(ModelCard)}
    if not isinstance(data, dict) or data.keys() != fields.keys():
        wrong = fields.keys() ^ data.keys() if isinstance(data, dict) else fields.keys()
        raise ModelError(f"{path}: missing or unknown fields in the model card: {', '.join(sorted(wrong))}.")
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    for name, kind in fields.items():
        allowed = kinds.get(str(kind), (list,) if str(kind).startswith("list") else (dict,))
        if not isinstance(data[name], allowed) or isinstance(data[name], bool):
            raise ModelError(f"{path}: the field {name} of the model card must be of type {kind}.")
    card = ModelCard(**data)
    if not (32 <= card.size <= 65536 and 0 <= card.confidence <= 1 and 0 <= card.iou <= 1):
        raise ModelError(f"{path}: size, confidence or iou of the model card is out of range.")
    return card


def load_card(weights: Path) -> ModelCard:
    """Reads the card and checks that it belongs to the weights.

    Raises:
        ModelError: As `read_card`, or the weights' SHA-256 is not the card's.
    """
    card = read_card(weights)
    try:
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{weights}: cannot be read ({error.strerror}).") from None
    if digest != card.sha256:
        raise ModelError(
            f"{weights}: damaged, its SHA-256 is not the one on its card; install the package again."
        )
    return card


def fields_said(path: Path) -> dict[str, Any]:
    """Fields of a card that a JSON file sets, for whoever makes a model.

    Raises:
        UsageError: The file is unreadable or has unknown fields.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: the card cannot be read ({error}).") from None
    known = {field.name for field in dataclasses.fields(ModelCard)}
    unknown = said.keys() - known if isinstance(said, dict) else {"?"}
    if unknown:
        raise UsageError(f"{path}: a model card has no field {', '.join(sorted(unknown))}.")
    return dict(said)


def save_card(card: ModelCard, weights: Path) -> None:
    """Writes the card beside an .onnx file."""
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    with replacing(weights.with_suffix(".json")) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
