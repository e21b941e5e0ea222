"""From the original's files to a model for `lafd.Detector`: the .onnx file and its card."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from pathlib import Path

from lafd.files import replacing
from lafd.models import GRAPH_INPUT, GRAPH_OUTPUTS, ModelCard, save_card
from lafd.mxnet import export
from lafd.mxnet.decoding import Branch, find_branches
from lafd.mxnet.network import Network, Operation, read_network

SIDE = 640  # px of the image whose multiply-adds a card states


@dataclasses.dataclass(frozen=True)
class Original:
    """The original's files.

    Attributes:
        parameters: The .params file.
        symbol: The symbol .json file.
        decoding: Its lffd.json; None for a published member of the family.
    """

    parameters: Path
    symbol: Path
    decoding: Path | None = None

    def read(self) -> tuple[Network, tuple[Branch, ...]]:
        """The checked network and its branches; raises as `read_network` and `find_branches` do."""
        network = read_network(self.parameters, self.symbol)
        return network, find_branches(network, self.decoding)


def convert(original: Original, out: Path) -> ModelCard:
    """Writes the .onnx file and its card beside it.

    Args:
        original: What to read.
        out: The .onnx file.

    Raises:
        UsageError: A file does not exist, or the package onnx is not installed.
        ModelError: The files are damaged or do not fit together.
        LafdError: The output cannot be written.
    """
    network, branches = original.read()
    data = export.detector_model(network, branches).SerializeToString()
    card = make_card(network, branches, out.stem, data)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
    save_card(card, out)
    return card


def make_card(network: Network, branches: tuple[Branch, ...], name: str, data: bytes) -> ModelCard:
    """The card of a converted network; size and thresholds are the original's defaults."""
    return ModelCard(
        name=name,
        description="Detector of the LFFD family, imported from MXNet.",
        sha256=hashlib.sha256(data).hexdigest(),
        date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        licence="unstated",
        origin="lafd import-mxnet",
        parameters=sum(network.constants[name].size for c in convolutions(network) for name in c.inputs[1:]),
        gmacs=round(multiply_adds(network) / 1e9, 3),
        input=GRAPH_INPUT | {"padding": GRAPH_INPUT["padding"] + "; the original did not pad"},
        outputs=GRAPH_OUTPUTS,
        strides=[branch.stride for branch in branches],
        size=384,
        confidence=0.7,
        iou=0.3,
        box_rule="That of whoever trained the weights.",
        training={},
        metrics={},
    )


def convolutions(network: Network) -> list[Operation]:
    """The operations that have weights."""
    return [operation for operation in network.operations if operation.type == "Conv"]


def multiply_adds(network: Network) -> int:
    """Multiply-adds of the convolutions for one square image of `SIDE` pixels."""
    constants, maps = network.constants, network.maps
    return sum(constants[c.inputs[1]].size * maps[c.output].side(SIDE) ** 2 for c in convolutions(network))
