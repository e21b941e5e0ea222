"""Who takes part: our models on each device, the peers of a file, and the machine itself."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from lafd import models
from lafd.benchmark.timing import Contestant
from lafd.detector import Detector
from lafd.errors import UsageError
from lafd.preprocess import STRIDE

HERE = Path(__file__).parent


def ours(names: Sequence[str], devices: Sequence[str], threads: int) -> Iterator[Contestant]:
    """Each of our models on each device: all of `detect`, and the network alone.

    Raises:
        UsageError: Unknown model or device.
    """
    for model in names:
        card = models.load_card(models.find_model(model))
        for device in devices:
            engine = Detector(model, device=device, threads=threads).runtime.name
            for part in ("detect", "network"):
                command = (sys.executable, str(HERE / "ours.py"), model, device, part)
                accuracy = card.name if part == "detect" else None
                yield Contestant(f"lafd {card.name}, {engine}", part, command, card.gmacs, STRIDE, accuracy)


def machine() -> Iterator[Contestant]:
    """What the machine can do at most, to be measured at 640x640 pixels."""
    from lafd.benchmark import peak

    for graph, gmacs in peak.GMACS.items():
        command = (sys.executable, str(HERE / "peak.py"), graph)
        yield Contestant(graph, "peak", command, gmacs)


def peers(path: Path) -> Iterator[Contestant]:
    """The peers that `benchmarks/peers/setup.sh` wrote into a file: a list of the fields of `Contestant`.

    A command that begins with "lafd" runs in the Python that runs lafd.

    Raises:
        UsageError: The file cannot be read.
    """
    known = {field.name for field in dataclasses.fields(Contestant)}
    try:
        for entry in json.loads(path.read_text("utf-8")):
            python, *arguments = entry.pop("command")
            command = (sys.executable if python == "lafd" else python, *arguments)
            yield Contestant(**{key: entry[key] for key in entry if key in known}, command=command)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{path}: not a list of peers as benchmarks/peers/setup.sh writes it ({error})."
        ) from None
