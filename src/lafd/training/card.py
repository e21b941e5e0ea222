"""The card of an exported model: what can be computed is computed, the rest is said by whoever exports."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lafd.models import GRAPH_INPUT, GRAPH_OUTPUTS, ModelCard, fields_said, save_card
from lafd.networks import Network

BOX_RULE = (
    "Tight around the drawn face, not the head: cheeks and jaw left and right, chin at the bottom, forehead about one "
    "eye-height above the eyebrows at the top; in profile from the nose tip to just before the ear; hidden parts count."
)


def write_card(network: Network, weights: Path, said: Path | None) -> ModelCard:
    """Writes the JSON card beside an .onnx file.

    Args:
        network: What the file holds.
        weights: The .onnx file.
        said: JSON file with fields of `ModelCard` that cannot be computed, or that should differ; None for defaults.

    Raises:
        UsageError: The JSON file is unreadable or has unknown fields.
    """
    fields: dict[str, Any] = {
        "name": weights.stem,
        "description": "Face detector trained with lafd train.",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "licence": "unstated",
        "origin": "trained with lafd train",
        "parameters": sum(p.numel() for p in network.parameters()),
        "gmacs": round(multiply_adds(network, 640) / 1e9, 3),
        "input": GRAPH_INPUT,
        "outputs": GRAPH_OUTPUTS,
        "strides": list(dict.fromkeys(network.strides)),
        "size": 640,
        "confidence": 0.4,
        "iou": 0.5,
        "box_rule": BOX_RULE,
        "training": {},
        "metrics": {},
    }
    fields |= fields_said(said) if said else {}
    card = ModelCard(**fields)
    save_card(card, weights)
    return card


def multiply_adds(network: nn.Module, side: int) -> int:
    """Multiply-adds of the convolutions for one square image of `side` pixels."""
    total = 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += output.numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    for hook in hooks:
        hook.remove()
    return total
