"""From a checked network to ONNX, in two kinds: the maps as MXNet gives them, and a model for `lafd.Detector`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lafd.errors import ModelError, UsageError
from lafd.mxnet.decoding import Branch
from lafd.mxnet.network import INPUT, Network
from lafd.preprocess import STRIDE

if TYPE_CHECKING:
    import onnx

OPSET = 17
IR_VERSION = 8  # with this opset, for every ONNX Runtime that lafd allows
MAX_BYTES = 2**31 - 2**20  # of an ONNX file


class Builder:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError:
            raise UsageError("MXNet models need the package onnx: pip install 'lafd[mxnet]'") from None
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node with one output and returns the output's name."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, values: Any, dtype: type = np.int64) -> str:
        """Adds a constant and returns its name."""
        self.constants[name] = np.asarray(values, dtype)
        return name

    def network(self, network: Network) -> None:
        """Adds all of a network's operations."""
        self.constants |= network.constants
        for operation in network.operations:
            self.add(operation.type, list(operation.inputs), operation.output, **operation.attributes)

    def model(self, inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
        """The finished model, checked."""
        if sum(value.nbytes for value in self.constants.values()) > MAX_BYTES:
            raise ModelError("the parameters are too large for an ONNX file, more than 2 GB.")
        helper = self.onnx.helper
        tensors = [self.onnx.numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, "lffd", inputs, outputs, tensors)
        opsets = [helper.make_opsetid("", OPSET)]
        model: onnx.ModelProto = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="lafd"
        )
        self.onnx.checker.check_model(model)
        return model

    def tensor(self, name: str, shape: list[int | str], dtype: type = np.float32) -> Any:
        """An input or output of the graph; names stand for lengths that are free."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)


def maps_model(network: Network) -> onnx.ModelProto:
    """The network alone: `data` float32 (n, 3, h, w), BGR, 0 to 255, in; its maps out, in MXNet's order.

    Raises:
        UsageError: The package onnx is not installed.
        ModelError: The network is too large.
    """
    builder = Builder()
    builder.network(network)
    outputs = [
        builder.tensor(name, ["n", network.maps[name].channels, f"h{i}", f"w{i}"])
        for i, name in enumerate(network.outputs)
    ]
    return builder.model([builder.tensor(INPUT, ["n", 3, "h", "w"])], outputs)


def detector_model(network: Network, branches: tuple[Branch, ...]) -> onnx.ModelProto:
    """The network as `lafd.Detector` runs it: `images` uint8 (n, h, w, 3) BGR in, `boxes` and `scores` out.

    Images smaller than the network's least input are padded with black, right and bottom.

    Raises:
        UsageError: The package onnx is not installed.
        ModelError: The network is too large.
    """
    builder = Builder()
    image_input(builder, max(network.maps[name].need for name in network.outputs))
    builder.network(network)
    builder.constant("boxes/shape", [0, 4, -1])
    builder.constant("scores/shape", [0, -1])
    builder.constant("one", [1, 1])
    builder.constant("axis_x", 3)
    builder.constant("axis_y", 2)
    boxes = [branch_boxes(builder, branch, f"branch{i}") for i, branch in enumerate(branches)]
    scores = [
        builder.add("Reshape", [branch.score, "scores/shape"], f"branch{i}/scores")
        for i, branch in enumerate(branches)
    ]
    builder.add("Concat", boxes, "boxes/rows", axis=2)
    builder.add("Transpose", ["boxes/rows"], "boxes", perm=[0, 2, 1])
    builder.add("Concat", scores, "scores", axis=1)
    outputs = [builder.tensor("boxes", ["n", "k", 4]), builder.tensor("scores", ["n", "k"])]
    return builder.model([builder.tensor("images", ["n", "h", "w", 3], np.uint8)], outputs)


def image_input(builder: Builder, need: int) -> None:
    """Adds what turns `images` into `data`: order of the axes, type, and padding to `need` pixels."""
    builder.add("Transpose", ["images"], "images/channels_first", perm=[0, 3, 1, 2])
    large_enough = need <= STRIDE  # what Detector gives at least
    builder.add("Cast", ["images/channels_first"], INPUT if large_enough else "images/float", to=1)
    if large_enough:
        return
    builder.add("Shape", ["images/float"], "images/sides", start=2)
    builder.add("Sub", [builder.constant("need", [need, need]), "images/sides"], "images/lacking")
    builder.add("Max", ["images/lacking", builder.constant("nothing", [0, 0])], "images/margin")
    builder.add(
        "Concat", [builder.constant("no_margins", [0] * 6), "images/margin"], "images/margins", axis=0
    )
    builder.add("Pad", ["images/float", "images/margins", builder.constant("black", 0, np.float32)], INPUT)


def branch_boxes(builder: Builder, branch: Branch, name: str) -> str:
    """Adds the decoding of one branch: boxes (n, 4, h * w), xyxy in input pixels."""
    builder.add("Shape", [branch.offsets], f"{name}/sides", start=2)
    builder.add("Concat", ["one", f"{name}/sides"], f"{name}/shape", axis=0)
    step = builder.onnx.numpy_helper.from_array(np.array([branch.stride], np.float32))
    builder.add("ConstantOfShape", [f"{name}/shape"], f"{name}/step", value=step)
    x = builder.add("CumSum", [f"{name}/step", "axis_x"], f"{name}/x")
    y = builder.add("CumSum", [f"{name}/step", "axis_y"], f"{name}/y")
    builder.add("Concat", [x, y, x, y], f"{name}/counted", axis=1)
    first = builder.constant(f"{name}/first", branch.start - branch.stride, np.float32)
    builder.add("Add", [f"{name}/counted", first], f"{name}/centres")
    half = builder.constant(f"{name}/half", branch.size / 2, np.float32)
    builder.add("Mul", [branch.offsets, half], f"{name}/pixels")
    builder.add("Sub", [f"{name}/centres", f"{name}/pixels"], f"{name}/corners")
    return builder.add("Reshape", [f"{name}/corners", "boxes/shape"], f"{name}/boxes")
