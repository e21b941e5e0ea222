"""Pictures that are nearly the same: scaled, recompressed, recoloured or slightly changed copies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lafd import images
from lafd.checking.faults import PICTURE, SAME_PICTURE, Fault
from lafd.errors import LafdError
from lafd.pixels import to_pillow

SIDE = 24
READ = 8 * SIDE  # px, longer side to which a file may be reduced as it is read
SAME = 0.95  # correlation from which two pictures are nearly the same
FLAT = 1.0  # standard deviation of brightness, of 255, under which there is nothing to compare
BLOCK = 512  # hashes that are compared with all others at once


@dataclass(frozen=True)
class Entry:
    """A picture of a data set: the annotations that name it, and its file."""

    annotations: Path
    path: Path


def picture_hash(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A perceptual hash: brightness at 24 x 24 places with mean 0 and length 1, so that a product is a correlation.

    Args:
        pixels: uint8 (h, w, 3) BGR.

    Returns:
        float32 (576,); zeros, which are like nothing, for a picture of one brightness.
    """
    small = np.asarray(
        to_pillow(pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32
    ).ravel()
    small -= small.mean()
    length = np.linalg.norm(small)
    return small / length if length > FLAT * SIDE else np.zeros_like(small)


def near_pairs(hashes: Sequence[NDArray[np.float32]]) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, correlation) with i < j of hashes of pictures that are nearly the same."""
    matrix = np.array(hashes, np.float32).reshape(-1, SIDE * SIDE)
    for start in range(0, len(matrix), BLOCK):
        alike = matrix[start : start + BLOCK] @ matrix[start:].T
        for i, j in np.argwhere(np.triu(alike >= SAME, 1)):
            yield start + int(i), start + int(j), float(alike[i, j])


def find_duplicates(entries: Sequence[Entry], workers: int) -> Iterator[Fault]:
    """Pictures that are nearly the same, and those whose pixels cannot be read; missing ones are left out.

    Args:
        entries: The pictures of all data sets that are checked.
        workers: Threads that read.
    """

    def work(entry: Entry) -> NDArray[np.float32] | str:
        try:
            return picture_hash(images.read_image(entry.path, reduce_to=READ).pixels)
        except LafdError as error:
            return str(error)

    there = [entry for entry in entries if entry.path.is_file()]
    known, hashes = [], []
    with ThreadPoolExecutor(workers, "lafd") as pool:
        for entry, result in zip(there, pool.map(work, there), strict=True):
            if isinstance(result, str):
                yield Fault(PICTURE, result, entry.path)
            else:
                known.append(entry)
                hashes.append(result)
    for i, j, alike in near_pairs(hashes):
        first, second = known[i], known[j]
        sets = (first.annotations, second.annotations)
        across = "" if sets[0] == sets[1] else f", across {sets[0]} and {sets[1]}"
        text = f"{first.path} and {second.path} (correlation {alike:.2f}{across})."
        yield Fault(SAME_PICTURE, text, first.path, other=second.path)
