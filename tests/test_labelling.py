"""Labels that a model makes: views of drawn pictures that are fused, and the commands that write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lafd.annotations import FORMATS, Dataset, read_annotations
from lafd.cli import main
from lafd.detections import Detections
from lafd.drawing import draw_scene
from lafd.images import save_image
from lafd.labelling.labels import Thresholds, pre_labels, priority, pseudo_labels
from lafd.labelling.views import Candidates, fuse, in_the_mirror

QUICK = ("--sizes", "320", "--threads", "1")
FACES = {"a.png": 2, "sub/B.JPG": 1, "sub/c.webp": 0}


@pytest.fixture
def folder(pictures: Path, tmp_path: Path) -> Path:
    """A copy of the drawn pictures."""
    copy = tmp_path / "photos"
    for name in FACES:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((pictures / name).read_bytes())
    return copy


def view(*faces: tuple[list[float], float]) -> Detections:
    boxes = np.array([box for box, _ in faces], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([score for _, score in faces], np.float32), 100, 50)


def labelled(dataset: Dataset) -> dict[str, int]:
    """Faces by the file's name."""
    return {Path(image.name).name: int((~image.ignore).sum()) for image in dataset.images}


def test_boxes_of_one_face_become_their_weighted_mean() -> None:
    found = fuse([view(([10, 10, 30, 30], 0.9)), view(([14, 10, 34, 30], 0.3))])
    assert found.boxes.tolist() == [pytest.approx([11, 10, 31, 30])]
    assert found.scores.tolist() == [pytest.approx(0.6)]


def test_a_face_that_half_of_the_views_miss_is_doubtful() -> None:
    sure, half = [10.0, 10, 30, 30], [60.0, 10, 80, 30]
    found = fuse([view((sure, 0.9), (half, 0.9)), view((sure, 0.9))])
    assert found.scores.tolist() == pytest.approx([0.9, 0.45])
    assert found.votes.tolist() == [pytest.approx([0.9, 0.9]), pytest.approx([0.9, 0])]
    zones = Thresholds(0.5, 0.2)
    assert [a.ignore for a in pseudo_labels(found, zones)] == [False, True]
    assert [bool(a.attributes) for a in pre_labels(found, zones)] == [False, True]
    assert not any(a.ignore for a in pre_labels(found, zones))
    assert len(pseudo_labels(found, Thresholds(0.5, 0.5))) == 1


def test_two_boxes_of_one_view_stay_two() -> None:
    close = fuse([view(([10, 10, 30, 30], 0.9), ([12, 10, 32, 30], 0.8))])
    assert len(close.boxes) == 2


def test_views_without_faces_have_no_candidates() -> None:
    nothing = fuse([view(), view()])
    assert nothing.boxes.shape == (0, 4) and priority(nothing) == 0
    again = Candidates.from_dict(json.loads(json.dumps(nothing.to_dict())), 2)
    assert again.votes.shape == (0, 2)


def test_the_mirror_is_its_own_inverse() -> None:
    found = view(([10, 5, 30, 25], 0.9))
    assert in_the_mirror(found).boxes.tolist() == [[70, 5, 90, 25]]
    assert in_the_mirror(in_the_mirror(found)).boxes.tolist() == found.boxes.tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_pseudo_labels_of_every_format_have_the_drawn_faces(name: str, folder: Path, tmp_path: Path) -> None:
    file = {"coco": "faces.json", "cvat": "faces.xml", "label-studio": "tasks.json"}.get(name, "labels")
    out = tmp_path / "out" / file
    assert main(["pseudo-label", str(folder), "-o", str(out), "--format", name, "--copy", *QUICK]) == 0
    assert labelled(read_annotations(out)) == {Path(path).name: count for path, count in FACES.items()}


