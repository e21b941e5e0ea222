"""Draws pictures of faces that are hard to find, side views and turned ones above all, to learn from.

Usage: python tools/draw_hard_faces.py DATA COUNT OUT.json

OUT, a COCO file, has the pictures of the annotations DATA and the drawn ones, with the style "drawn", so that `lafd
train --repeat drawn=2` shows these twice as often. They are written to the folder `drawn` beside OUT. The same COUNT
always gives the same pictures.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from lafd.annotations import AnnotatedImage, Annotation, read_annotations, write_annotations
from lafd.annotations.dataset import relative_name
from lafd.drawing import (
    BACKGROUNDS,
    STYLES,
    Character,
    Scene,
    compose,
    draw_background,
    random_character,
    scatter,
)
from lafd.drawing.styles import style_named
from lafd.images import save_image

FOLDER = "drawn"
SEED = 77
STYLE_SHARES = (0.3, 0.25, 0.25, 0.12, 0.08)
SIDES = (360, 760)  # px
CAST, CAST_SHARES = (1, 2, 3, 5, 8, 14), (0.3, 0.25, 0.2, 0.1, 0.1, 0.05)


def hard_character(rng: np.random.Generator, style: str) -> Character:
    """Nearly half are in profile, a third turned by any angle, and many wear something."""
    character, kind = random_character(rng, style), rng.random()
    if kind < 0.45:
        character = replace(character, yaw=float(rng.choice([-1, 1])))
    elif kind < 0.65:
        character = replace(character, yaw=float(rng.choice([-1, 1]) * rng.uniform(0.5, 0.74)))
    if rng.random() < 0.35:
        character = replace(character, tilt=float(rng.uniform(0, 360)))
    elif rng.random() < 0.3:
        character = replace(character, tilt=float(rng.normal(0, 30) % 360))
    if rng.random() < 0.3:
        worn = str(rng.choice(["hat", "headphones", "glasses", "ribbon"]))
        character = replace(character, headwear=worn)
    return character


def draw(number: int) -> Scene:
    """The picture of this number."""
    rng = np.random.default_rng([SEED, number])
    width, height = (int(side) for side in rng.integers(*SIDES, 2))
    style = str(rng.choice(list(STYLES), p=STYLE_SHARES))
    background = draw_background(str(rng.choice(list(BACKGROUNDS))), (width, height), rng, style_named(style))
    count = int(rng.choice(CAST, p=CAST_SHARES))
    cast = [hard_character(rng, style) for _ in range(count)]
    return compose(background, scatter(cast, (width, height), rng))


def main(data_path: Path, count: int, out: Path) -> None:
    """Draws, and writes the longer COCO file."""
    data = read_annotations(data_path)
    (out.parent / FOLDER).mkdir(exist_ok=True)
    drawn = []
    for number in range(count):
        scene, path = draw(number), out.parent / FOLDER / f"{number:05}.jpg"
        save_image(path, scene.image)
        height, width = scene.image.shape[:2]
        boxes = tuple(Annotation(tuple(box), data.categories[0]) for box in scene.boxes.tolist())
        about = {"source": FOLDER, "style": FOLDER}
        drawn.append(AnnotatedImage(relative_name(str(path), str(data.root)), width, height, boxes, about))
    write_annotations(replace(data, images=(*data.images, *drawn)), out, "coco")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
