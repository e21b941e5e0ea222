"""The walk of docs/retraining.md: from pictures that the shipped model misses to a model that finds their faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lafd.annotations import AnnotatedImage, Annotation, Dataset, write_annotations
from lafd.cli import main
from lafd.drawing import draw_scene
from lafd.images import save_image
from lafd.pixels import Pixels

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from reviewing import Program, reviewing

WEIGHTS = Path(__file__).parents[1] / "models" / "base.safetensors"
SIDE = 192


def behind_blinds(image: Pixels) -> Pixels:
    """Every second band of four rows as a negative: a style that the shipped model cannot read."""
    shown = image.copy()
    shown[np.arange(len(shown)) // 4 % 2 == 0] ^= 255
    return shown


def draw(folder: Path, seeds: range) -> Dataset:
    """Draws pictures into a folder, three of four with a face, and returns their true boxes."""
    folder.mkdir()
    images = []
    for seed in seeds:
        scene = draw_scene(SIDE, SIDE, seed, faces=[(96, 90, 80)] if seed % 4 else 0, style="cel")
        save_image(folder / f"{seed}.png", behind_blinds(scene.image))
        faces = tuple(Annotation((x1, y1, x2, y2)) for x1, y1, x2, y2 in scene.boxes.tolist())
        images.append(AnnotatedImage(f"{seed}.png", SIDE, SIDE, faces))
    return Dataset(tuple(images), root=folder)


def correct(program: Program, truth: Dataset) -> None:
    """Does what a person does on the page: goes from doubt to doubt, puts the boxes right, accepts, and exports."""
    faces = {image.name: image.annotations for image in truth.images}
    review = program.http.get("/api/review").json()
    doubtful_first = sorted(enumerate(review["names"]), key=lambda item: -review["priorities"][item[0]])
    for index, name in doubtful_first:
        body = {
            "status": "accepted",
            "boxes": [{"box": face.box} for face in faces[Path(name).name]],
            "version": program.picture(index)["version"],
        }
        program.http.put(f"/api/pictures/{index}", json=body).raise_for_status()
    written = program.http.post("/api/export", json={}).raise_for_status().json()
    assert written["pictures"] == len(truth.images) and written["boxes"] == sum(map(len, faces.values()))


def average_precision(capsys: pytest.CaptureFixture[str], *model: str) -> float:
    """AP50 as `lafd evaluate` prints it."""
    capsys.readouterr()
    assert main(["evaluate", "val.json", "--size", str(SIDE), "--bootstrap", "0", *model]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("| AP50 "))
    return float(line.split("|")[2])


def test_a_folder_of_pictures_becomes_a_better_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth = draw(Path("pictures"), range(100, 132))
    write_annotations(draw(Path("val"), range(500, 516)), Path("val.json"), "coco")
    before = average_precision(capsys)

    assert main(["prelabel", "pictures", "-o", "labels", "--drop", "0.1", "--sizes", str(SIDE)]) == 0
    with reviewing("pictures", "--annotations", "labels/annotations.json", "-o", "corrected.json") as program:
        correct(program, truth)

    recipe = ["--steps", "100", "--sizes", "128", "192", "--batch", "8", "--warm-up", "10", "--threads", "1"]
    recipe += ["--learning-rate", "1e-3", "--averaging", "0.95"]
    assert main(["train", "--data", "corrected.json", "--init", str(WEIGHTS), "--out", "run", *recipe]) == 0
    assert main(["export", "run/best.safetensors", "-o", "mine.onnx"]) == 0

    after = average_precision(capsys, "--model", "mine.onnx")
    assert after > before + 0.3, f"AP50 was {before} and is {after}"
