from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from lafd import Detector, LafdError
from lafd.annotations import FORMATS, read_annotations, write_annotations
from lafd.annotations.writing import copy_pictures
from lafd.cli import main
from lafd.drawing import draw_scene
from lafd.images import save_image
from lafd.locks import lock

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from lafd.networks import LAYOUTS, Network, make_network  # noqa: E402
from lafd.networks.lafd import FaceNet  # noqa: E402
from lafd.training import geometry, samples  # noqa: E402
from lafd.training.dataset import TrainingPictures, collate  # noqa: E402
from lafd.training.loss import assign, detection_loss, giou_loss, pairwise_iou  # noqa: E402
from lafd.training.turns import Turns  # noqa: E402

QUICK = [
    "--model",
    "nano",
    "--sizes",
    "64",
    "96",
    "--batch",
    "4",
    "--threads",
    "1",
    "--save-every",
    "4",
    "--warm-up",
    "2",
]


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawn pictures with faces and an ignore region, as COCO."""
    folder = tmp_path_factory.mktemp("coco")
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for i in range(12):
        scene = draw_scene(160, 120, i, faces=0 if i % 4 == 3 else 1)
        name = f"{i}.png"
        save_image(folder / name, scene.image)
        images.append(
            {"id": i, "file_name": name, "width": 160, "height": 120, "source": f"s{i}", "style": "cel"}
        )
        for x1, y1, x2, y2 in scene.boxes.tolist():
            box = [x1, y1, x2 - x1, y2 - y1]
            annotations.append(
                {"id": len(annotations), "image_id": i, "category_id": 1, "bbox": box, "iscrowd": i % 5 == 4}
            )
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]}
    (folder / "train.json").write_text(json.dumps(data))
    return folder / "train.json"


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lafd", "train", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "best.safetensors")


def test_turned_boxes_are_those_of_the_inscribed_ellipse() -> None:
    rng = np.random.default_rng(0)
    box = np.array([[10, 20, 70, 50]], np.float32)
    angle = np.linspace(0, 2 * np.pi, 2000)
    ellipse = np.stack([40 + 30 * np.cos(angle), 35 + 15 * np.sin(angle)], 1)
    for _ in range(20):
        matrix = geometry.affine(rng, 1.7, np.array([40.0, 35.0]), np.array([100.0, 90.0]))
        points = ellipse @ matrix[:, :2].T + matrix[:, 2]
        expected = [*points.min(0), *points.max(0)]
        assert geometry.map_boxes(box, matrix)[0] == pytest.approx(expected, abs=0.05)


def test_faces_mostly_outside_a_view_are_ignored_not_learnt() -> None:
    boxes = np.array(
        [[10, 10, 30, 30], [-18, 10, 2, 30], [-8, 10, 12, 30], [-40, 0, -20, 20], [50, 50, 53, 53]],
        np.float32,
    )
    kept, ignore = geometry.labels_in_view(boxes, np.zeros(5, bool), (100, 100))
    assert ignore.tolist() == [False, True, False, True]
    assert (kept >= 0).all()


def test_pictures_depend_on_seed_number_and_side_alone(coco: Path) -> None:
    data = samples.read_samples(coco)
    first, second = (TrainingPictures(data, [], seed=5) for _ in range(2))
    for key in ((3, 96), (0, 64), (17, 96)):
        a, b = first[key], second[key]
        assert (a[0] == b[0]).all() and np.array_equal(a[1], b[1])
    assert not (TrainingPictures(data, [], seed=6)[3, 96][0] == first[3, 96][0]).all()


def test_views_cover_scales_from_tiny_to_larger_than_the_view(coco: Path) -> None:
    pictures = TrainingPictures(samples.read_samples(coco), [], seed=0)
    boxes = np.concatenate([pictures[i, 128][1][~pictures[i, 128][2]] for i in range(300)])
    sides = (boxes[:, 2:] - boxes[:, :2]).max(1)
    assert sides.min() < 12 and sides.max() > 110


def test_plain_pictures_keep_most_of_the_picture_and_most_are_upright(coco: Path) -> None:
    data = samples.read_samples(coco)
    rng = np.random.default_rng(0)
    matrices = [(geometry.whole_view(rng, sample, (96, 128)), sample) for sample in data * 50]
    upright = [(matrix, sample) for matrix, sample in matrices if matrix[0, 1] == matrix[1, 0] == 0]
    assert 0.75 < len(upright) / len(matrices) < 0.95
    for matrix, sample in upright:
        assert matrix[1, 1] == abs(matrix[0, 0]) > 0
        shown = matrix @ np.array([[0, 0, 1], [*sample.size, 1]]).T
        low, high = shown.min(1), shown.max(1)
        visible = np.minimum(high, [128, 96]) - np.maximum(low, 0)
        assert (visible / (high - low)).min() > 0.6
    for matrix, sample in matrices:
        middle = matrix @ np.array([*np.array(sample.size) / 2, 1])
        assert (middle > 0).all() and (middle < [128, 96]).all()
        columns, rows = np.linalg.norm(matrix[:, :2], axis=0)
        assert abs(columns - rows) < 1e-5 * rows


def test_a_turned_picture_has_its_boxes_and_cells_where_a_turned_network_would_say_them() -> None:
    network = make_network("base")
    centres, _ = network.cells_of(128, torch.device("cpu"))
    beside = torch.cat([centres.T - 3, centres.T + torch.tensor([5.0, 1.0])], 1)
    picture = torch.zeros(1, 128, 128, dtype=torch.uint8)
    picture[0, 10:20, 40:90] = 1
    for quarters in range(4):
        turns = Turns([quarters], 128)
        x1, y1, x2, y2 = turns.boxes(torch.tensor([[[40.0, 10, 90, 20]]]))[0, 0].int().tolist()
        turned = turns.pictures(picture)[0]
        assert turned.sum() == turned[y1:y2, x1:x2].sum() == 500
        scores, boxes = turns.cells((centres.sum(0)[None], beside[None]), network.strides)
        middle = (boxes[0, :, :2] + boxes[0, :, 2:]) / 2 - centres.T
        assert (middle == torch.tensor([[1, -1], [-1, -1], [-1, 1], [1, 1]][quarters])).all()
        upright = Turns([-quarters % 4], 128).in_order(scores, network.strides)
        assert torch.equal(upright[0], centres.sum(0))


def test_a_large_view_of_plain_pictures_is_sometimes_a_mosaic_of_small_ones(coco: Path) -> None:
    plain = TrainingPictures(samples.read_samples(coco), [], seed=0, plain=1.0)
    faces = [int((~plain[i, 640][2]).sum()) for i in range(60)]
    assert 0.05 < np.mean(np.array(faces) > 1) < 0.4  # each picture has one face at most
    assert max(faces) > 4
    assert max(int((~plain[i, 256][2]).sum()) for i in range(60)) == 1  # they would be too small to tell


def test_assignment_gives_every_face_cells_and_none_to_padding() -> None:
    centres, strides = make_network("nano").cells_of(128, torch.device("cpu"))
    boxes = torch.cat([centres.T - 8, centres.T + 8], 1)[None]
    faces = torch.tensor([[[10.0, 10, 16, 17], [30, 30, 90, 100], [0, 0, 0, 0]]])
    targets, matched = assign(torch.zeros(1, boxes.shape[1]), boxes, faces, centres.T, strides)
    answering = matched[targets > 0].tolist()
    assert answering.count(0) >= 1 and answering.count(1) >= 4 and 2 not in answering


def test_loss_falls_to_zero_for_a_perfect_answer_and_ignores_ignored() -> None:
    cells = make_network("nano").cells_of(64, torch.device("cpu"))
    face = torch.tensor([[[8.0, 8, 40, 40]]])
    count = cells[0].shape[1]
    boxes = face.expand(1, count, 4)
    logits = torch.full((1, count), -20.0)
    targets, _ = assign(logits, boxes, face, cells[0].T, cells[1])
    logits[targets > 0] = torch.logit(targets[targets > 0].clamp(1e-4, 1 - 1e-4))
    kinds = torch.ones(1, 1, dtype=torch.int8)
    assert sum(detection_loss((logits, boxes), face, kinds, cells)) < 1e-3
    everywhere = torch.tensor([[[0.0, 0, 64, 64]]])
    wild = (torch.full((1, count), 9.0), boxes)
    assert detection_loss(wild, everywhere, kinds * 2, cells)[0] == 0
    assert detection_loss(wild, everywhere, kinds * 0, cells)[0] > 1


def test_giou_agrees_with_iou_for_boxes_that_share_a_hull() -> None:
    a, b = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[0.0, 0, 10, 5]])
    assert giou_loss(a, b).item() == pytest.approx(0.5)
    assert pairwise_iou(a, b).item() == pytest.approx(0.5)
    assert giou_loss(a, a + 100).item() > 1.9


def test_padded_boxes_are_marked(coco: Path) -> None:
    pictures = TrainingPictures(samples.read_samples(coco), [], seed=0)
    images, boxes, kinds = collate([pictures[i, 96] for i in range(8)])
    assert images.shape == (8, 96, 96, 3) and images.dtype == torch.uint8
    assert ((boxes[..., 2:] > boxes[..., :2]).all(-1) == (kinds > 0)).all()


@pytest.mark.parametrize("name", ["nano", "base", "accurate"])
def test_any_multiple_of_the_stride_gives_one_box_per_cell(name: str) -> None:
    network = make_network(name).eval()
    for height, width in ((32, 32), (96, 160), (64, 224)):
        logits, boxes = network(torch.zeros(2, height, width, 3, dtype=torch.uint8))
        count = sum(-(-height // s) * -(-width // s) for s in (8, 16, 32, 64))
        assert logits.shape == (2, count) and boxes.shape == (2, count, 4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 9))
def test_decoding_equals_the_definition(rows: int, columns: int, seed: int) -> None:
    from lafd.networks.lafd import STRIDES, Pixels, decode

    generator = torch.Generator().manual_seed(seed)
    shapes = [(-(-32 * rows // s), -(-32 * columns // s)) for s in STRIDES]
    maps = [torch.randn(2, 5, *shape, generator=generator) for shape in shapes]
    logits, boxes = decode([Pixels(s)(m) for s, m in zip(STRIDES, maps, strict=True)])
    wanted = []
    for stride, output in zip(STRIDES, maps, strict=True):
        for row in range(output.shape[2]):
            for column in range(output.shape[3]):
                logit, x, y, log_width, log_height = output[1, :, row, column].tolist()
                x, y = (column + 0.5 + x) * stride, (row + 0.5 + y) * stride
                width, height = math.exp(log_width) * stride, math.exp(log_height) * stride
                box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
                wanted.append([logit, *box])
    assert torch.allclose(
        torch.cat([logits[1, :, None], boxes[1]], 1), torch.tensor(wanted), rtol=1e-4, atol=1e-3
    )


def test_training_learns_resumes_after_a_kill_and_exports(coco: Path, tmp_path: Path) -> None:
    common = ["--data", coco, "--steps", 16, "--turned", 0.5, *QUICK]
    whole = train(*common, "--out", tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    command = [sys.executable, "-m", "lafd", "train", *map(str, common), "--out", str(tmp_path / "cut")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "cut" / "last.safetensors").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    with safe_open(tmp_path / "cut" / "last.safetensors", framework="pt") as last:
        assert int(last.metadata()["step"]) < 16 or process.returncode == 0
    again = train(*common, "--out", tmp_path / "cut")
    assert again.returncode == 0, again.stderr
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, weights(tmp_path / "cut")[name]), name
    assert list((tmp_path / "whole").glob("events.*"))

    out = tmp_path / "own.onnx"
    command = [
        sys.executable,
        "-m",
        "lafd",
        "export",
        str(tmp_path / "cut" / "best.safetensors"),
        "-o",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Detector(str(out)).detect(np.zeros((50, 70, 3), np.uint8)).width == 70

    start = ("--init", tmp_path / "whole" / "best.safetensors")
    larger = train(*common, "--out", tmp_path / "larger", *start, "--model", "accurate")
    assert larger.returncode == 0, larger.stderr


def shaken(name: str) -> FaceNet:
    """A network whose normalisations differ from each other, as after training."""
    torch.manual_seed(1)
    network = make_network(name)
    assert isinstance(network, FaceNet)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network


def written(name: str, network: Network, path: Path) -> Path:
    """The weights of a network, as training would keep them."""
    from safetensors.torch import save_file

    save_file(network.state_dict(), path, {"model": name})
    return path


def checkpoint(name: str, path: Path) -> Path:
    """Random weights of a network."""
    torch.manual_seed(0)
    return written(name, make_network(name), path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[FaceNet, Path]:
    """A network, and the graph that it was exported to."""
    from lafd.training.export import export

    folder = tmp_path_factory.mktemp("exported")
    network = shaken("nano")
    export(written("nano", network, folder / "n.safetensors"), folder / "n.onnx")
    return network.eval(), folder / "n.onnx"


def test_the_exported_graph_computes_what_the_network_does(exported: tuple[FaceNet, Path]) -> None:
    import onnxruntime

    network, graph = exported
    session = onnxruntime.InferenceSession(str(graph))
    images = np.random.default_rng(0).integers(0, 256, (3, 160, 224, 3), np.uint8)
    boxes, scores = session.run(["boxes", "scores"], {"images": images})
    with torch.inference_mode():
        logits, wanted = network(torch.from_numpy(images))
    assert np.abs(scores - logits.sigmoid().numpy()).max() < 1e-4
    assert np.abs(boxes - wanted.numpy()).max() < 1e-4 * 224


def test_the_originals_network_exports_too(tmp_path: Path) -> None:
    from lafd.training.export import export

    assert "lffd" in LAYOUTS
    export(checkpoint("lffd-plate-small", tmp_path / "p.safetensors"), tmp_path / "p.onnx")
    assert (tmp_path / "p.onnx").exists()


def test_an_unknown_network_lists_those_that_exist() -> None:
    with pytest.raises(LafdError, match="nano"):
        make_network("giant")


def test_a_graph_of_other_weights_is_refused(exported: tuple[FaceNet, Path]) -> None:
    from lafd.training.export import prove

    with pytest.raises(LafdError, match="off by"):
        prove(make_network("nano").eval(), exported[1])


def test_two_processes_train_as_one(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "two"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        "-m",
        "lafd",
    ]
    command += ["train", "--data", str(coco), "--out", str(out), "--steps", "6", *QUICK]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "step 6" in done.stdout or (out / "best.safetensors").exists()


def test_two_runs_do_not_write_one_folder(coco: Path, tmp_path: Path) -> None:
    with (tmp_path / "lock").open("wb") as held:
        lock(held, tmp_path)
        done = train("--data", coco, "--out", tmp_path, "--steps", 6, *QUICK)
    assert done.returncode == 1 and f"{tmp_path}: another run is writing it" in done.stderr
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_teacher_is_followed_where_labels_say_nothing(tmp_path: Path) -> None:
    """The loss is zero for an equal, and following its gradient makes a network say what the teacher says."""
    from lafd.training.distillation import Teacher, distillation_loss

    teacher = Teacher(checkpoint("nano", tmp_path / "teacher.safetensors"), torch.device("cpu"))
    teacher.network.state_dict()["heads.0.output.bias"][0] = 1.0  # one that finds something
    images = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    taught = teacher(images)
    same = distillation_loss((taught[0].logit(), taught[1]), taught)
    assert float(same[0]) < 1e-6 and float(same[1]) < 1e-5

    student = make_network("nano").train()
    optimiser = torch.optim.Adam(student.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        score, box = distillation_loss(student(images), taught)
        loss = score + box
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_small_network_learns_from_a_large_one(coco: Path, tmp_path: Path) -> None:
    teacher = checkpoint("base", tmp_path / "teacher.safetensors")
    common = ["--data", coco, "--steps", 4, *QUICK]
    done = train(*common, "--out", tmp_path / "taught", "--teacher", teacher)
    assert done.returncode == 0, done.stderr
    alone = train(*common, "--out", tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    taught, untaught = weights(tmp_path / "taught"), weights(tmp_path / "alone")
    assert any(not torch.equal(value, untaught[name]) for name, value in taught.items())


@pytest.mark.parametrize(("name", "larger"), [("nano", "accurate"), ("base", "accurate")])
def test_a_grown_network_begins_as_the_small_one(name: str, larger: str) -> None:
    from lafd.training.widening import widen

    small, large = shaken(name).eval(), shaken(larger).eval()
    images = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    with torch.no_grad():
        before = large(images)[0]
        widen(small, large)
        for ours, wanted in zip(large(images), small(images), strict=True):
            torch.testing.assert_close(ours, wanted, atol=1e-3, rtol=1e-4)
    assert not torch.allclose(before, small(images)[0])
    with pytest.raises(ValueError, match="does not fit"):
        widen(large, small)


@pytest.mark.parametrize("option", ["--init", "--teacher"])
def test_weights_that_do_not_fit_are_named(option: str, coco: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    other = checkpoint("lffd-plate-small", tmp_path / "other.safetensors")
    for file, status in ((broken, 1), (other, 2), (tmp_path / "none.safetensors", 1)):
        done = train("--data", coco, "--out", tmp_path / "out", "--steps", 1, *QUICK, option, file)
        assert done.returncode == status and file.name in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def changed(coco: Path, tmp_path: Path, change: Callable[[Any], object]) -> Path:
    """The annotations after a change, beside the same pictures."""
    data = json.loads(coco.read_text())
    change(data)
    path = coco.with_name(f"bad-{tmp_path.name}.json")
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda d: d.update(images=3), "not a COCO file"),
        (lambda d: d["images"][0].update(file_name="gone.png"), "1 of 12 pictures are not in"),
        (lambda d: d["images"][0].update(width=320), "its annotations say 320 x 120"),
        (lambda d: d["annotations"].clear(), "no faces"),
        (lambda d: [image.update(split="test") for image in d["images"]], "no faces"),
    ],
)
def test_annotations_that_cannot_be_trained_on_are_named(
    coco: Path,
    tmp_path: Path,
    change: Callable[[Any], object],
    hint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = changed(coco, tmp_path, change)
    status = main(["train", "--data", str(path), "--out", str(tmp_path / "run"), "--steps", "1", *QUICK])
    assert status in (1, 2) and hint in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["plain", "turned"])
def test_a_share_is_between_nothing_and_all(
    option: str, coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--data", str(coco), "--out", str(tmp_path / "run"), f"--{option}", "1.5"]) == 2
    assert f"{option} must be between 0 and 1, not 1.5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda d: d["annotations"][0].update(bbox=[1, 1, float("nan"), 4]), "a box of 0.png"),
        (lambda d: d["annotations"][0].update(bbox=[1, 1, 0, 4]), "0.png: 1 boxes without area"),
        (lambda d: d["annotations"][0].update(category_id=7), "category 7 is not declared"),
        (lambda d: d["annotations"][0].update(image_id=99), "there is no image 99"),
    ],
)
def test_wrong_boxes_are_told(
    coco: Path,
    tmp_path: Path,
    change: Callable[[Any], object],
    hint: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = samples.read_samples(changed(coco, tmp_path, change))
    assert len(data) == 12 and hint in caplog.text
    assert all((sample.boxes[:, 2:] > sample.boxes[:, :2]).all() for sample in data)


@pytest.mark.parametrize("name", FORMATS)
def test_every_annotation_format_is_read(name: str, coco: Path, tmp_path: Path) -> None:
    wanted = {sample.path.name: sample for sample in samples.read_samples(coco)}
    path = tmp_path / {"coco": "a.json", "cvat": "a.xml", "label-studio": "b.json"}.get(name, "folder")
    dataset, missing = copy_pictures(read_annotations(coco), FORMATS[name].picture_folder(path))
    assert not missing
    write_annotations(dataset, path, name)
    found = samples.read_samples(path)
    assert {sample.path.name for sample in found} == set(wanted)
    for sample in found:
        same = wanted[sample.path.name]
        boxes = same.boxes if name != "yolo" else same.boxes[~same.ignore]  # YOLO has no ignore regions
        assert sample.size == same.size and np.allclose(sample.boxes, boxes, atol=0.01)
        assert name == "yolo" or sample.ignore.tolist() == same.ignore.tolist()
        if name in ("coco", "labelme", "label-studio"):  # those that carry attributes of pictures
            assert (sample.source, sample.style) == (same.source, same.style)


def test_splits_are_those_of_the_annotations(coco: Path, tmp_path: Path) -> None:
    def divide(data: Any) -> None:
        for image, split in zip(data["images"], ["val", "test", "train", ""] * 3, strict=True):
            image["split"] = split

    train_part, held = samples.split_as_annotated(samples.read_samples(changed(coco, tmp_path, divide)))
    assert [s.split for s in held] == ["val"] * 3
    assert sorted(s.split for s in train_part) == [""] * 3 + ["train"] * 3


def test_a_holdout_keeps_sources_together(coco: Path) -> None:
    data = samples.read_samples(coco)
    train_part, held = samples.split_by_source(data, 0.4)
    assert held and train_part and len(held) + len(train_part) == len(data)
    assert not {s.source for s in held} & {s.source for s in train_part}
    assert [s.path for s in samples.split_by_source(data[::-1], 0.4)[1]] == [s.path for s in held[::-1]]


def test_repeated_tags_come_more_often(coco: Path) -> None:
    data = samples.read_samples(coco)
    assert len(samples.repeat(data, {"cel": 3})) == 3 * len(data)
    assert len(samples.repeat(data, {"manga": 3})) == len(data)
