"""Adapter of `lafd benchmark`: the forward pass of the original's network in MXNet 1.6.0, as its requirements pin it.

The weights are random, the time does not depend on them. MXNet is kept to one thread by the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mxnet as mx
import numpy as np

STAGES = ((64, 3), (64, 1), (64, 1), (128, 1), (128, 1))  # channels, and pairs of 3x3 convolutions
HEAD = 128


class Layers:
    """Makes convolutions with the names of the original's graph, numbered."""

    def __init__(self) -> None:
        self.count = 0

    def conv(self, data: mx.sym.Symbol, channels: int, stride: int = 1) -> mx.sym.Symbol:
        """A 3x3 convolution, padded unless it has a stride."""
        self.count += 1
        pad = (1, 1) if stride == 1 else (0, 0)
        return mx.sym.Convolution(
            data,
            num_filter=channels,
            kernel=(3, 3),
            stride=(stride, stride),
            pad=pad,
            name=f"conv{self.count}",
        )


def relu(data: mx.sym.Symbol) -> mx.sym.Symbol:
    """The activation."""
    return mx.sym.Activation(data, act_type="relu")


def dense(data: mx.sym.Symbol, channels: int) -> mx.sym.Symbol:
    """A 1x1 convolution."""
    return mx.sym.Convolution(data, num_filter=channels, kernel=(1, 1))


def outputs() -> Iterator[mx.sym.Symbol]:
    """Score and box maps of every scale."""
    layers = Layers()
    x = relu(layers.conv((mx.sym.Variable("data") - 127.5) / 127.5, 64, stride=2))
    for channels, pairs in STAGES:
        total = layers.conv(x, channels, stride=2)
        for _ in range(pairs):
            total = total + layers.conv(relu(layers.conv(relu(total), channels)), channels)
        x = relu(total)
        shared = relu(dense(x, HEAD))
        scores = mx.sym.softmax(dense(relu(dense(shared, HEAD)), 2), axis=1)
        yield mx.sym.slice_axis(scores, axis=1, begin=0, end=1)
        yield dense(relu(dense(shared, HEAD)), 4)


def contestant(_: list[str], __: int) -> Callable[[np.ndarray], Callable[[], object]]:
    """Times the graph on a picture at its own size."""
    graph = mx.sym.Group(list(outputs()))

    def prepare(image: np.ndarray) -> Callable[[], object]:
        data = image.transpose(2, 0, 1)[None].astype(np.float32)
        module = mx.mod.Module(graph, data_names=["data"], label_names=None, context=mx.cpu())
        module.bind([("data", data.shape)], for_training=False)
        module.init_params(mx.init.Xavier())
        batch = mx.io.DataBatch([mx.nd.array(data)])

        def run() -> object:
            module.forward(batch, is_train=False)
            return [output.asnumpy() for output in module.get_outputs()]

        return run

    return prepare
