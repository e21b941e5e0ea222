"""Weights stored in 8 bits: a quarter of the file. The runtime widens them as it loads, so the time stays the same."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEW = 1024  # weights; of smaller tensors nothing would be saved
STORED, CAST, SCALE = ".stored", ".cast", ".scale"


def compact(graph: onnx.GraphProto) -> None:
    """Stores the weights of a graph as int8 with a scale per output channel, multiplied out before their use."""
    nodes, scales = [], []
    for weights in graph.initializer:
        if weights.data_type == TensorProto.FLOAT and np.prod(weights.dims) >= FEW:
            name, values = weights.name, numpy_helper.to_array(weights)
            largest = np.abs(values).max(tuple(range(1, values.ndim)), keepdims=True)
            scale = np.maximum(largest, np.finfo(np.float32).tiny) / np.float32(127)
            weights.CopyFrom(numpy_helper.from_array(np.rint(values / scale).astype(np.int8), name + STORED))
            scales.append(numpy_helper.from_array(scale, name + SCALE))
            nodes.append(helper.make_node("Cast", [name + STORED], [name + CAST], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", [name + CAST, name + SCALE], [name]))
    graph.initializer.extend(scales)
    replace_nodes(graph, [*nodes, *graph.node])


def expand(graph: onnx.GraphProto) -> None:
    """Undoes `compact`, but for what the weights have lost."""
    constants = {constant.name: constant for constant in graph.initializer}
    made = set()
    for stored, constant in constants.items():
        if stored.endswith(STORED):
            name = stored.removesuffix(STORED)
            scale = constants[name + SCALE]
            values = numpy_helper.to_array(constant) * numpy_helper.to_array(scale)
            constant.CopyFrom(numpy_helper.from_array(values, name))
            graph.initializer.remove(scale)
            made |= {name, name + CAST}
    replace_nodes(graph, [node for node in graph.node if node.output[0] not in made])


def replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Gives a graph other nodes."""
    del graph.node[:]
    graph.node.extend(nodes)
