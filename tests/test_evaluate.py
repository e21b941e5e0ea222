"""`lafd evaluate` as a user meets it: on drawn pictures, with boxes from a file and with the shipped model."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import RunLafd
from lafd.cli import main
from lafd.drawing import draw_scene
from lafd.images import save_image

SCENES: dict[
    str, tuple[tuple[int, int, Any], str, list[str]]
] = {  # name: (width, height, faces), style, tags
    "one.png": ((400, 300, [(110, 150, 90), (290, 150, 90)]), "illust", ["crowd"]),
    "two.png": ((300, 400, [(150, 200, 120)]), "manga", []),
    "none.png": ((320, 200, 0), "none", []),
}


@pytest.fixture(scope="session")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures in val/ with annotations in val.json; the third picture has an ignore region alone."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "val").mkdir()
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (name, ((width, height, faces), style, tags)) in enumerate(SCENES.items(), 1):
        scene = draw_scene(width, height, number, faces=faces, style="cel")
        save_image(folder / "val" / name, scene.image)
        image = {"id": number, "file_name": f"val/{name}", "width": width, "height": height}
        images.append({**image, "style": style, "tags": tags, "source": f"source {number}"})
        for x1, y1, x2, y2 in np.asarray(scene.boxes, float).tolist():
            box = {"image_id": number, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0}
            annotations.append({**box, "id": len(annotations) + 1, "category_id": 1})
    region = {"id": 99, "image_id": 3, "category_id": 1, "bbox": [10, 10, 60, 60], "iscrowd": 1}
    content = {"images": images, "annotations": [*annotations, region], "categories": [{"id": 1}]}
    (folder / "val.json").write_text(json.dumps(content))
    return folder / "val.json"


def perfect(coco: Path) -> list[dict[str, Any]]:
    """The records of a detector that finds every face and the ignore region."""
    content = json.loads(coco.read_text())
    records = []
    for image in content["images"]:
        boxes = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
        faces = [{"box": [x, y, x + w, y + h], "score": 0.9} for x, y, w, h in boxes]
        size = {"width": image["width"], "height": image["height"]}
        records.append({"path": str(coco.parent / image["file_name"]), **size, "faces": faces})
    return records


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def row(text: str, name: str) -> list[str]:
    """The cells after the first of a row of a table."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_perfect_detector_scores_one(lafd: RunLafd, coco: Path, tmp_path: Path) -> None:
    done = lafd("evaluate", coco, "--detections", write(tmp_path / "perfect.jsonl", perfect(coco)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# perfect on val.json\n")
    for figure in ("AP50", "AP75", "AP[.5:.95]", "F1", "recall at 0.1 false positives per picture"):
        assert row(done.stdout, figure) == ["1.000 [1.000, 1.000]"], figure
    assert row(done.stdout, "none") == ["1", "0", "0.000 [0.000, 0.000]"]
    assert row(done.stdout, "manga")[:2] == ["1", "1"]
    assert row(done.stdout, "crowd")[:2] == ["1", "2"]


def test_false_positives_and_missed_faces_show(lafd: RunLafd, coco: Path, tmp_path: Path) -> None:
    records = perfect(coco)
    records[1]["faces"] = []
    records[2]["faces"].append({"box": [200, 100, 260, 160], "score": 0.95})
    done = lafd(
        "evaluate",
        coco,
        "--detections",
        write(tmp_path / "d.jsonl", records),
        "--bootstrap",
        0,
        "--name",
        "Other",
    )
    assert done.stdout.startswith("# Other on val.json\n")
    # the false positive is the surest detection: precision 1/2, 2/3 at the two recalls that exist
    assert float(row(done.stdout, "AP50")[0]) == pytest.approx(67 / 101 * 2 / 3, abs=6e-4)
    assert row(done.stdout, "recall at 0.1 false positives per picture") == ["0.000"]
    assert row(done.stdout, "F1") == ["0.667"]
    assert row(done.stdout, "none") == ["1", "1", "1.000"]
    assert row(done.stdout, "missed face without a box") == ["1"]
    assert row(done.stdout, "false positive on the background") == ["1"]


def test_the_report_is_complete_and_without_pictures(lafd: RunLafd, coco: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    boxes = write(tmp_path / "d.jsonl", perfect(coco))
    done = lafd("evaluate", coco, "--detections", boxes, "-o", "report", "--bootstrap", 50)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert names == ["calibration.svg", "precision-recall.svg", "report.json", "report.md"]
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["figures"]["summary"]["AP50"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert report["data"]["pictures"] == 3 and report["data"]["faces"] == 3 and report["data"]["ignored"] == 1
    assert (tmp_path / "report" / "report.md").read_text().startswith(done.stdout)
    for path in (tmp_path / "report").glob("*.svg"):
        assert "<image" not in path.read_text() and path.read_text().rstrip().endswith("</svg>")


def test_the_gallery_shows_errors_and_keeps_itself_out_of_git(
    lafd: RunLafd, coco: Path, tmp_path: Path
) -> None:
    records = perfect(coco)
    records[2]["faces"].append({"box": [200, 100, 260, 160], "score": 0.95})
    boxes = write(tmp_path / "d.jsonl", records)
    done = lafd("evaluate", coco, "--detections", boxes, "--gallery", "errors", "--bootstrap", 0)
    page = (tmp_path / "errors" / "index.html").read_text()
    assert "False positive on the background: 1<" in page
    assert page.count("<figure>") == 1 and "val/none.png: 0.95" in page
    assert (tmp_path / "errors" / ".gitignore").read_text() == "*\n"
    assert "do not share" in done.stderr


def test_corrected_boxes_are_judged_beside_raw_ones(lafd: RunLafd, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "x.png").write_bytes(b"")
    images, annotations, records = [], [], []
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(b"")
        x, y, side = rng.integers(100, 200), rng.integers(100, 200), rng.integers(20, 60)
        images.append({"id": number, "file_name": f"{number}.png", "width": 400, "height": 400})
        annotations.append({"image_id": number, "bbox": [int(x), int(y), int(side), int(side)]})
        head = [int(x - side / 2), int(y - side), int(x + 1.5 * side), int(y + side)]
        records.append(
            {"path": f"{number}.png", "width": 400, "height": 400, "faces": [{"box": head, "score": 1}]}
        )
    coco = tmp_path / "coco.json"
    coco.write_text(json.dumps({"images": images, "annotations": annotations}))
    boxes = write(tmp_path / "heads.jsonl", records)
    done = lafd("evaluate", coco, "--detections", boxes, "--correct-boxes", "--bootstrap", 0)
    assert done.returncode == 0, done.stderr
    corrected, raw = map(float, row(done.stdout, "AP50"))
    assert corrected > 0.95 and raw < 0.1


def test_a_model_with_curves_over_sizes_and_angles(lafd: RunLafd, coco: Path) -> None:
    done = lafd(
        "evaluate", coco, "--sizes", "64,256", "--size", 256, "--angles", "--bootstrap", 0, "--threads", 1
    )
    assert done.returncode == 0, done.stderr
    assert "- size: 256" in done.stdout
    assert float(row(done.stdout, "AP50")[0]) > 0.5
    assert all(math.isfinite(float(cell)) for cell in row(done.stdout, "256"))
    for angle in range(0, 360, 15):
        assert 0 <= float(row(done.stdout, str(angle))[0]) <= 1
    # upright, the turned pictures are the pictures, so all that differs is the faceless one
    assert float(row(done.stdout, "0")[2]) == pytest.approx(float(row(done.stdout, "recall")[0]), abs=1e-3)


def drop(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return records[1:]


def change(**fields: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda records: [{**records[0], **fields}, *records[1:]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop, "1 of 3 pictures have no line"),
        (change(width=50), "had 50x300 pixels, annotated are 400x300"),
        (change(faces=[{"box": [1, 2, 3], "score": 0.5}]), "line 1: not a line of lafd detect"),
        (change(faces=[{"box": [1, 2, 3, 4], "score": 7}]), "score is not between 0 and 1"),
        (change(frame=3), "line 1: not a line of lafd detect"),
        (lambda records: [*records, records[0]], "line 4: a second line"),
    ],
)
def test_detections_that_do_not_fit_are_named(
    spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]],
    message: str,
    coco: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    boxes = write(tmp_path / "d.jsonl", spoil(perfect(coco)))
    assert main(["evaluate", str(coco), "--detections", str(boxes)]) == 1
    error = capsys.readouterr().err
    assert message in error and "d.jsonl" in error and error.count("\n") == 1


def test_pictures_that_a_detector_could_not_read_have_no_faces_and_are_told(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = perfect(coco)
    records[0] = {"path": records[0]["path"], "error": "one.png: cannot be read."}
    boxes = write(tmp_path / "d.jsonl", [*records, {"path": "other.png", "error": "not annotated"}])
    assert main(["evaluate", str(coco), "--detections", str(boxes), "--bootstrap", "0"]) == 1
    done = capsys.readouterr()
    assert row(done.out, "recall") == ["0.333"]
    assert done.err == "lafd: one.png: cannot be read.\n"


@pytest.mark.parametrize("prefix", ["elsewhere/val/", "", "D:\\data\\val\\"])
def test_detections_made_in_another_folder_belong_to_the_same_pictures(
    prefix: str, coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [{**record, "path": prefix + Path(record["path"]).name} for record in perfect(coco)]
    other = {**records[0], "path": "train/one.png", "faces": []}
    boxes = write(tmp_path / "d.jsonl", [other, *records])
    assert main(["evaluate", str(coco), "--detections", str(boxes), "--bootstrap", "0"]) == 0
    assert row(capsys.readouterr().out, "AP50") == ["1.000"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--detections", "d.jsonl", "--angles"], "do not go with --detections"),
        (["--correct-boxes"], "go with --detections only"),
        (["--confidence", "3"], "confidence must be between 0 and 1"),
        (["--size", "5"], "size must be between 32 and 16384"),
        (["--bootstrap", "-1"], "bootstrap must be 0 or more"),
    ],
)
def test_wrong_usage_is_told_before_any_work(
    arguments: list[str], message: str, coco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(coco), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_without_the_extra_the_message_names_it(
    coco: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["evaluate", str(coco), "-o", str(tmp_path / "report")]) == 2
    assert "pip install 'lafd[evaluate]'" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "names no pictures"),
        ('{"images": [{}], "annotations": []}', "there are no pictures in it"),
        ("{", "not JSON"),
        ('{"images": 3}', "not a COCO file"),
    ],
)
def test_annotations_that_cannot_be_judged_by_are_named(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "coco.json"
    path.write_text(text)
    assert main(["evaluate", str(path)]) == 1
    error = capsys.readouterr().err
    assert f"{path}: " in error and message in error


def test_a_folder_of_annotations_is_judged_by(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(coco), str(tmp_path / "voc"), "--to", "voc", "--copy"]) == 0
    boxes = write(tmp_path / "perfect.jsonl", perfect(coco))
    assert main(["evaluate", str(tmp_path / "voc"), "--detections", str(boxes), "--bootstrap", "0"]) == 0
    assert row(capsys.readouterr().out, "AP50") == ["1.000"]


def test_evaluation_does_not_import_torch(lafd: RunLafd, coco: Path, tmp_path: Path) -> None:
    boxes = write(tmp_path / "d.jsonl", perfect(coco))
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was imported')")
    done = lafd(
        "evaluate", coco, "--detections", boxes, "--bootstrap", 0
    )  # runs in tmp_path: finds that torch
    assert done.returncode == 0, done.stderr
