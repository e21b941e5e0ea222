"""nagadomi/lbpcascade_animeface with OpenCV 4, as its README uses it.

python lbpcascade.py lbpcascade_animeface.xml PICTURES... > lbpcascade.jsonl
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
from lines import Face, Prepare, parse_arguments, write_lines

USUAL_NEIGHBOURS = 5  # the usual call drops groups of so many windows or fewer


def main() -> None:
    """Reads the command line."""
    arguments = parse_arguments(__doc__ or "", weights=True)
    cascade = load(arguments.weights)

    def detect(path: Path, scale: int) -> tuple[tuple[int, int], Iterator[Face]]:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("cannot be read")
        enlarged = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return (picture.shape[1], picture.shape[0]), find(cascade, enlarged)

    write_lines(arguments, detect)


def load(weights: str) -> cv2.CascadeClassifier:
    """The cascade of a file."""
    cascade = cv2.CascadeClassifier(weights)
    if cascade.empty():
        sys.exit(f"{weights}: not a cascade")
    return cascade


def find(cascade: cv2.CascadeClassifier, picture: cv2.typing.MatLike) -> Iterator[Face]:
    """The faces with a score above 0.5 where the usual call finds one; those of fewer windows below it."""
    grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    boxes, windows = cascade.detectMultiScale2(grey, scaleFactor=1.1, minNeighbors=1, minSize=(24, 24))
    for (x, y, width, height), count in zip(boxes, windows, strict=True):
        yield x, y, x + width, y + height, count / (count + USUAL_NEIGHBOURS + 0.5)


def contestant(arguments: list[str], threads: int) -> Prepare:
    """Adapter of `lafd benchmark`, with the usual call. Argument: the weights."""
    cv2.setNumThreads(threads)
    cascade = load(arguments[0])

    def detect(picture: cv2.typing.MatLike) -> object:
        grey = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        return cascade.detectMultiScale(grey, 1.1, USUAL_NEIGHBOURS, minSize=(24, 24))

    return lambda picture: lambda: detect(picture)


if __name__ == "__main__":
    main()
