"""The command that converts annotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lafd.annotations import FORMATS, AnnotatedImage, Annotation, Dataset, read_annotations, write_annotations
from lafd.cli import main
from lafd.images import save_image

pytest.importorskip("defusedxml")
pytest.importorskip("yaml")

FOLDERS = ("yolo", "voc", "labelme")


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """A COCO file of three pictures: one in a subfolder, one that shows nothing."""
    images = []
    for name, boxes in (
        ("a.png", ((10, 20, 50, 80), (60, 5, 99, 40))),
        ("sub/b.png", ((1, 2, 30, 40),)),
        ("none.png", ()),
    ):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        save_image(tmp_path / "pictures" / name, np.full((90, 120, 3), 200, np.uint8))
        images.append(AnnotatedImage(name, 120, 90, tuple(Annotation(box) for box in boxes)))
    path = tmp_path / "pictures/faces.json"
    write_annotations(Dataset(tuple(images), root=tmp_path / "pictures"), path, "coco")
    return path


def convert(*arguments: str | Path) -> int:
    return main(["convert", *map(str, arguments)])


@pytest.mark.parametrize("to", FORMATS)
def test_a_copied_data_set_is_complete_in_its_new_place(to: str, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / ("set" if to in FOLDERS else "set.json" if to != "cvat" else "set.xml")
    assert convert(faces, out, "--to", to, "--copy") == 0
    found = read_annotations(out)
    by_name = {image.name: image for image in found.images}
    assert set(by_name) == {"a.png", "sub/b.png", "none.png"}
    assert all(found.path(image).is_file() for image in found.images)
    assert all(tmp_path / "new" in found.path(image).resolve().parents for image in found.images)
    np.testing.assert_allclose(by_name["a.png"].boxes, [(10, 20, 50, 80), (60, 5, 99, 40)], atol=1e-4)
    assert found.problems == ()


@pytest.mark.parametrize("to", ["coco", "labelme"])
def test_without_copies_the_new_file_leads_to_the_pictures(to: str, faces: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / ("set.json" if to == "coco" else "set")
    assert convert(faces, out, "--to", to) == 0
    found = read_annotations(out)
    assert all(found.path(image).is_file() for image in found.images)
    assert not list(out.parent.rglob("*.png"))


def test_missing_pictures_and_wrong_sizes_are_listed(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (faces.parent / "sub/b.png").unlink()
    save_image(faces.parent / "a.png", np.zeros((9, 12, 3), np.uint8))
    (faces.parent / "none.png").write_bytes(b"no picture")
    assert convert(faces, tmp_path / "a.xml") == 0
    said = capsys.readouterr().err
    assert "b.png does not exist" in said
    assert "a.png has 12 x 9 pixels, its annotations say 120 x 90" in said
    assert "none.png: it is not a picture" in said
    assert "3 pictures, 3 boxes, 3 warnings" in said


def test_pictures_that_are_all_elsewhere_give_one_warning(
    faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = faces.rename(tmp_path / "faces.json")
    assert convert(moved, tmp_path / "a.xml") == 0
    assert "none of the 3 pictures" in capsys.readouterr().err
    assert convert(moved, tmp_path / "a.xml", "--images", faces.parent) == 0
    assert "0 warnings" in capsys.readouterr().err


def test_losses_are_listed(faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(faces.read_text())
    content["annotations"][0].update(iscrowd=1, score=0.5)
    faces.write_text(json.dumps(content))
    assert convert(faces, tmp_path / "out", "--to", "yolo") == 0
    said = capsys.readouterr().err
    assert "yolo cannot carry ignore regions: 1 left out." in said
    assert "yolo cannot carry scores: 1 left out." in said
    assert len((tmp_path / "out/labels/a.txt").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{in}", "out"], "--to"),
        (["nothing.json", "out.json"], "does not exist"),
        (["{in}", "out.json", "--images", "nothing"], "not a folder"),
        (["{in}", "{folder}", "--to", "coco"], "needs a file"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str], said: str, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.format(**{"in": faces, "folder": faces.parent}) for argument in arguments]
    assert convert(*filled) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_cannot_be_read_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text("{")
    assert convert(tmp_path / "a.json", tmp_path / "b.xml") == 1
    assert "not JSON" in capsys.readouterr().err
    assert not (tmp_path / "b.xml").exists()
