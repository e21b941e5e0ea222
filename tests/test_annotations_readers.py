"""What we write, read by others: pycocotools, supervision, datumaro and Label Studio's converter where installed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lafd.annotations import AnnotatedImage, Annotation, Dataset, write_annotations
from lafd.images import save_image

BOXES = ((10.0, 20.0, 50.0, 80.0), (60.5, 5.25, 99.0, 40.0))
DOCS = Path(__file__).parent.parent / "docs" / "annotations.md"


def dataset(folder: Path, **more: Any) -> Dataset:
    """Two pictures, of which the second shows nothing."""
    for name in ("a.png", "b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_image(folder / name, np.full((90, 120, 3), 200, np.uint8))
    faces = (Annotation(BOXES[0], "face", **more), Annotation(BOXES[1], "cat"))
    return Dataset(
        (AnnotatedImage("a.png", 120, 90, faces), AnnotatedImage("b.png", 120, 90)), ("face", "cat"), folder
    )


def test_pycocotools_reads_coco(tmp_path: Path) -> None:
    coco_api = pytest.importorskip("pycocotools.coco")
    write_annotations(dataset(tmp_path, ignore=True, score=0.5), tmp_path / "a.json", "coco")
    coco = coco_api.COCO(str(tmp_path / "a.json"))
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == ["a.png", "b.png"]
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["face", "cat"]
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert first["bbox"] == [10, 20, 40, 60]
    assert (first["iscrowd"], second["iscrowd"]) == (1, 0)
    assert first["area"] == 2400
    assert second["bbox"] == [60.5, 5.25, 38.5, 34.75]


def test_pycocotools_evaluates_coco(tmp_path: Path) -> None:
    coco_api, evaluation = (
        pytest.importorskip("pycocotools.coco"),
        pytest.importorskip("pycocotools.cocoeval"),
    )
    write_annotations(dataset(tmp_path, score=0.5), tmp_path / "a.json", "coco")
    truth = coco_api.COCO(str(tmp_path / "a.json"))
    found = [{**a, "score": 0.9} for a in truth.loadAnns(truth.getAnnIds())]
    judge = evaluation.COCOeval(truth, truth.loadRes(found), "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1)


def supervision_sees(found: Any, boxes: Any = BOXES, atol: float = 1e-4) -> None:
    """Whether supervision's data set has our pictures, categories and boxes."""
    assert len(found) == 2
    by_name = {Path(path).name: detections for path, _, detections in found}
    np.testing.assert_allclose(by_name["a.png"].xyxy, boxes, atol=atol)
    assert [found.classes[i] for i in by_name["a.png"].class_id] == ["face", "cat"]
    assert len(by_name["b.png"]) == 0


def test_supervision_reads_coco(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    write_annotations(dataset(tmp_path), tmp_path / "a.json", "coco")
    supervision_sees(supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "a.json")))


