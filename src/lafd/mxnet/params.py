"""MXNet's binary parameter files: a list of arrays and their names, little-endian."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lafd.errors import ModelError, UsageError

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # in the oldest layout, the count of dimensions stands here
DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "|u1", 4: "<i4", 5: "|i1", 6: "<i8", 7: "|b1"}
MAX_DIMENSIONS = 32
MAX_EMPTY = 2**31  # product of the other dimensions of an array without values; NumPy refuses more

Array = NDArray[Any]


def read_parameters(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads the weights of a network: float32, by their names in the symbol.

    Args:
        path: A .params file; names may carry the prefix "arg:" or "aux:", values may be of any number type.

    Raises:
        UsageError: There is no such file.
        ModelError: The file is damaged, has no names, or has values that are not finite.
    """
    parameters: dict[str, NDArray[np.float32]] = {}
    for full_name, array in read_arrays(path).items():
        name = full_name.removeprefix("arg:").removeprefix("aux:")
        if name.isdigit():
            raise ModelError(f"{path}: the parameters have no names; save them with names.")
        if name in parameters:
            raise ModelError(f"{path}: the parameter {name} is there twice.")
        with np.errstate(over="ignore"):
            parameters[name] = np.asarray(array, np.float32)
        if not np.isfinite(parameters[name]).all():
            raise ModelError(f"{path}: the parameter {name} has values that are not finite in float32.")
    return parameters


def read_arrays(path: Path) -> dict[str, Array]:
    """Reads every array of a file, as MXNet's `nd.load` would.

    No array is allocated before the file is known to be long enough for it, so memory stays in proportion to the file.

    Args:
        path: A file in any of MXNet's layouts: V1, V2, V3 or the older one without a version.

    Returns:
        Read-only arrays by name, in the order of the file; "0", "1", ... where it has no names. Arrays without a
        value (MXNet's "none") are left out.

    Raises:
        UsageError: There is no such file.
        ModelError: The file is cut off, too long, or not of this format; sparse arrays too.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    try:
        with path.open("rb") as stream:
            return Reader(path, stream, path.stat().st_size).read_list()
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from None


class Reader:
    """Reads forward through one file and knows how much of it is left."""

    def __init__(self, path: Path, stream: BinaryIO, size: int) -> None:
        self.path, self.stream, self.left = path, stream, size

    def take(self, size: int, what: str) -> bytes:
        """The next bytes of the file."""
        if size > self.left:
            raise ModelError(
                f"{self.path}: cut off or damaged: {what} needs {size} bytes, {self.left} are left."
            )
        data = self.stream.read(size)
        if len(data) != size:
            raise ModelError(f"{self.path}: became shorter while it was read.")
        self.left -= size
        return data

    def numbers(self, layout: str, what: str) -> tuple[int, ...]:
        """The next integers, little-endian, in the layout of the module `struct`."""
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}"), what))

    def read_list(self) -> dict[str, Array]:
        """The whole file."""
        magic, _, count = self.numbers("QQQ", "the head of an MXNet parameter file")
        if magic != LIST_MAGIC:
            raise ModelError(f"{self.path}: not an MXNet parameter file, for it begins with {magic:#x}.")
        self.check_count(count, 4, "arrays")
        arrays = [self.read_array(f"array {i}") for i in range(count)]
        (named,) = self.numbers("Q", "the number of names")
        if named not in (0, count):
            raise ModelError(f"{self.path}: damaged: {count} arrays but {named} names.")
        self.check_count(named, 8, "names")
        names = [self.read_name(i) for i in range(named)] or [str(i) for i in range(count)]
        if self.left:
            raise ModelError(f"{self.path}: damaged: {self.left} bytes are left after the last name.")
        if len(set(names)) != len(names):
            raise ModelError(f"{self.path}: damaged: a name is there twice.")
        return {name: array for name, array in zip(names, arrays, strict=True) if array is not None}

    def check_count(self, count: int, least: int, what: str) -> None:
        """Refuses more things than the rest of the file could hold, `least` bytes each."""
        if count > self.left // least:
            raise ModelError(
                f"{self.path}: cut off or damaged: {count} {what} do not fit into {self.left} bytes."
            )

    def read_name(self, number: int) -> str:
        """One name."""
        what = f"name {number}"
        (length,) = self.numbers("Q", what)
        try:
            return self.take(length, what).decode("utf-8")
        except UnicodeDecodeError:
            raise ModelError(f"{self.path}: damaged: {what} is not UTF-8 text.") from None

    def read_array(self, what: str) -> Array | None:
        """One array; None for one without a value."""
        shape = self.read_shape(what)
        if shape is None:
            return None
        _, _, code = self.numbers("iii", what)  # the device on which it lived does not matter
        if code not in DTYPES:
            raise ModelError(f"{self.path}: {what} is of type {code}, which is unknown.")
        dtype = np.dtype(DTYPES[code])
        data = self.take(math.prod(shape) * dtype.itemsize, f"{what} of shape {shape}")
        return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)

    def read_shape(self, what: str) -> tuple[int, ...] | None:
        """The shape of an array in any of the layouts; None for one without a value."""
        (version,) = self.numbers("I", what)
        if version in (V2, V3):
            (storage,) = self.numbers("i", what)
            if storage != 0:
                raise ModelError(f"{self.path}: {what} is sparse; only dense arrays can be read.")
        if version in (V1, V2, V3):
            (dimensions,), kind = self.numbers("i", what), "q"
        else:
            dimensions, kind = version, "I"
        if dimensions == (-1 if version == V3 else 0):
            return None
        if not 0 <= dimensions <= MAX_DIMENSIONS:
            raise ModelError(f"{self.path}: damaged: {what} has {dimensions} dimensions.")
        shape = self.numbers(f"{dimensions}{kind}", what)
        if min(shape, default=0) < 0 or (
            0 in shape and math.prod(side for side in shape if side) > MAX_EMPTY
        ):
            raise ModelError(f"{self.path}: damaged: {what} has the shape {shape}.")
        return shape
