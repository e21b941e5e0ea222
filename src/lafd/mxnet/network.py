"""A symbol and its parameters become a checked network: every name, shape and setting is verified here.

The operations carry the names of ONNX, which computes each of them exactly as MXNet does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lafd.errors import ModelError
from lafd.mxnet.params import read_parameters
from lafd.mxnet.settings import Settings
from lafd.mxnet.symbol import Node, Symbol, read_symbol

INPUT = "data"
MAX_NEED = 4096  # px that the smallest input may have to be

Parameters: TypeAlias = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Map:
    """A feature map and where its cells lie in the input.

    Attributes:
        channels: How many.
        stride: Input pixels from one cell to the next.
        start: Input pixel in the middle of what the first cell sees.
        need: Least side of the input, in pixels, that gives one cell.
    """

    channels: int
    stride: int
    start: float
    need: int

    def side(self, pixels: int) -> int:
        """Cells along a side of the input."""
        return max(0, (pixels - self.need) // self.stride + 1)


@dataclass(frozen=True)
class Operation:
    """One operation as ONNX has it."""

    type: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


@dataclass
class Network:
    """A checked network.

    Attributes:
        operations: In an order in which they can be computed, from the input `data`,
            float32 (n, 3, h, w), BGR, 0 to 255.
        constants: Weights, and whatever else the operations take besides maps.
        maps: Every feature map by its name.
        outputs: Names of the maps that the network gives, in order.
    """

    operations: list[Operation] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    maps: dict[str, Map] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()


def read_network(parameters: Path, symbol: Path) -> Network:
    """Reads and checks a network.

    Args:
        parameters: MXNet's .params file.
        symbol: MXNet's .json file.

    Raises:
        UsageError: A file does not exist.
        ModelError: A file is damaged, they do not belong together, or an operator is not known.
    """
    graph, weights = read_symbol(symbol), read_parameters(parameters)
    wanted = {node.name for node in graph.nodes if node.op == "null"} - {INPUT}
    if missing := sorted(wanted - weights.keys()):
        raise ModelError(f"{parameters}: lacks {listed(missing)}, which {symbol} needs.")
    if surplus := sorted(weights.keys() - wanted):
        raise ModelError(f"{parameters}: has {listed(surplus)}, which {symbol} does not know.")
    try:
        return Translation(graph, weights).network
    except ValueError as error:
        raise ModelError(f"{symbol}: {error}.") from None


def listed(names: list[str]) -> str:
    """The first few of many names."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