def test_pictures_of_annotations_keep_their_other_fields(folder: Path, tmp_path: Path) -> None:
    image = {"id": 4, "file_name": "photos/a.png", "width": 1, "height": 1, "source": "me", "tags": ["crowd"]}
    old = {
        "images": [image],
        "annotations": [{"id": 1, "image_id": 4, "category_id": 1, "bbox": [0, 0, 1, 1]}],
    }
    (tmp_path / "old.json").write_text(json.dumps(old))
    out = tmp_path / "deep" / "new.json"
    assert main(["pseudo-label", "--annotations", str(tmp_path / "old.json"), "-o", str(out), *QUICK]) == 0
    (new,) = read_annotations(out).images
    assert new.name == "../photos/a.png" and (new.width, new.height) == (400, 300)
    assert new.attributes == {"source": "me", "tags": ["crowd"]} and len(new.annotations) == 2


def test_work_that_was_stopped_goes_on_where_it_was(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faces.json"
    command = ["pseudo-label", str(folder), "-o", str(out), *QUICK]
    (folder / "a.png").write_bytes(b"damaged")
    assert main(command) == 1
    assert f"cannot read {folder / 'a.png'}" in capsys.readouterr().err
    assert labelled(read_annotations(out)) == {"B.JPG": 1, "c.webp": 0}
    (memory,) = tmp_path.glob("faces.json.views-*.jsonl")
    memory.write_bytes(memory.read_bytes() + b'{"path": "torn')
    save_image(folder / "a.png", draw_scene(300, 200, 4, faces=[(150, 100, 90)], style="cel").image)
    (folder / "sub" / "B.JPG").write_bytes(b"damaged")  # is not read again
    assert main([*command, "--keep", "0.99", "--drop", "0"]) == 0
    assert labelled(read_annotations(out)) == {"a.png": 0, "B.JPG": 0, "c.webp": 0}
    assert main(command) == 0
    assert labelled(read_annotations(out)) == {"a.png": 1, "B.JPG": 1, "c.webp": 0}
    assert main([*command[:4], "--sizes", "256", "--threads", "1"]) == 1  # other views know nothing of them


def order_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "order.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("name", ["coco", "labelme", "voc"])
def test_doubtful_pictures_come_first_and_their_boxes_are_marked(
    name: str, folder: Path, tmp_path: Path
) -> None:
    scene = draw_scene(400, 300, 1, faces=[(110, 150, 90), (290, 150, 90)], style="cel")
    for blur in range(2, 18, 2):  # somewhere between sharp and gone, any model is unsure
        save_image(folder / f"blurred-{blur}.png", cv2.GaussianBlur(scene.image, (0, 0), blur))
    out = tmp_path / "labels"
    copy = ["--copy"] if name == "voc" else []
    assert (
        main(["prelabel", str(folder), "-o", str(out), "--format", name, "--drop", "0.1", *copy, *QUICK]) == 0
    )
    order = order_of(out)
    priorities = [line["priority"] for line in order]
    assert priorities == sorted(priorities, reverse=True) and "blurred" in order[0]["file_name"]
    data = read_annotations(out / "annotations.json" if name == "coco" else out)
    images = {image.name: image for image in data.images}
    assert {line["file_name"] for line in order} == set(images) and len(order) == 11
    for line in order:
        image = images[line["file_name"]]
        marked = [i for i, a in enumerate(image.annotations) if a.attributes.get("doubtful")]
        assert marked == line["doubtful"] and not image.ignore.any()
        assert all((score < 0.5) == (i in marked) for i, score in enumerate(image.scores))
    assert any(line["doubtful"] for line in order)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prelabel", "gone", "-o", "out"], "gone is not a folder"),
        (["prelabel", ".", "-o", "file.json"], "file.json is a file"),
        (["prelabel", ".", "-o", "out", "--keep", "0.1"], "keep and drop must be between"),
        (["pseudo-label", "-o", "out.json"], "one of the two"),
        (["pseudo-label", ".", "-o", "out"], "say which annotation format out gets"),
        (["pseudo-label", "--annotations", "file.json", "-o", "out.json"], "there are no pictures in it"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.json").write_text('{"images": []}')
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_pre_labels_can_be_trained_on(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from lafd.training.samples import read_samples

    assert main(["prelabel", str(folder), "-o", str(tmp_path / "labels"), "--drop", "0.5", *QUICK]) == 0
    found = {s.path.name: len(s.boxes) for s in read_samples(tmp_path / "labels" / "annotations.json")}
    assert found == {Path(path).name: count for path, count in FACES.items()}
