from __future__ import annotations

import copy
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mxnet_files
from lafd.errors import LafdError, ModelError, UsageError
from lafd.mxnet.decoding import find_branches
from lafd.mxnet.network import Network, read_network
from mxnet_files import Json

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    return mxnet_files.write(tmp_path)


def read_changed(files: tuple[Path, Path, Path], change: Callable[[Json], object]) -> Network:
    """Reads the network after a change to its symbol."""
    symbol = json.loads(files[1].read_text())
    change(symbol)
    files[1].write_text(json.dumps(symbol))
    return read_network(files[0], files[1])


def node(symbol: Json, name: str) -> Json:
    return next(node for node in symbol["nodes"] if node["name"] == name)


def test_where_the_cells_lie_follows_from_the_layers(files: tuple[Path, Path, Path]) -> None:
    network = read_network(files[0], files[1])
    scores = [network.maps[name] for name in network.outputs[::2]]
    assert [(m.channels, m.stride, m.start, m.need) for m in scores] == [(1, 4, 3, 7), (1, 8, 7, 15)]
    for side in range(1, 100):
        halved = [side]
        for _ in range(3):
            halved.append(max(0, (halved[-1] - 3) // 2 + 1))
        assert [m.side(side) for m in scores] == halved[2:]


def rename_attributes(name: str) -> Callable[[Json], object]:
    def change(symbol: Json) -> None:
        for entry in symbol["nodes"]:
            entry[name] = entry.pop("attrs")
            entry["inputs"] = [reference[:2] for reference in entry["inputs"]]

    return change


@pytest.mark.parametrize("name", ["param", "attr"])
def test_symbols_of_older_versions_are_read(files: tuple[Path, Path, Path], name: str) -> None:
    assert len(read_changed(files, rename_attributes(name)).outputs) == 4


def set_attribute(name: str, **values: str) -> Callable[[Json], object]:
    return lambda symbol: node(symbol, name)["attrs"].update(values)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: node(s, "relu_conv1").update(op="Pooling"), "operator Pooling of relu_conv1 is not known"),
        (set_attribute("relu_conv1", act_type="tanh"), "relu_conv1: has act_type = tanh"),
        (
            set_attribute("conv1", kernel="(5, 5)"),
            r"conv1_weight has the shape \(4, 3, 3, 3\), not \(4, 3, 5, 5\)",
        ),
        (set_attribute("conv1", num_filter="5"), "conv1_weight has the shape"),
        (set_attribute("conv1", stride="(2, 1)"), "conv1: has stride"),
        (set_attribute("conv1", stride="(0, 0)"), "out of range"),
        (set_attribute("conv1", pad="(3, 3)"), "out of range"),
        (set_attribute("conv1", pad="(999999999, 999999999)"), "conv1: has pad"),
        (set_attribute("conv1", num_group="2"), "groups"),
        (set_attribute("conv1", target_shape="(3, 3)"), "unknown setting target_shape"),
        (set_attribute("softmax0", axis="2"), "softmax0: has axis = 2"),
        (set_attribute("slice_axis0", end="3"), "takes channels 0 to 3 of 2"),
        (set_attribute("_divscalar1", scalar="0"), "divides by 0"),
        (set_attribute("_divscalar1", scalar="1e999"), "no usable scalar"),
        (lambda s: node(s, "conv2").update(inputs=node(s, "conv2")["inputs"][:2]), "has 2 inputs, not 3"),
        (lambda s: node(s, "_plus0").update(inputs=[[3, 0, 0], [4, 0, 0]]), "_plus0: takes the parameter"),
        (
            lambda s: node(s, "_plus0").update(inputs=[[2, 0, 0], [5, 0, 0]]),
            "adds maps that do not lie alike",
        ),
        (lambda s: node(s, "conv1").update(name="conv2"), "same name"),
        (lambda s: node(s, "conv1").update(name="\ud800"), "no usable name"),
        (lambda s: node(s, "relu_conv1").update(inputs=[[len(s["nodes"]), 0, 0]]), "not before it"),
        (lambda s: node(s, "relu_conv1").update(inputs=[[2, 1, 0]]), "not before it"),
        (lambda s: s.update(heads=[]), "outputs"),
        (lambda s: s.update(heads=[[0, 0, 0]]), "outputs"),
        (lambda s: s.update(heads=[[-1, 0, 0]]), "an output refers"),
        (lambda s: s.pop("nodes"), "not an MXNet symbol"),
    ],
)
def test_a_symbol_that_cannot_be_computed_is_refused(
    files: tuple[Path, Path, Path], change: Callable[[Json], object], reason: str
) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        read_changed(files, change)
    assert "symbol.json" in str(caught.value)


