"""What the outputs of an LFFD network mean: which cells answer for objects of which size (arXiv 1904.10633)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lafd.errors import ModelError
from lafd.mxnet.network import Network
from lafd.mxnet.symbol import read_json

# Of every published member by the strides of its branches: the largest object of each branch, in pixels.
SIZES: dict[tuple[int, ...], tuple[float, ...]] = {
    (4, 8, 16, 32, 64): (20, 40, 80, 160, 320),  # face v2, anime face
    (4, 4, 8, 8, 16, 32, 32, 32): (15, 20, 40, 70, 110, 250, 400, 560),  # face v1
    (4, 8, 16, 32): (20, 40, 80, 160),  # head
    (8, 16, 32, 64): (60, 100, 180, 320),  # pedestrian
    (16, 32, 64): (128, 256, 512),  # licence plate
}


@dataclass(frozen=True)
class Branch:
    """One output branch: two maps with a score and a box for each cell.

    The cell in row r and column c has its centre at start + stride * (c, r). Its box has the corners
    centre - offsets[:2] * size / 2 and centre - offsets[2:] * size / 2.

    Attributes:
        score: Name of the map of scores, (n, 1, h, w), in [0, 1].
        offsets: Name of the map of offsets, (n, 4, h, w).
        stride: Input pixels from one cell to the next.
        start: Input pixel of the first cell's centre.
        size: Unit of the offsets, twice over, in input pixels: the largest object that the branch is for.
    """

    score: str
    offsets: str
    stride: int
    start: float
    size: float


def find_branches(network: Network, decoding: Path | None = None) -> tuple[Branch, ...]:
    """The branches of a network. Strides and centres follow from its layers, the sizes from the family or from a file.

    Args:
        network: Its outputs must be pairs of a score map and an offset map.
        decoding: The original's lffd.json, or any JSON object with the lists receptive_field_list (the sizes),
            receptive_field_stride and receptive_field_center_start. None for a published member of the family.

    Raises:
        UsageError: The file does not exist.
        ModelError: The outputs are not such pairs, the file does not fit them, or no file is given and the network is
            of no published member.
    """
    maps = [network.maps[name] for name in network.outputs]
    pairs = list(zip(maps[::2], maps[1::2], strict=False))
    if len(maps) % 2 or any(s.channels != 1 or o != replace(s, channels=4) for s, o in pairs):
        raise ModelError("the network's outputs are not pairs of a score map and a box map, as LFFD's are.")
    strides = tuple(score.stride for score, _ in pairs)
    starts = tuple(score.start for score, _ in pairs)
    if decoding is None:
        if strides not in SIZES:
            raise ModelError(
                f"no published network has strides {listed(strides)}: give its decoding (lffd.json)."
            )
        sizes = SIZES[strides]
    else:
        sizes = read_sizes(decoding, strides, starts)
    scores, offsets = network.outputs[::2], network.outputs[1::2]
    return tuple(map(Branch, scores, offsets, strides, starts, sizes))


def read_sizes(path: Path, strides: tuple[int, ...], starts: tuple[float, ...]) -> tuple[float, ...]:
    """Reads the sizes from a decoding file and checks the rest of it against what the network's layers say."""
    data = read_json(path)
    for name, expected in (("receptive_field_stride", strides), ("receptive_field_center_start", starts)):
        said = numbers(path, data, name)
        if said != expected:
            raise ModelError(f"{path}: {name} is {listed(said)}, but the network has {listed(expected)}.")
    sizes = numbers(path, data, "receptive_field_list")
    if len(sizes) != len(strides) or min(sizes) <= 0:
        raise ModelError(f"{path}: receptive_field_list must have {len(strides)} positive numbers.")
    return sizes


def numbers(path: Path, data: Any, name: str) -> tuple[float, ...]:
    """A list of numbers in a JSON object."""
    values = data.get(name) if isinstance(data, dict) else None
    if (
        not isinstance(values, list)
        or not values
        or not all(type(v) in (int, float) and abs(v) < 1e6 for v in values)
    ):
        raise ModelError(f"{path}: must have a list of numbers named {name}.")
    return tuple(values)


def listed(values: tuple[float, ...]) -> str:
    """Numbers for people."""
    return ", ".join(f"{value:g}" for value in values)