def test_supervision_reads_yolo(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    pytest.importorskip("yaml")
    write_annotations(dataset(tmp_path / "images"), tmp_path, "yolo")
    places = (str(tmp_path / place) for place in ("images", "labels", "data.yaml"))
    supervision_sees(supervision.DetectionDataset.from_yolo(*places))


def test_supervision_reads_voc(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    write_annotations(dataset(tmp_path / "JPEGImages"), tmp_path, "voc")
    places = (str(tmp_path / place) for place in ("JPEGImages", "Annotations"))
    supervision_sees(supervision.DetectionDataset.from_pascal_voc(*places), atol=1)


def test_supervision_reads_labelme(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    if not hasattr(supervision.DetectionDataset, "from_labelme"):
        pytest.skip("this supervision does not read LabelMe")
    write_annotations(dataset(tmp_path), tmp_path, "labelme")
    supervision_sees(supervision.DetectionDataset.from_labelme(str(tmp_path), str(tmp_path)))


def datumaro_sees(path: Path, name: str, atol: float = 1e-4) -> Any:
    """The face of the first picture as datumaro reads it, after a look at all else."""
    datumaro = pytest.importorskip("datumaro")
    found = datumaro.Dataset.import_from(str(path), name)
    items = {
        item.id: [a for a in item.annotations if a.type.name in ("bbox", "rotated_bbox")] for item in found
    }
    labels = found.categories()[datumaro.AnnotationType.label]
    boxes = {labels[a.label].name: a for a in items["a"]}
    assert set(items) == {"a", "b"}
    assert items["b"] == []
    assert set(boxes) == {"face", "cat"}
    np.testing.assert_allclose(boxes["cat"].points, BOXES[1], atol=atol)
    if boxes["face"].type.name == "bbox":
        np.testing.assert_allclose(boxes["face"].points, BOXES[0], atol=atol)
    return boxes["face"]


def test_datumaro_reads_cvat(tmp_path: Path) -> None:
    write_annotations(
        dataset(tmp_path / "images", ignore=True, score=0.5), tmp_path / "annotations.xml", "cvat"
    )
    face = datumaro_sees(tmp_path, "cvat")
    assert face.attributes["ignore"] is True
    assert float(face.attributes["score"]) == 0.5


def test_datumaro_reads_the_tilt_of_cvat(tmp_path: Path) -> None:
    write_annotations(dataset(tmp_path / "images", tilt=30), tmp_path / "annotations.xml", "cvat")
    face = datumaro_sees(tmp_path, "cvat")
    assert (face.cx, face.cy, face.w, face.h, face.r) == pytest.approx((30, 50, 40, 60, 30))


def test_datumaro_reads_coco(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    data = dataset(tmp_path / "images", ignore=True)
    path = tmp_path / "annotations/instances_train.json"
    write_annotations(Dataset(data.images, data.categories, tmp_path / "elsewhere"), path, "coco")
    assert datumaro_sees(tmp_path, "coco").attributes["is_crowd"] is True


def test_datumaro_reads_voc(tmp_path: Path) -> None:
    data = dataset(tmp_path / "JPEGImages", ignore=True, score=0.5)
    split = tuple(
        AnnotatedImage(i.name, i.width, i.height, i.annotations, {"split": "train"}) for i in data.images
    )
    write_annotations(Dataset(split, data.categories), tmp_path, "voc")
    (tmp_path / "labelmap.txt").write_text("# label:color_rgb:parts:actions\nface:::\ncat:::\n")
    assert datumaro_sees(tmp_path, "voc", atol=1.01).attributes["difficult"] is True


def interface() -> str:
    """The labelling interface that the documentation gives."""
    found = re.search(r"```xml\n(<View>.*?</View>)\n```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1].replace('<Label value="face"/>', '<Label value="face"/><Label value="cat"/>')


@pytest.mark.parametrize("score", [None, 0.5])
def test_label_studio_converts_our_tasks(tmp_path: Path, score: float | None) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter")
    write_annotations(dataset(tmp_path, score=score), tmp_path / "tasks.json", "label-studio")
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert all(("predictions" if score else "annotations") in task for task in tasks)
    for i, task in enumerate(
        tasks, 1
    ):  # Label Studio itself numbers what it imports, and exports what a person accepted
        task["id"] = i
        task["annotations"] = [
            {**drawn, "id": i, "completed_by": 1} for drawn in task.get("predictions") or task["annotations"]
        ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    export = converter.Converter(interface(), str(tmp_path), download_resources=False)
    export.convert_to_coco(str(tmp_path / "export.json"), str(tmp_path / "coco"), is_dir=False)
    coco = json.loads((tmp_path / "coco/result.json").read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    assert [names[a["category_id"]] for a in coco["annotations"]] == ["face", "cat"]
    expected = [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in BOXES]
    np.testing.assert_allclose([a["bbox"] for a in coco["annotations"]], expected, atol=1e-3)


def test_label_studio_accepts_our_predictions(tmp_path: Path) -> None:
    labelling = pytest.importorskip("label_studio_sdk.label_interface")
    write_annotations(dataset(tmp_path, score=0.5, ignore=True), tmp_path / "tasks.json", "label-studio")
    for task in json.loads((tmp_path / "tasks.json").read_text()):
        for prediction in task["predictions"]:
            assert not labelling.LabelInterface(interface()).validate_prediction(
                prediction, return_errors=True
            )