def test_a_chain_that_needs_a_huge_input_is_refused(files: tuple[Path, Path, Path]) -> None:
    writer = mxnet_files.Writer(np.random.default_rng(0))
    x, channels = writer.add("null", "data"), 3
    for i in range(13):
        x, channels = writer.convolution(f"conv{i}", x, (1, channels, 3), 2), 1
    files[1].write_text(json.dumps({"nodes": writer.nodes, "heads": [[x, 0, 0]]}))
    files[0].write_bytes(mxnet_files.params_bytes(writer.parameters))
    with pytest.raises(ModelError, match="needs inputs of at least 8191 px"):
        read_network(files[0], files[1])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p.pop("conv3_weight"), "model.params: lacks conv3_weight, which .*symbol.json needs"),
        (lambda p: p.update(conv3_weight=None), "lacks conv3_weight"),
        (
            lambda p: p.update(extra=np.ones(1, "f4")),
            "model.params: has extra, which .*symbol.json does not know",
        ),
        (lambda p: p.update(conv1_bias=np.ones(5, "f4")), r"conv1_bias has the shape \(5,\), not \(4,\)"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    files: tuple[Path, Path, Path], change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    _, parameters = mxnet_files.lffd()
    change(parameters)
    files[0].write_bytes(mxnet_files.params_bytes(parameters))
    with pytest.raises(ModelError, match=reason):
        read_network(files[0], files[1])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a JSON file"),
        ("[" * 100_000, "not a JSON file"),
        ("[1]", "not an MXNet symbol"),
        (" " * 20_000_000, "too large"),
    ],
)
def test_a_file_that_is_no_symbol_is_refused(files: tuple[Path, Path, Path], text: str, reason: str) -> None:
    files[1].write_text(text)
    with pytest.raises(ModelError, match=reason):
        read_network(files[0], files[1])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@quick
@given(
    choice=st.integers(0, 10**6),
    value=JSON | st.sampled_from(["(9, 9)", "data", "Convolution", "-1", "1e400"]),
)
def test_any_change_to_a_symbol_is_read_or_refused(tmp_path: Path, choice: int, value: Any) -> None:
    files = mxnet_files.write(tmp_path)
    symbol = json.loads(files[1].read_text())
    found = places(symbol)
    container, key = found[choice % len(found)]
    container[key] = copy.deepcopy(value)
    files[1].write_text(json.dumps(symbol))
    tracemalloc.start()
    try:
        find_branches(read_network(files[0], files[1]), files[2])
    except LafdError as error:
        assert len(str(error)) < 1000
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 5_000_000


def test_published_networks_need_no_decoding(tmp_path: Path) -> None:
    files = mxnet_files.write(tmp_path, branches=4)
    network = read_network(files[0], files[1])
    branches = find_branches(network)
    assert branches == find_branches(network, files[2])
    assert [(b.stride, b.start, b.size) for b in branches] == [
        (4, 3, 20),
        (8, 7, 40),
        (16, 15, 80),
        (32, 31, 160),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"receptive_field_stride": [4, 16]}, "receptive_field_stride is 4, 16, but the network has 4, 8"),
        ({"receptive_field_center_start": [3]}, "but the network has 3, 7"),
        ({"receptive_field_list": [20]}, "must have 2 positive numbers"),
        ({"receptive_field_list": [20, -40]}, "must have 2 positive numbers"),
        ({"receptive_field_list": [20, 10**400]}, "list of numbers"),
        ({"receptive_field_list": "20"}, "list of numbers"),
    ],
)
def test_a_decoding_that_does_not_fit_is_refused(
    files: tuple[Path, Path, Path], change: Json, reason: str
) -> None:
    files[2].write_text(json.dumps(mxnet_files.decoding(2) | change))
    with pytest.raises(ModelError, match=reason):
        find_branches(read_network(files[0], files[1]), files[2])


def test_an_unpublished_network_needs_a_decoding(files: tuple[Path, Path, Path]) -> None:
    network = read_network(files[0], files[1])
    with pytest.raises(ModelError, match="no published network has strides 4, 8"):
        find_branches(network)
    with pytest.raises(UsageError, match="there is no such file"):
        find_branches(network, files[2].with_name("absent.json"))


def test_outputs_must_be_pairs(files: tuple[Path, Path, Path]) -> None:
    network = read_changed(files, lambda symbol: symbol["heads"].reverse())
    with pytest.raises(ModelError, match="not pairs"):
        find_branches(network, files[2])
