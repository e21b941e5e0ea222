"""The PyPI package animeface (nagadomi's animeface-2009), as its README uses it.

python animeface_2009.py PICTURES... > animeface_2009.jsonl
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import animeface
import numpy as np
from lines import Face, Prepare, parse_arguments, write_lines
from PIL import Image


def detect(path: Path, scale: int) -> tuple[tuple[int, int], Iterator[Face]]:
    """The faces of a picture, with the peer's likelihood as the score."""
    picture = Image.open(path).convert("RGB")
    enlarged = picture.resize((scale * picture.width, scale * picture.height), Image.Resampling.BICUBIC)
    return picture.size, map(face_of, animeface.detect(enlarged))


def face_of(face: animeface.Face) -> Face:
    """The box of a face, without the landmarks."""
    box = face.face.pos
    return box.x, box.y, box.x + box.width, box.y + box.height, face.likelihood


def contestant(_: list[str], __: int) -> Prepare:
    """Adapter of `lafd benchmark`."""

    def prepare(picture: np.ndarray) -> Callable[[], object]:
        image = Image.fromarray(picture[..., ::-1])
        return lambda: animeface.detect(image)

    return prepare


if __name__ == "__main__":
    write_lines(parse_arguments(__doc__ or "", weights=False), detect)
