"""A folder that has every file which the examples of the documentation name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

import films
import mxnet_files
from lafd import models
from lafd.annotations import read_annotations, write_annotations
from lafd.drawing import Scene, draw_scene
from lafd.images import save_image

PICTURES = (
    *("picture.png", "scan.png", "wallpaper.png", "a.png", "b.jpg", "first.png", "second.jpg"),
    *("cover.webp", "folder/one.png", "folder/two.webp", "pictures/a.png", "pictures/b.jpg"),
    *("photos/12.png", "photos/13.png"),
)
ANNOTATED = [f"val/{number}.png" for number in range(1, 7)]


def fill(folder: Path) -> None:
    """Draws the pictures, and writes annotations, detections, a film, a user's own model and the original's files."""
    scene = draw_scene(320, 240, 1, faces=[(100, 130, 70), (230, 130, 60)], style="cel")
    small = draw_scene(160, 120, 1, faces=[(50, 65, 40), (115, 65, 36)], style="cel")
    for name in (*PICTURES, *ANNOTATED):
        (folder / name).parent.mkdir(exist_ok=True)
        save_image(folder / name, small.image if name in ANNOTATED else scene.image)
    parquet.write_table(
        pyarrow.table({"path": ["pictures/a.png", "pictures/b.jpg"]}), folder / "list.parquet"
    )
    (folder / "val.json").write_text(json.dumps(coco(ANNOTATED, small)))
    for name in ("faces", "train", "unreviewed"):
        (folder / f"{name}.json").write_text(json.dumps(coco(["pictures/a.png", "pictures/b.jpg"], scene)))
    train = coco(["pictures/a.png", "pictures/b.jpg"], scene)
    train["images"][0]["reviewed"] = True
    (folder / "train.json").write_text(json.dumps(train))
    write_annotations(read_annotations(folder / "faces.json"), folder / "annotations.xml", "cvat")
    found = [{"box": [float(side) for side in box], "score": 0.9} for box in small.boxes]
    lines = [json.dumps({"path": name, "width": 160, "height": 120, "faces": found}) for name in ANNOTATED]
    (folder / "other.jsonl").write_text("\n".join(lines) + "\n")
    for name in ("my", "mine", "teacher"):
        shutil.copy(models.find_model("base"), folder / f"{name}.onnx")
        shutil.copy(models.find_model("base").with_suffix(".json"), folder / f"{name}.json")
    film = films.write_film(folder / "film.mp4", [picture for picture, _ in films.drawn(films.moving, 4)])
    shutil.copy(film, folder / "film.mkv")
    original(folder)


def coco(names: list[str], scene: Scene) -> dict[str, Any]:
    """COCO annotations of pictures that all show one scene."""
    height, width = scene.image.shape[:2]
    images = [{"id": i, "file_name": name, "width": width, "height": height} for i, name in enumerate(names)]
    sides = [[float(x1), float(y1), float(x2 - x1), float(y2 - y1)] for x1, y1, x2, y2 in scene.boxes]
    every = [(image["id"], side) for image in images for side in sides]
    annotations = [
        {"id": i, "image_id": image, "category_id": 1, "bbox": side, "area": side[2] * side[3], "iscrowd": 0}
        for i, (image, side) in enumerate(every)
    ]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]}


def original(folder: Path) -> None:
    """The files of a network of the original, smaller than any that it had."""
    (folder / "models/anime").mkdir(parents=True)
    (folder / "configs").mkdir()
    mxnet_files.write(folder / "models/anime", branches=4)
    config = {
        "lffd_config_path": "models/anime/lffd.json",
        "model_path": "models/anime/model.params",
        "symbol_path": "models/anime/symbol.json",
        "nms_threshold": 0.3,
        "confidence_threshold": 0.5,
        "size": 384,
    }
    (folder / "configs/anime.json").write_text(json.dumps(config))
