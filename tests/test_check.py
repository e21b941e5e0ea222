"""`lafd check`: faults that are planted in drawn data, and found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lafd.checking import faults as f
from lafd.checking.duplicates import SAME, near_pairs, picture_hash
from lafd.cli import main
from lafd.drawing import Scene, draw_scene
from lafd.images import save_image

Labels = list[list[float]]


def scene(seed: int) -> Scene:
    return draw_scene(320, 240, seed, faces=2)


def write(folder: Path, name: str, pictures: dict[str, tuple[int, Labels]]) -> Path:
    """COCO annotations of drawn pictures: file names, seeds and boxes as x, y, width, height."""
    images: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    for i, (file, (seed, boxes)) in enumerate(pictures.items()):
        save_image(folder / file, scene(seed).image)
        images.append({"id": i, "file_name": file, "width": 320, "height": 240})
        labels += [{"id": len(labels), "image_id": i, "category_id": 1, "bbox": box} for box in boxes]
    content = {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "face"}]}
    (folder / name).write_text(json.dumps(content))
    return folder / name


def truth(seed: int) -> Labels:
    """The faces that were drawn."""
    boxes = np.array(scene(seed).boxes, float)
    return list(np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist())


def check(*arguments: object) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit status, and the faults by kind; the page lies in the folder `checked` beside the first file."""
    output = Path(str(arguments[0])).with_name("checked")
    status = main(["check", *map(str, arguments), "--threads", "1", "-o", str(output)])
    faults = json.loads((output / "faults.json").read_text())
    return status, {kind: found for kind in f.KINDS if (found := [x for x in faults if x["kind"] == kind])}


def test_clean_data_has_no_faults(tmp_path: Path) -> None:
    data = write(tmp_path, "a.json", {f"{seed}.png": (seed, truth(seed)) for seed in range(6)})
    assert check(data) == (0, {})


def test_a_label_too_small_for_the_whole_picture_is_looked_at_again(tmp_path: Path) -> None:
    image = np.full((2400, 3200, 3), 200, np.uint8)
    image[1000:1120, 1500:1660] = cv2.resize(scene(1).image, (160, 120), interpolation=cv2.INTER_AREA)
    save_image(tmp_path / "large.png", image)
    true = [[x / 2 + 1500, y / 2 + 1000, w / 2, h / 2] for x, y, w, h in truth(1)]
    nothing = [300.0, 300, 40, 40]
    labels = [
        {"id": i, "image_id": 0, "category_id": 1, "bbox": box} for i, box in enumerate([*true, nothing])
    ]
    images = [{"id": 0, "file_name": "large.png", "width": 3200, "height": 2400}]
    content = {"images": images, "annotations": labels, "categories": [{"id": 1, "name": "face"}]}
    (tmp_path / "a.json").write_text(json.dumps(content))
    status, found = check(tmp_path / "a.json")
    assert status == 0 and list(found) == [f.UNSEEN]
    assert [fault["box"] for fault in found[f.UNSEEN]] == [[300, 300, 340, 340]]


@pytest.mark.parametrize(
    ("kind", "box", "status"),
    [
        (f.OUTSIDE, [300, 10, 40, 40], 1),
        (f.EMPTY, [50, 50, 0, 20], 1),
        (f.ENTRY, [float("nan"), 1, 2, 3], 1),
        (f.TWICE, [10, 10, 40, 40], 0),
    ],
)
def test_wrong_boxes_are_found(kind: str, box: list[float], status: int, tmp_path: Path) -> None:
    data = write(tmp_path, "a.json", {"1.png": (1, [[10, 10, 40, 40], box])})
    got, found = check(data, "--no-model")
    assert got == status
    assert {kind: len(of_kind) for kind, of_kind in found.items()} == {kind: 1}


def test_unreadable_and_missing_pictures_do_not_end_the_run(tmp_path: Path) -> None:
    entries = {"1.png": (1, [[300.0, 10, 40, 40]]), "2.png": (2, []), "3.png": (3, [])}
    data = write(tmp_path, "a.json", entries)
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:2000])
    (tmp_path / "3.png").unlink()
    status, found = check(data)
    assert status == 1 and len(found[f.OUTSIDE]) == 1
    assert [Path(fault["picture"]).name for fault in found[f.PICTURE]] == ["3.png", "2.png"]


def test_copies_across_splits_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(tmp_path, "train.json", {"1.png": (1, []), "2.png": (2, [])})
    val = write(tmp_path, "val.json", {"3.jpg": (3, [])})
    save_image(tmp_path / "3.jpg", scene(1).image, quality=40)
    status, found = check(train, val, "--no-model")
    assert status == 0 and list(found) == [f.SAME_PICTURE]
    (fault,) = found[f.SAME_PICTURE]
    assert (Path(fault["picture"]).name, Path(fault["other"]).name) == ("1.png", "3.jpg")
    assert f"across {train} and {val}" in fault["text"]
    assert "1 pictures that are nearly the same" in capsys.readouterr().out
    assert (tmp_path / "checked" / "index.html").read_text().count("<figure>") == 2


@pytest.mark.parametrize("change", ["smaller", "wider", "brighter", "noisy", "grey"])
def test_changed_copies_are_nearly_the_same_and_other_pictures_are_not(change: str) -> None:
    pictures = [scene(seed).image for seed in range(12)]
    one = pictures[3].astype(np.float32)
    copy = {
        "smaller": cv2.resize(one, (100, 75), interpolation=cv2.INTER_AREA),
        "wider": cv2.resize(one, (700, 500)),
        "brighter": one * 0.8 + 40,
        "noisy": one + np.random.default_rng(0).normal(0, 12, one.shape),
        "grey": np.repeat(one.mean(2, keepdims=True), 3, 2),
    }[change]
    pictures.append(np.clip(copy, 0, 255).astype(np.uint8))
    pairs = list(near_pairs([picture_hash(picture) for picture in pictures]))
    assert [(i, j) for i, j, _ in pairs] == [(3, 12)] and pairs[0][2] >= SAME


def test_empty_pictures_are_like_nothing() -> None:
    white = np.full((40, 60, 3), 255, np.uint8)
    assert not list(near_pairs([picture_hash(white), picture_hash(white)]))


def test_the_model_names_forgotten_faces_and_labels_of_nothing(tmp_path: Path) -> None:
    """One face's label is gone, one is elsewhere, and one is an ignore region, which is nobody's fault."""
    first, second = truth(1)
    sky = [2.0, 2.0, 24.0, 24.0]
    data = write(tmp_path, "a.json", {"1.png": (1, [second, sky]), "2.png": (2, truth(2))})
    content = json.loads(data.read_text())
    content["annotations"][-1]["iscrowd"] = 1
    data.write_text(json.dumps(content))
    status, found = check(data)
    assert status == 0 and set(found) == {f.UNLABELLED, f.UNSEEN}
    (forgotten,), (nothing,) = found[f.UNLABELLED], found[f.UNSEEN]
    assert Path(forgotten["picture"]).name == Path(nothing["picture"]).name == "1.png"
    assert np.abs(np.array(forgotten["box"][:2]) - first[:2]).max() < first[2] / 3
    assert nothing["box"] == [2, 2, 26, 26]
    page = (tmp_path / "checked" / "index.html").read_text()
    assert page.count("<figure>") == 2 and (tmp_path / "checked" / ".gitignore").read_text() == "*\n"


def test_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path, "a.json", {"1.png": (1, [])})
    assert main(["check", str(data), "--confidence", "2"]) == 2
    assert main(["check", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
