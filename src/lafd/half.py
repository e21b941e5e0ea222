"""Weights stored in 16 bits: half the file. The runtime widens them as it loads the model, the time stays the same."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

FEW = 1024  # weights; of smaller tensors nothing would be saved
SUFFIX = ".half"


def to_half(graph: onnx.GraphProto) -> None:
    """Stores the weights of a graph as float16, each with a cast to float32 behind it."""
    casts = []
    for weights in graph.initializer:
        if weights.data_type == onnx.TensorProto.FLOAT and np.prod(weights.dims) >= FEW:
            name = weights.name
            values = numpy_helper.to_array(weights).astype(np.float16)
            weights.CopyFrom(numpy_helper.from_array(values, name + SUFFIX))
            casts.append(onnx.helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def to_single(graph: onnx.GraphProto) -> None:
    """Undoes `to_half`, but for what the weights have lost."""
    for weights in graph.initializer:
        if weights.name.endswith(SUFFIX):
            values = numpy_helper.to_array(weights).astype(np.float32)
            weights.CopyFrom(numpy_helper.from_array(values, weights.name.removesuffix(SUFFIX)))
    stored = {weights.name for weights in graph.initializer}
    nodes = [node for node in graph.node if node.output[0] not in stored]
    del graph.node[:]
    graph.node.extend(nodes)
