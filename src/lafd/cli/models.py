"""`lafd models`: the shipped models and their cards."""

from __future__ import annotations

import argparse
import dataclasses
import json

from lafd import models
from lafd.models import ModelCard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("name", nargs="?", help="print the whole card of this model")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table or the card."""
    names = [arguments.name] if arguments.name else models.shipped_models()
    weights = {name: models.find_model(name) for name in names}
    cards = [models.load_card(path) for path in weights.values()]
    if arguments.format == "json":
        print(json.dumps([dataclasses.asdict(card) for card in cards], indent=2, ensure_ascii=False))
    elif arguments.name:
        for field, value in dataclasses.asdict(cards[0]).items():
            print(f"{field}: {value if isinstance(value, (str, int, float)) else json.dumps(value)}")
    else:
        for card, path in zip(cards, weights.values(), strict=True):
            print(summary(card, path.stat().st_size))
    return 0


def summary(card: ModelCard, size: int) -> str:
    """A few lines on one model."""
    figures = [f"{name} {value}" for name, value in card.metrics.items() if isinstance(value, float)]
    accuracy = ", ".join(figures) + f" ({card.metrics.get('measured on', 'unstated data')})"
    default = " (default)" if card.name == models.DEFAULT_MODEL else ""
    return (
        f"{card.name}{default}: {card.description}\n"
        f"  file      {size / 1e6:.1f} MB, {card.parameters / 1e6:.2f} M parameters\n"
        f"  cost      {card.gmacs:.2f} G multiply-adds at 640x640; default size {card.size}\n"
        f"  accuracy  {accuracy}\n"
        f"  licence   {card.licence}\n"
        f"  origin    {card.origin}, {card.date}"
    )
