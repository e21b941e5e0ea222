"""Faults that are planted in drawn data, and found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lafd.checking import faults as f
from lafd.cli import main
from lafd.drawing import draw_scene
from lafd.images import save_image


def write(folder: Path, name: str, pictures: dict[str, int], boxes: list[list[float]]) -> Path:
    """COCO annotations of drawn pictures, by seed; the boxes are of the first one."""
    images: list[dict[str, Any]] = []
    for i, (file, seed) in enumerate(pictures.items()):
        save_image(folder / file, draw_scene(320, 240, seed, faces=2).image)
        images.append({"id": i, "file_name": file, "width": 320, "height": 240})
    labels = [{"id": i, "image_id": 0, "category_id": 1, "bbox": box} for i, box in enumerate(boxes)]
    content = {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "face"}]}
    (folder / name).write_text(json.dumps(content))
    return folder / name


def check(*data: Path) -> tuple[int, dict[str, list[str]]]:
    output = data[0].with_name("faults.out")
    status = main(["check", *map(str, data), "--json", str(output)])
    return status, json.loads(output.read_text())


def test_clean_data_has_no_faults(tmp_path: Path) -> None:
    data = write(tmp_path, "a.json", {f"{i}.png": i for i in range(8)}, [[10, 10, 40, 40], [30, 10, 40, 40]])
    status, found = check(data)
    assert status == 0 and not any(found.values())


@pytest.mark.parametrize(
    ("kind", "box", "status"),
    [
        (f.OUTSIDE, [300, 10, 40, 40], 1),
        (f.EMPTY, [50, 50, 0, 20], 1),
        (f.FILE, [float("nan"), 1, 2, 3], 1),
        (f.TWICE, [10, 10, 40, 40], 0),
    ],
)
def test_wrong_boxes_are_found(kind: str, box: list[float], status: int, tmp_path: Path) -> None:
    got, found = check(write(tmp_path, "a.json", {"1.png": 1}, [[10, 10, 40, 40], box]))
    assert got == status and {k: len(v) for k, v in found.items() if v} == {kind: 1}


def test_unreadable_and_missing_pictures_do_not_end_the_run(tmp_path: Path) -> None:
    data = write(tmp_path, "a.json", {"1.png": 1, "2.png": 2, "3.png": 3}, [[300, 10, 40, 40]])
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:2000])
    (tmp_path / "3.png").unlink()
    status, found = check(data)
    assert status == 1 and len(found[f.PICTURE]) == 2 and len(found[f.OUTSIDE]) == 1


def test_copies_across_splits_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(tmp_path, "train.json", {"1.png": 1, "2.png": 2}, [])
    val = write(tmp_path, "val.json", {"3.jpg": 3}, [])
    copy = cv2.resize(draw_scene(320, 240, 1, faces=2).image, (320, 240))
    save_image(tmp_path / "3.jpg", np.asarray(copy, np.uint8), quality=40)
    status, found = check(train, val)
    assert status == 0 and len(found[f.SAME_PICTURE]) == 1
    assert "1.png" in found[f.SAME_PICTURE][0] and f"across {train} and {val}" in found[f.SAME_PICTURE][0]
    assert f"{f.SAME_PICTURE}: 1" in capsys.readouterr().out
