"""Annotation files that are wrong: a clear error, or a listed problem; nothing is dropped silently."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lafd.annotations import (
    AnnotatedImage,
    Annotation,
    Dataset,
    guess_format,
    read_annotations,
    write_annotations,
)
from lafd.errors import LafdError, UsageError
from lafd.images import save_image

NAN = float("nan")


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def coco(*boxes: dict[str, Any], **image: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 40, "height": 30, **image}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], **box}
            for i, box in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "face"}],
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bbox": [1, 2, NAN, 4]}, "not four finite numbers"),
        ({"bbox": [1, 2, float("inf"), 4]}, "not four finite numbers"),
        ({"bbox": [1, 2, 1e300, 4]}, "not four finite numbers"),
        ({"bbox": [1, 2, 3]}, "not four finite numbers"),
        ({"bbox": None}, "not four finite numbers"),
        ({"bbox": ["a", {}, [], None]}, "not four finite numbers"),
        ({"bbox": [1, 2, -3, 4]}, "before the other one"),
        ({"image_id": 7}, "no image 7"),
    ],
)
def test_wrong_boxes_are_left_out_and_listed(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    found = read_annotations(write(tmp_path / "a.json", coco({}, wrong)))
    assert [a.box for a in found.images[0].annotations] == [(1, 2, 4, 6)]
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert "a.json" in found.problems[0]


def test_a_wrong_score_is_listed_and_the_box_stays(tmp_path: Path) -> None:
    found = read_annotations(write(tmp_path / "a.json", coco({"score": 7}, {"score": NAN}, {"score": 0.5})))
    assert [a.score for a in found.images[0].annotations] == [None, None, 0.5]
    assert len(found.problems) == 2


def test_unknown_categories_keep_their_number_and_are_listed_once(tmp_path: Path) -> None:
    found = read_annotations(write(tmp_path / "a.json", coco({"category_id": 5}, {"category_id": 5}, {})))
    assert [a.category for a in found.images[0].annotations] == ["5", "5", "face"]
    assert found.categories == ("face", "5")
    assert found.problems == (
        f"{tmp_path / 'a.json'}: category 5 is not declared; 2 boxes keep '5' as its name.",
    )


def test_sizes_that_a_file_lacks_come_from_the_picture(tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", np.zeros((30, 40, 3), np.uint8))
    found = read_annotations(write(tmp_path / "a.json", coco({}, width=0, height=None)))
    assert (found.images[0].width, found.images[0].height) == (40, 30)
    (tmp_path / "a.png").unlink()
    found = read_annotations(tmp_path / "a.json")
    assert found.images == ()
    assert "a.png is left out" in found.problems[0]


def test_entries_that_are_none_are_listed(tmp_path: Path) -> None:
    content = coco({})
    content["images"] += [None, {"id": 2}]
    content["annotations"].append("x")
    found = read_annotations(write(tmp_path / "a.json", content))
    assert len(found.images) == 1
    assert len(found.problems) == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", "[" * 200_000, "not "),
        ("a.json", b"\xff\xfe\x00".decode("latin1"), "not JSON"),
        ("a.json", {"hello": 1}, "not of a known annotation format"),
        ("a.json", [{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}], "COCO results"),
        ("a.json", 7, "not of a known annotation format"),
        ("a.xml", "<annotations>", "not readable XML"),
        ("a.xml", "<html/>", "not of a known annotation format"),
        ("a.yaml", "a: [", "not readable YAML"),
        ("a.yaml", "- 1", "not a data.yaml"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "not readable YAML"),
    ],
)
def test_files_of_no_format_are_refused(name: str, content: object, said: str, tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    pytest.importorskip("yaml")
    with pytest.raises(LafdError, match=said) as error:
        read_annotations(write(tmp_path / name, content))
    assert name in str(error.value)


def test_what_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_annotations(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no annotation format 'kitti'"):
        read_annotations(write(tmp_path / "a.json", coco()), "kitti")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LafdError, match="no annotations in it"):
        guess_format(tmp_path / "empty")


def test_entities_in_xml_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><annotations>&c;</annotations>'
    with pytest.raises(LafdError, match="not readable XML"):
        read_annotations(write(tmp_path / "a.xml", bomb), "cvat")
    secret = write(tmp_path / "secret", "secret")
    outside = f'<!DOCTYPE a [<!ENTITY c SYSTEM "file://{secret}">]><annotation><filename>&c;</filename></annotation>'
    with pytest.raises(LafdError, match="not readable XML"):
        read_annotations(write(tmp_path / "b.xml", outside), "voc")


VOC = """<annotation><filename>a.png</filename><size><width>40</width><height>30</height></size>
<object><name>face</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox></object>{}</annotation>"""


def test_voc_counts_from_one_and_lists_what_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    write(tmp_path / "a.xml", VOC.format(8, "<object><name>face</name></object>"))
    write(tmp_path / "b.xml", VOC.format("nan", ""))
    write(tmp_path / "c.xml", "<annotation>")
    found = read_annotations(tmp_path)
    assert found.images[0].annotations[0].box == (1, 2, 8, 9)
    assert len(found.images) == 2
    assert [
        "no bndbox" in p or "not four finite" in p or "not readable XML" in p for p in found.problems
    ] == [True] * 3


def test_cvat_lists_shapes_that_are_no_boxes(tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    shapes = (
        '<polygon label="face" points="1,2;9,2;9,8"/><points label="face" points="1,2"/><tag label="x"/>'
        '<box label="dog" xtl="1" ytl="2" xbr="x" ybr="4"/><box label="dog" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    )
    meta = "<meta><task><labels><label><name>face</name></label></labels></task></meta>"
    text = f'<annotations>{meta}<image name="a.png" width="40" height="30">{shapes}</image></annotations>'
    found = read_annotations(write(tmp_path / "a.xml", text))
    assert [(a.box, a.category) for a in found.images[0].annotations] == [
        ((1, 2, 9, 8), "face"),
        ((1, 2, 3, 4), "dog"),
    ]
    assert len(found.problems) == 5
    assert "category dog is not declared" in found.problems[-1]


def test_labelme_takes_shapes_with_an_extent(tmp_path: Path) -> None:
    def shape(kind: str, *points: tuple[float, float]) -> dict[str, Any]:
        return {"label": "face", "shape_type": kind, "points": points, "flags": None}

    shapes = [
        shape("rectangle", (9, 8), (1, 2)),
        shape("polygon", (1, 2), (9, 2), (5, 8)),
        shape("circle", (10, 10), (10, 14)),
        shape("point", (1, 1)),
        shape("rectangle", (NAN, 1), (3, 4)),
        {"label": "face"},
    ]
    content = {
        "shapes": shapes,
        "imagePath": "..\\pictures\\a.png",
        "imageWidth": 40,
        "imageHeight": 30,
        "imageData": None,
    }
    found = read_annotations(write(tmp_path / "labels/a.json", content))
    assert found.images[0].name == "../pictures/a.png"
    assert [a.box for a in found.images[0].annotations] == [(1, 2, 9, 8), (1, 2, 9, 8), (6, 6, 14, 14)]
    assert len(found.problems) == 5  # a polygon and a circle taken as boxes, three shapes left out


def yolo(folder: Path, label: str, settings: str = "names: [face]") -> Path:
    save_image_at(folder / "images/a.png")
    write(folder / "labels/a.txt", label)
    write(folder / "data.yaml", settings)
    return folder


def save_image_at(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(path, np.zeros((100, 200, 3), np.uint8))


def test_yolo_reads_scores_and_polygons_and_lists_the_rest(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    boxes_and_more = ("0 .5 .5 .2 .2", "0 .5 .5 .2 .2 .75", "", "0 .1 .1 .3 .1 .3 .4")
    wrong = ("face .5 .5 .2 .2", "0 .5 nan .2 .2", "0 1", "3 .5 .5 .2 .2")
    lines = "\n".join(boxes_and_more + wrong)
    found = read_annotations(yolo(tmp_path, lines))
    boxes = found.images[0].annotations
    np.testing.assert_allclose(
        [a.box for a in boxes], [(80, 40, 120, 60)] * 2 + [(20, 10, 60, 40)] + [(80, 40, 120, 60)]
    )
    assert [a.score for a in boxes] == [None, 0.75, None, None]
    assert [a.category for a in boxes] == ["face", "face", "face", "3"]
    assert len(found.problems) == 5  # the polygon, a word, NaN, a short line, class 3


def test_yolo_keypoints_are_left_out_and_listed(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    line = "0 .5 .5 .2 .2 .1 .1 .2 .2"
    found = read_annotations(yolo(tmp_path, line, "names: {0: face}\nkpt_shape: [2, 2]"))
    np.testing.assert_allclose(found.images[0].boxes, [(80, 40, 120, 60)])
    assert "keypoints" in found.problems[0]


def test_yolo_labels_and_lists_without_their_picture_are_listed(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    folder = yolo(tmp_path, "0 .5 .5 .2 .2", "names: [face]\ntrain: images\nval: val.txt")
    write(folder / "labels/gone.txt", "0 .5 .5 .2 .2")
    write(folder / "val.txt", "./images/missing.png\n")
    found = read_annotations(folder)
    assert [image.attributes for image in found.images] == [{"split": "train"}]
    assert any("missing.png" in problem for problem in found.problems)
    assert any("labels/gone.txt is left out" in problem for problem in found.problems)


@pytest.mark.parametrize(
    "settings", ["train: ../train/images\nnames: [face]", "path: .\ntrain: train/images\nnames: [face]"]
)
def test_yolo_folders_of_other_programs_are_found(settings: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    save_image_at(tmp_path / "set/train/images/a.png")
    write(tmp_path / "set/train/labels/a.txt", "0 .5 .5 .2 .2")
    found = read_annotations(write(tmp_path / "set/data.yaml", settings))
    assert found.images[0].name == "train/images/a.png"
    assert len(found.images[0].annotations) == 1
    assert found.problems == ()


def test_yolo_without_pictures_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(LafdError, match="need their pictures"):
        read_annotations(write(tmp_path / "data.yaml", "train: images\nnames: [face]"))


def region(**more: Any) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 50, "height": 30, "rotation": 0, "rectanglelabels": ["face"]}
    return {
        "id": "r",
        "type": "rectanglelabels",
        "original_width": 200,
        "original_height": 100,
        "value": value,
        **more,
    }


def test_label_studio_exports_are_read(tmp_path: Path) -> None:
    cancelled = {"was_cancelled": True, "result": [region(), region()]}
    tasks = [
        {
            "data": {"image": "/data/upload/3/0a1b2c3d-my%20face.png"},
            "annotations": [cancelled, {"result": [region()]}],
        },
        {"data": {"photo": "s3://bucket/sub/b.png"}, "predictions": [{"result": [region(score=0.5)]}]},
        {"data": {"text": "no picture"}},
        {
            "data": {"image": "c.png"},
            "annotations": [{"result": [region(type="ellipselabels"), region(image_rotation=90)]}],
        },
    ]
    found = read_annotations(write(tmp_path / "a.json", tasks))
    assert [image.name for image in found.images] == ["my face.png", "b.png", "c.png"]
    assert [len(image.annotations) for image in found.images] == [1, 1, 0]
    assert found.images[0].annotations[0].box == (20, 20, 120, 50)
    assert found.images[1].annotations[0].score == 0.5
    assert len(found.problems) == 3


def test_label_studio_turns_boxes_around_their_corner(tmp_path: Path) -> None:
    value = {"x": 50, "y": 50, "width": 10, "height": 40, "rotation": 90, "rectanglelabels": ["face"]}
    task = {"data": {"image": "a.png"}, "annotations": [{"result": [region(value=value)]}]}
    found = read_annotations(write(tmp_path / "a.json", [task])).images[0].annotations[0]
    # 20 x 40 px at (100, 50), turned clockwise: it reaches 40 px to the left and 20 px down
    assert found.tilt == 90
    assert found.box == pytest.approx((70, 40, 90, 80))


def test_min_json_of_label_studio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LafdError, match="not as JSON-MIN"):
        read_annotations(write(tmp_path / "a.json", [{"image": "a.png", "label": []}]), "label-studio")


@pytest.mark.parametrize("attribute", [NAN, {1, 2}, b"bytes"])
def test_attributes_that_are_not_json_are_refused_and_nothing_is_written(
    attribute: object, tmp_path: Path
) -> None:
    box = Annotation((1, 2, 3, 4), attributes={"odd": attribute})
    for name in ("coco", "labelme", "cvat", "label-studio", "voc"):
        with pytest.raises(LafdError, match="cannot be written"):
            write_annotations(Dataset((AnnotatedImage("a.png", 9, 9, (box,)),)), tmp_path / name / "x", name)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names_that_xml_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LafdError, match="XML cannot hold"):
        write_annotations(Dataset((AnnotatedImage("a\x01.png", 9, 9),)), tmp_path / "a.xml", "cvat")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "make"), [("coco", Path.mkdir), ("yolo", Path.touch)])
def test_a_folder_is_no_file_and_a_file_no_folder(
    name: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "out")
    with pytest.raises(UsageError, match="needs a f"):
        write_annotations(Dataset(()), tmp_path / "out", name)
