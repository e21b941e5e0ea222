"""Models of eight bits: a quarter of the size, and faster where the processor multiplies bytes quickly."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from lafd import preprocess
from lafd.compact import expand
from lafd.detector import Detector, Options
from lafd.errors import LafdError
from lafd.files import replacing
from lafd.models import ModelCard, fields_said, save_card

KINDS = ("Conv", "Add", "Relu")


class Views(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """The network's inputs for pictures, from which the ranges of activations are learnt.

    Args:
        detector: Sees the pictures.
        paths: The pictures; those that cannot be read are left out.
    """

    def __init__(self, detector: Detector, paths: Sequence[Path]) -> None:
        self.views = self.inputs(detector, paths)

    @staticmethod
    def inputs(detector: Detector, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
        """One input per picture."""
        readable = 0
        for path in paths:
            try:
                picture = detector.read(path, Options())
            except LafdError:
                continue
            readable += 1
            yield {"images": preprocess.stack([picture.pixels], [detector.view(picture, Options())])}
        if not readable:
            raise LafdError("none of the pictures can be read.")

    def get_next(self) -> dict[str, Any] | None:
        """The next input; None at the end."""
        return next(self.views, None)


def quantize(model: Path, paths: Sequence[Path], out: Path, said: Path | None = None) -> ModelCard:
    """Writes a model of 8 bits and its card.

    Weights have a scale per channel. They use 7 of the 8 bits, because processors without VNNI add pairs of products in
    16 bits, which would overflow. The last convolutions, and what makes boxes of them, stay as they are.

    Args:
        model: The .onnx file, with its card.
        paths: Pictures like those that it will see; a hundred or two are enough.
        out: The .onnx file to write.
        said: JSON file with fields of the card to set; the metrics of the old one are not those of the new one.

    Raises:
        UsageError: `said` is unreadable or has unknown fields.
        ModelError: The model is damaged.
        LafdError: No picture can be read, or the output cannot be written.
    """
    fields = fields_said(said) if said else {}
    detector = Detector(str(model), device="cpu")
    graph = onnx.load(model)
    expand(graph.graph)
    with replacing(out) as temporary:
        logging.disable(logging.WARNING)  # it advises a step that our graphs do not need
        try:
            quantize_static(
                graph,
                temporary,
                Views(detector, paths),
                quant_format=QuantFormat.QDQ,
                nodes_to_quantize=quantizable(graph.graph),
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        finally:
            logging.disable(logging.NOTSET)
        digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
    fields = {
        "name": out.stem,
        "description": f"{detector.card.description} In eight bits.",
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "metrics": {},
        **fields,
    }
    card = dataclasses.replace(detector.card, **fields, sha256=digest)
    save_card(card, out)
    return card


def quantizable(graph: onnx.GraphProto) -> list[str]:
    """The nodes that eight bits are enough for: those of KINDS from which a way leads to another convolution.

    Nodes without a name get one.
    """
    wanted: set[str] = set()  # values that a convolution further on needs
    names = []
    for number, node in reversed(list(enumerate(graph.node))):
        node.name = node.name or f"node_{number}"
        useful = bool(wanted.intersection(node.output))
        if useful and node.op_type in KINDS:
            names.append(node.name)
        if useful or node.op_type == "Conv":
            wanted.update(node.input)
    return names
