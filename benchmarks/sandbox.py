"""Pictures per second with and without a sandbox: `python benchmarks/sandbox.py`."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

from lafd import Detector
from lafd.drawing import draw_scene
from lafd.images import save_image
from lafd.sandbox import Sandbox

SIZES = ((900, 1200), (1280, 720), (800, 800), (1000, 1400))


def main() -> None:
    """Draws pictures, goes through them by turns with and without, and prints the best of all rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=24, help="different ones (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    arguments = parser.parse_args()
    detector = Detector(threads=1)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(arguments.pictures):
            ending = (".jpg", ".png", ".webp")[number % 3]
            paths.append(Path(folder, f"{number}{ending}"))
            save_image(paths[-1], draw_scene(*SIZES[number % len(SIZES)], number, faces=number % 4).image)
        best: dict[str, float] = {}
        for _ in range(arguments.rounds):
            for name, place in (("without", contextlib.nullcontext()), ("sandbox", Sandbox())):
                with place:
                    detector.detect(paths[0])  # starts the process
                    started = time.perf_counter()
                    for path in paths:
                        detector.detect(path)
                    seconds = time.perf_counter() - started
                best[name] = min(best.get(name, seconds), seconds)
    for name, seconds in best.items():
        print(f"{name}: {len(paths) / seconds:.1f} pictures/s, {1000 * seconds / len(paths):.2f} ms each")


if __name__ == "__main__":
    main()
