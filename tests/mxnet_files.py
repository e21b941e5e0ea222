"""Writes MXNet files as MXNet does, for tests of their readers, and computes small networks from them in float64."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Json = dict[str, Any]

MAGICS = {"V1": 0xF993FAC8, "V2": 0xF993FAC9, "V3": 0xF993FACA}
LAYOUTS = (*MAGICS, "legacy")
CODES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6, "bool": 7}


def params_bytes(arrays: Mapping[str, Array | None], layout: str = "V2", *, named: bool = True) -> bytes:
    """A parameter file; None is an array without a value."""
    body = b"".join(array_bytes(array, layout) for array in arrays.values())
    names = [name.encode() for name in arrays] if named else []
    tail = struct.pack("<Q", len(names)) + b"".join(struct.pack("<Q", len(name)) + name for name in names)
    return struct.pack("<QQQ", 0x112, 0, len(arrays)) + body + tail


def array_bytes(array: Array | None, layout: str) -> bytes:
    """One array in one of the layouts."""
    head = struct.pack("<I", MAGICS[layout]) if layout in MAGICS else b""
    if layout in ("V2", "V3"):
        head += struct.pack("<i", 0)
    count = "<I" if layout == "legacy" else "<i"
    if array is None:
        return head + struct.pack(count, -1 if layout == "V3" else 0)
    head += struct.pack(count, array.ndim) + struct.pack(
        f"<{array.ndim}{'I' if layout == 'legacy' else 'q'}", *array.shape
    )
    device = struct.pack("<ii", 2, 3)
    values = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return head + device + struct.pack("<i", CODES[array.dtype.name]) + values


@dataclass
class Writer:
    """Builds a symbol node by node, with random parameters."""

    random: np.random.Generator
    nodes: list[Json] = field(default_factory=list)
    parameters: dict[str, Array] = field(default_factory=dict)

    def add(self, op: str, name: str, inputs: tuple[int, ...] = (), **attributes: object) -> int:
        """One node; returns its position."""
        texts = {key: str(value) for key, value in attributes.items()}
        self.nodes.append({"op": op, "name": name, "attrs": texts, "inputs": [[i, 0, 0] for i in inputs]})
        return len(self.nodes) - 1

    def convolution(self, name: str, source: int, shape: tuple[int, int, int], stride: int = 1) -> int:
        """A convolution of (outputs, inputs, kernel), unpadded when it has a stride, as in LFFD."""
        outputs, inputs, kernel = shape
        spread = np.sqrt(2 / (inputs * kernel**2))
        self.parameters[f"{name}_weight"] = self.random.normal(
            0, spread, (outputs, inputs, kernel, kernel)
        ).astype("f4")
        self.parameters[f"{name}_bias"] = self.random.normal(0, 0.1, outputs).astype("f4")
        parts = (source, self.add("null", f"{name}_weight"), self.add("null", f"{name}_bias"))
        pad = (kernel // 2,) * 2 if stride == 1 else (0, 0)
        return self.add(
            "Convolution",
            name,
            parts,
            kernel=(kernel, kernel),
            num_filter=outputs,
            pad=pad,
            stride=(stride, stride),
        )

    def relu(self, source: int) -> int:
        """An activation."""
        return self.add("Activation", f"relu_{self.nodes[source]['name']}", (source,), act_type="relu")


def lffd(branches: int = 2, channels: int = 4, seed: int = 0) -> tuple[Json, dict[str, Array]]:
    """A small network in the form of LFFD with branches of stride 4, 8, 16, ...: its symbol and its parameters."""
    w = Writer(np.random.default_rng(seed))
    data = w.add("null", "data", __shape__=(16, 3, 480, 480))
    x = w.add("_minus_scalar", "_minusscalar1", (data,), scalar=127.5)
    x = w.add("_div_scalar", "_divscalar1", (x,), scalar=127.5)
    x, number, heads = w.relu(w.convolution("conv1", x, (channels, 3, 3), 2)), 1, []
    for branch in range(branches):
        total = w.convolution(f"conv{number + 1}", x, (channels, channels, 3), 2)
        first = w.relu(w.convolution(f"conv{number + 2}", w.relu(total), (channels, channels, 3)))
        number += 3
        second = w.convolution(f"conv{number}", first, (channels, channels, 3))
        x = w.relu(w.add("elemwise_add", f"_plus{branch}", (total, second)))
        shared = w.relu(w.convolution(f"conv{number}_1", x, (channels, channels, 1)))
        for kind, outputs in (("score", 2), ("bbox", 4)):
            hidden = w.relu(w.convolution(f"conv{number}_2_{kind}", shared, (channels, channels, 1)))
            result = w.convolution(f"conv{number}_3_{kind}", hidden, (outputs, channels, 1))
            if kind == "bbox":  # boxes of some size around their cells, as after training
                w.parameters[f"conv{number}_3_bbox_weight"] *= np.float32(0.2)
                w.parameters[f"conv{number}_3_bbox_bias"] = np.array([0.6, 0.6, -0.6, -0.6], "f4")
            if kind == "score":
                soft = w.add("softmax", f"softmax{branch}", (result,), axis=1)
                result = w.add("slice_axis", f"slice_axis{branch}", (soft,), axis=1, begin=0, end=1)
            heads.append([result, 0, 0])
    symbol = {
        "nodes": w.nodes,
        "arg_nodes": [i for i, node in enumerate(w.nodes) if node["op"] == "null"],
        "node_row_ptr": list(range(len(w.nodes) + 1)),
        "heads": heads,
        "attrs": {"mxnet_version": ["int", 10500]},
    }
    return symbol, w.parameters


def decoding(branches: int) -> Json:
    """The lffd.json of such a network."""
    return {
        "receptive_field_list": [20 * 2**i for i in range(branches)],
        "receptive_field_stride": [4 * 2**i for i in range(branches)],
        "receptive_field_center_start": [4 * 2**i - 1 for i in range(branches)],
    }


def write(folder: Path, branches: int = 2, seed: int = 0) -> tuple[Path, Path, Path]:
    """Writes the three files of such a network: parameters, symbol, decoding."""
    symbol, parameters = lffd(branches, seed=seed)
    paths = folder / "model.params", folder / "symbol.json", folder / "lffd.json"
    paths[0].write_bytes(params_bytes({f"arg:{name}": value for name, value in parameters.items()}))
    paths[1].write_text(json.dumps(symbol))
    paths[2].write_text(json.dumps(decoding(branches)))
    return paths


def evaluate(
    symbol: Json, parameters: Mapping[str, Array], image: NDArray[np.uint8]
) -> list[NDArray[np.float64]]:
    """The outputs (c, h, w) of a symbol for one image (h, w, 3), in float64, straight from the definitions."""
    values: list[NDArray[np.float64]] = []
    for node in symbol["nodes"]:
        inputs, attributes = [values[i[0]] for i in node["inputs"]], node["attrs"]
        if node["op"] == "null":
            value = parameters.get(node["name"], image.transpose(2, 0, 1)).astype(np.float64)
        elif node["op"] == "_minus_scalar":
            value = inputs[0] - float(attributes["scalar"])
        elif node["op"] == "_div_scalar":
            value = inputs[0] / float(attributes["scalar"])
        elif node["op"] == "Convolution":
            stride, pad = int(attributes["stride"][1]), int(attributes["pad"][1])
            padded = np.pad(inputs[0], ((0, 0), (pad, pad), (pad, pad)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, inputs[1].shape[2:], (1, 2))
            value = (
                np.einsum("chwij,ocij->ohw", windows[:, ::stride, ::stride], inputs[1])
                + inputs[2][:, None, None]
            )
        elif node["op"] == "Activation":
            value = np.maximum(inputs[0], 0)
        elif node["op"] == "elemwise_add":
            value = inputs[0] + inputs[1]
        elif node["op"] == "softmax":
            powers = np.exp(inputs[0])
            value = powers / powers.sum(0)
        else:
            value = inputs[0][int(attributes["begin"]) : int(attributes["end"])]
        values.append(value)
    return [values[head[0]] for head in symbol["heads"]]


def decode(maps: list[NDArray[np.float64]], numbers: Json) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Boxes (k, 4) and scores (k,) of every cell, from LFFD's definition of its offsets."""
    boxes, scores = [], []
    for i, (score, offsets) in enumerate(zip(maps[::2], maps[1::2], strict=True)):
        stride, start = numbers["receptive_field_stride"][i], numbers["receptive_field_center_start"][i]
        for row in range(score.shape[1]):
            for column in range(score.shape[2]):
                centre = np.array([start + stride * column, start + stride * row] * 2)
                boxes.append(centre - offsets[:, row, column] * numbers["receptive_field_list"][i] / 2)
                scores.append(score[0, row, column])
    return np.array(boxes), np.array(scores)
