"""Counts the drawn faces that models find when a face fills most of a picture.

Usage: python benchmarks/large_faces.py MODEL...
"""

from __future__ import annotations

import sys

from lafd import Detector, Options
from lafd.boxes import iou
from lafd.drawing import draw_scene

FACES, SIZES, SEEDS = (200, 260, 320, 360), (384, 640, 896, 1280), range(5, 13)  # of pictures of 400 px


def main(models: list[str]) -> None:
    """Prints found and drawn faces of 512 px and more in the network."""
    for model in models:
        detector, found, drawn = Detector(model), 0, 0
        for face in FACES:
            for size in (size for size in SIZES if face * size >= 512 * 400):
                for seed in SEEDS:
                    scene = draw_scene(400, 400, seed, faces=[(200, 210, face)], style="cel")
                    boxes = detector.detect(scene.image, Options(size=size)).boxes
                    found += bool(len(boxes)) and bool((iou(boxes, scene.boxes) > 0.5).any())
                    drawn += 1
        print(f"{model}: {found} of {drawn}")


if __name__ == "__main__":
    main(sys.argv[1:])
