from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lafd.errors import LafdError, ModelError, UsageError
from lafd.mxnet.params import read_arrays, read_parameters
from mxnet_files import CODES, LAYOUTS, Array, params_bytes

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ARRAYS = hnp.arrays(
    st.sampled_from([np.dtype(name) for name in CODES]),
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
)
FILES = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), ARRAYS | st.none(), max_size=5)


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "model.params"
    path.write_bytes(data)
    return path


def example() -> bytes:
    values = {
        "arg:conv1_weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "arg:conv1_bias": np.ones(2, np.float32),
    }
    return params_bytes(values)


@quick
@given(arrays=FILES, layout=st.sampled_from(LAYOUTS))
def test_every_layout_and_type_is_read_as_written(
    tmp_path: Path, arrays: dict[str, Array | None], layout: str
) -> None:
    read = read_arrays(saved(tmp_path, params_bytes(arrays, layout)))
    wanted = {name: array for name, array in arrays.items() if array is not None}
    assert list(read) == list(wanted)
    for name, array in wanted.items():
        assert read[name].dtype == array.dtype and read[name].shape == array.shape
        np.testing.assert_array_equal(read[name], array)


def test_a_list_without_names_is_numbered(tmp_path: Path) -> None:
    arrays = read_arrays(
        saved(tmp_path, params_bytes({"a": np.ones(2, "f4"), "b": np.zeros(1, "f4")}, named=False))
    )
    assert list(arrays) == ["0", "1"]
    with pytest.raises(ModelError, match="have no names"):
        read_parameters(tmp_path / "model.params")


def test_a_scalar_exists_only_in_v3(tmp_path: Path) -> None:
    read = read_arrays(saved(tmp_path, params_bytes({"x": np.array(2.5, np.float64)}, "V3")))
    assert read["x"].shape == () and read["x"] == 2.5


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "int64", "bool"])
def test_parameters_are_float32_by_their_bare_names(tmp_path: Path, dtype: str) -> None:
    data = params_bytes(
        {"arg:w": np.array([0, 1], dtype), "aux:m": np.array([1], dtype), "b": np.array([1], dtype)}
    )
    parameters = read_parameters(saved(tmp_path, data))
    assert list(parameters) == ["w", "m", "b"]
    assert all(value.dtype == np.float32 for value in parameters.values())
    assert parameters["w"].tolist() == [0, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_parameters_that_float32_cannot_hold_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(ModelError, match="w has values that are not finite"):
        read_parameters(saved(tmp_path, params_bytes({"arg:w": np.array([value])})))


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="w is there twice"):
        read_parameters(saved(tmp_path, params_bytes({"arg:w": np.ones(1, "f4"), "aux:w": np.ones(1, "f4")})))


def test_every_shorter_file_is_cut_off(tmp_path: Path) -> None:
    data = example()
    for size in range(len(data)):
        with pytest.raises(ModelError, match="cut off"):
            read_arrays(saved(tmp_path, data[:size]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut off"),
        (b"PK\x03\x04" + bytes(60), "not an MXNet parameter file"),
        (example() + b"\0", "1 bytes are left"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), "arrays do not fit"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 2**60), "0 arrays but"),
        (
            struct.pack("<QQQIii2q", 0x112, 0, 1, 0xF993FAC9, 0, 2, 2**31, 2**31)
            + struct.pack("<iii", 1, 0, 0),
            "needs",
        ),
        (struct.pack("<QQQIii2q", 0x112, 0, 1, 0xF993FAC9, 0, 2, -1, 4) + bytes(12), "has the shape"),
        (struct.pack("<QQQIii2q", 0x112, 0, 1, 0xF993FAC9, 0, 2, 0, 2**62) + bytes(20), "has the shape"),
        (struct.pack("<QQQIii", 0x112, 0, 1, 0xF993FAC9, 0, 2**31 - 1) + bytes(20), "dimensions"),
        (struct.pack("<QQQI", 0x112, 0, 1, 2**32 - 1) + bytes(20), "dimensions"),
        (struct.pack("<QQQIi", 0x112, 0, 1, 0xF993FAC9, 1) + bytes(20), "sparse"),
        (struct.pack("<QQQIiiqiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 1, 1, 0, 12) + bytes(20), "of type 12"),
        (struct.pack("<QQQQQ", 0x112, 0, 0, 0, 0), "8 bytes are left"),
        (example()[:-3] + b"\xff" * 3, "not UTF-8"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        read_arrays(saved(tmp_path, data))
    assert "model.params" in str(caught.value)


def test_what_is_no_file_is_wrong_usage(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match="there is no such file"):
            read_arrays(path)


@quick
@given(place=st.integers(0, 200), noise=st.binary(min_size=1, max_size=12))
def test_a_changed_file_is_read_or_refused_in_little_memory(tmp_path: Path, place: int, noise: bytes) -> None:
    data = bytearray(example())
    place %= len(data)
    data[place : place + len(noise)] = noise
    path = saved(tmp_path, bytes(data))
    tracemalloc.start()
    try:
        read_arrays(path)
    except LafdError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 300_000


@quick
@given(noise=st.binary(max_size=100))
def test_noise_is_refused(tmp_path: Path, noise: bytes) -> None:
    head = struct.pack("<QQ", 0x112, 0)
    for data in (noise, head + noise):
        try:
            arrays = read_arrays(saved(tmp_path, data))
        except ModelError:
            continue
        assert sum(array.nbytes for array in arrays.values()) <= len(data)
