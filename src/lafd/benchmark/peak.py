"""Adapter (see `child.py`) of what the machine can do at most: GRAPH, in ONNX Runtime (extra `benchmark`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

SIDE = 1024  # of the matrices
CHANNELS, ROWS = 128, 80  # of a 3x3 convolution's square maps
GMACS = {"matrix product": SIDE**3 / 1e9, "3x3 convolution": CHANNELS**2 * 9 * ROWS**2 / 1e9}
GRAPHS = {
    "matrix product": f"(float[{SIDE}, {SIDE}] x) => (float[{SIDE}, {SIDE}] y) {{ y = MatMul(x, w) }}",
    "3x3 convolution": f"(float[1, {CHANNELS}, {ROWS}, {ROWS}] x) => (float[1, {CHANNELS}, {ROWS}, {ROWS}] y)"
    " { y = Conv <pads = [1, 1, 1, 1]> (x, w) }",
}
WEIGHTS = {"matrix product": (SIDE, SIDE), "3x3 convolution": (CHANNELS, CHANNELS, 3, 3)}


def contestant(arguments: Sequence[str], threads: int) -> Callable[[NDArray[np.uint8]], Callable[[], object]]:
    """Times one of `GRAPHS`, whatever the picture."""
    (graph,) = arguments
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> peak {GRAPHS[graph]}')
    random = np.random.default_rng(0)
    weights = random.standard_normal(WEIGHTS[graph], np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    shape: Any = session.get_inputs()[0].shape
    feed = {"x": random.standard_normal(shape, np.float32)}
    return lambda _: lambda: session.run(None, feed)
