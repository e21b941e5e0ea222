"""Draws pictures of faces that are hard to find, side views and turned ones above all, to learn from.

Usage: python tools/draw_hard_faces.py DATA.json COUNT OUT.json

OUT has the pictures of the COCO file DATA and the drawn ones, with the style "drawn", so that `lafd train --repeat
drawn=2` shows these twice as often. They are written to the folder `drawn` beside OUT, which must lie beside DATA. The
same COUNT always gives the same pictures.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

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
from lafd.files import replacing
from lafd.images import save_image

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
    data = json.loads(data_path.read_text(encoding="utf-8"))
    (out.parent / "drawn").mkdir(exist_ok=True)
    category = data["categories"][0]["id"]
    image_id = max((image["id"] for image in data["images"]), default=0)
    box_id = max((box["id"] for box in data["annotations"]), default=0)
    for number in range(count):
        scene, name = draw(number), f"drawn/{number:05}.jpg"
        save_image(out.parent / name, scene.image)
        height, width = scene.image.shape[:2]
        image_id += 1
        data["images"].append(
            {
                "id": image_id,
                "file_name": name,
                "width": width,
                "height": height,
                "source": "drawn",
                "style": "drawn",
            }
        )
        for x1, y1, x2, y2 in scene.boxes.tolist():
            box_id += 1
            box = [x1, y1, x2 - x1, y2 - y1]
            data["annotations"].append(
                {
                    "id": box_id,
                    "image_id": image_id,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3],
                }
                | {"iscrowd": 0}
            )
    with replacing(out) as temporary:
        temporary.write_text(json.dumps(data), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
