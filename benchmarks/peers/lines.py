"""What the adapters share: the pictures on the command line, and the JSON lines that `lafd evaluate` reads."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Face = tuple[float, float, float, float, float]  # x1, y1, x2, y2 in pixels, and a score from 0 to 1
# from a picture's path, and the factor by which to enlarge it, to its (width, height) and the faces in the enlarged one
Detect = Callable[[Path, int], tuple[tuple[int, int], Iterable[Face]]]


# for `lafd benchmark`: from a picture, uint8 (h, w, 3) BGR, to the function that is timed
Prepare = Callable[[Any], Callable[[], object]]


def parse_arguments(about: str, weights: bool) -> argparse.Namespace:
    """The command line: weights (if the peer has a file of them), pictures, --scale."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    if weights:
        parser.add_argument("weights")
    parser.add_argument("pictures", nargs="+", type=Path, help="pictures, or folders of pictures")
    parser.add_argument("--scale", type=int, default=1, help="enlarge pictures so many times first")
    return parser.parse_args()


def write_lines(arguments: argparse.Namespace, detect: Detect) -> None:
    """Detects in the pictures and prints one line each."""
    scale = arguments.scale
    files = [f for p in arguments.pictures for f in (sorted(p.iterdir()) if p.is_dir() else [p])]
    for path in files:
        record: dict[str, object] = {"path": str(path)}
        try:
            (width, height), faces = detect(path, scale)
            found = [
                {"box": [round(float(side) / scale, 2) for side in box], "score": round(float(score), 6)}
                for *box, score in sorted(faces, key=lambda face: -face[4])
            ]
            record |= {"width": width, "height": height, "faces": found}
        except Exception as error:  # whatever a peer raises, the other pictures still count
            record["error"] = f"{path}: {error}"
            print(record["error"], file=sys.stderr)
        print(json.dumps(record), flush=True)