class Translation:
    """Goes through a graph once, node by node; a ValueError names the node and what is wrong."""

    def __init__(self, graph: Symbol, parameters: Parameters) -> None:
        self.graph, self.parameters = graph, parameters
        self.network = Network()
        self.network.maps[INPUT] = Map(3, 1, 0.0, 1)
        for node in graph.nodes:
            if node.op != "null":
                self.translate(node)
        heads = [graph.nodes[head] for head in graph.heads]
        if any(head.op == "null" for head in heads) or len(set(graph.heads)) != len(heads) or not heads:
            raise ValueError("the outputs are not distinct results of operations")
        self.network.outputs = tuple(output_name(head) for head in heads)

    def translate(self, node: Node) -> None:
        """Adds one node's operation and map."""
        known: dict[str, Callable[[Node], Map]] = {
            "Convolution": self.convolution,
            "Activation": self.activation,
            "elemwise_add": self.add,
            "_minus_scalar": self.scalar,
            "_div_scalar": self.scalar,
            "softmax": self.softmax,
            "slice_axis": self.slice,
        }
        if node.op not in known:
            raise ValueError(
                f"the operator {node.op[:40]} of {node.name} is not known; known are {', '.join(known)}"
            )
        try:
            result = known[node.op](node)
        except ValueError as error:
            raise ValueError(f"{node.name}: {error}") from None
        if result.need > MAX_NEED:
            raise ValueError(f"{node.name}: needs inputs of at least {result.need} px, more than {MAX_NEED}")
        self.network.maps[output_name(node)] = result

    def emit(self, node: Node, kind: str, constants: list[str], **attributes: object) -> None:
        """Adds an operation on the node's input maps and on constants."""
        maps = [self.source(i) for i in node.inputs if self.graph.nodes[i].name not in self.parameters]
        self.network.operations.append(Operation(kind, (*maps, *constants), output_name(node), attributes))

    def constant(self, node: Node, value: NDArray[Any], role: str) -> str:
        """Keeps an array and returns its name."""
        name = f"{output_name(node)}/{role}"
        self.network.constants[name] = value
        return name

    def source(self, position: int) -> str:
        """Name of the map that a node takes."""
        node = self.graph.nodes[position]
        name = INPUT if node.op == "null" else output_name(node)
        if node.name in self.parameters:
            raise ValueError(f"takes the parameter {node.name} where a map belongs")
        return name

    def inputs(self, node: Node, count: int) -> list[Map]:
        """The maps that a node takes."""
        if len(node.inputs) != count:
            raise ValueError(f"has {len(node.inputs)} inputs, not {count}")
        return [self.network.maps[self.source(i)] for i in node.inputs]

    def parameter(self, position: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A weight of a known shape."""
        name = self.graph.nodes[position].name
        if name not in self.parameters:
            raise ValueError(f"takes {name} where a parameter belongs")
        value = self.parameters[name]
        if value.shape != shape:
            raise ValueError(f"the parameter {name} has the shape {value.shape}, not {shape}")
        return value

    def convolution(self, node: Node) -> Map:
        """Two-dimensional, with square kernels."""
        settings = Settings(
            node, {"kernel", "num_filter", "stride", "pad", "dilate", "num_group", "no_bias", "layout"}
        )
        settings.only("layout", "None", {"None", "NCHW"})
        has_bias = settings.only("no_bias", "False", {"False", "True", "0", "1"}) in ("False", "0")
        kernel, stride = settings.pair("kernel", None), settings.pair("stride", 1)
        pad, dilation = settings.pair("pad", 0), settings.pair("dilate", 1)
        filters, groups = settings.whole("num_filter", None), settings.whole("num_group", 1)
        span = dilation * (kernel - 1) + 1
        if min(kernel, stride, dilation, filters, groups) < 1 or pad >= span:
            raise ValueError("has a setting out of range")
        if len(node.inputs) != 2 + has_bias:
            raise ValueError(f"has {len(node.inputs)} inputs, not {2 + has_bias}")
        source = self.network.maps[self.source(node.inputs[0])]
        if source.channels % groups or filters % groups:
            raise ValueError(f"has {groups} groups, which do not divide its channels")
        shapes = [(filters, source.channels // groups, kernel, kernel), (filters,)]
        values = [self.parameter(i, shape) for i, shape in zip(node.inputs[1:], shapes, strict=False)]
        names = [self.constant(node, v, role) for v, role in zip(values, ("weight", "bias"), strict=False)]
        self.emit(
            node, "Conv", names, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4,
            dilations=[dilation] * 2, group=groups,
        )  # fmt: skip
        start = source.start + ((span - 1) / 2 - pad) * source.stride
        need = source.need + (span - 1 - 2 * pad) * source.stride
        return Map(filters, source.stride * stride, start, need)

    def activation(self, node: Node) -> Map:
        """Rectified linear only."""
        (source,) = self.inputs(node, 1)
        Settings(node, {"act_type"}).only("act_type", None, {"relu"})
        self.emit(node, "Relu", [])
        return source

    def add(self, node: Node) -> Map:
        """Of two maps that lie alike."""
        first, second = self.inputs(node, 2)
        Settings(node, set())
        if first != second:
            raise ValueError(f"adds maps that do not lie alike: {first} and {second}")
        self.emit(node, "Add", [])
        return first

    def scalar(self, node: Node) -> Map:
        """Subtraction of, or division by, a number."""
        (source,) = self.inputs(node, 1)
        value = Settings(node, {"scalar", "is_int"}).number("scalar")
        divides = node.op == "_div_scalar"
        if divides and value == 0:
            raise ValueError("divides by 0")
        self.emit(
            node, "Div" if divides else "Sub", [self.constant(node, np.array(value, np.float32), "scalar")]
        )
        return source

    def softmax(self, node: Node) -> Map:
        """Over the channels."""
        (source,) = self.inputs(node, 1)
        Settings(node, {"axis"}).only("axis", "-1", {"1"})
        self.emit(node, "Softmax", [], axis=1)
        return source

    def slice(self, node: Node) -> Map:
        """Of channels."""
        (source,) = self.inputs(node, 1)
        settings = Settings(node, {"axis", "begin", "end"})
        settings.only("axis", None, {"1"})
        begin, end = settings.whole("begin", None), settings.whole("end", None)
        if not 0 <= begin < end <= source.channels:
            raise ValueError(f"takes channels {begin} to {end} of {source.channels}")
        limits = {"begin": begin, "end": end, "axis": 1}
        self.emit(
            node, "Slice", [self.constant(node, np.array([v], np.int64), role) for role, v in limits.items()]
        )
        return Map(end - begin, source.stride, source.start, source.need)


def output_name(node: Node) -> str:
    """Name of a node's map; the prefix keeps it apart from the names that lafd adds."""
    return f"net/{node.name}"
