from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import needs_openvino
from lafd import Detections, Detector, Options, UsageError
from lafd import boxes as box_maths
from lafd.drawing import Scene, draw_scene
from lafd.images import encode_image, save_image


def found(detections: Detections, scene: Scene) -> int:
    """How many of a scene's faces were found."""
    return int((box_maths.iou(scene.boxes, detections.boxes).max(1, initial=0) > 0.4).sum())


def same(a: Detections, b: Detections, tolerance: float = 1e-3) -> bool:
    return (
        len(a) == len(b)
        and np.allclose(a.boxes, b.boxes, atol=tolerance)
        and (a.width, a.height) == (b.width, b.height)
    )


def test_finds_the_faces_of_the_demonstration(detector: Detector, scene: Scene) -> None:
    detections = detector.detect(scene.image)
    assert found(detections, scene) >= len(scene.boxes) - 1
    assert len(detections) <= len(scene.boxes) + 1


@pytest.mark.parametrize("style", ["cel", "soft", "manga", "flat"])
def test_finds_drawn_faces_in_many_styles(detector: Detector, style: str) -> None:
    faces, hits = 0, 0
    for seed in range(6):
        scene = draw_scene(480, 360, seed, faces=[(130, 170, 110), (350, 190, 100)], style=style)
        faces += len(scene.boxes)
        hits += found(detector.detect(scene.image), scene)
    assert hits >= 0.75 * faces


def test_finds_nothing_where_no_face_is(detector: Detector) -> None:
    count = sum(len(detector.detect(draw_scene(480, 360, seed, faces=0).image)) for seed in range(10))
    count += len(detector.detect(np.zeros((300, 300, 3), np.uint8)))
    assert count <= 1


def test_a_face_that_fills_the_picture_is_found(detector: Detector) -> None:
    scene = draw_scene(400, 400, 5, faces=[(200, 210, 360)], style="cel")
    assert found(detector.detect(scene.image), scene) == 1


def test_every_kind_of_source_gives_the_same(detector: Detector, scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "画像 ä.png"
    save_image(path, scene.image)
    data = path.read_bytes()
    reference = detector.detect(scene.image)
    assert len(reference)
    for source in (path, str(path), data, io.BytesIO(data), Image.open(path)):
        assert same(detector.detect(source), reference)
    assert same(detector.detect(np.ascontiguousarray(scene.image[..., ::-1]), rgb=True), reference)


def test_large_jpegs_may_be_decoded_smaller_with_boxes_of_the_full_picture(detector: Detector) -> None:
    scene = draw_scene(3000, 2000, 4, faces=[(1000, 900, 600), (2100, 1000, 600)], style="cel")
    detections = detector.detect(encode_image(scene.image, ".jpg", 95))
    assert (detections.width, detections.height) == (3000, 2000)
    assert found(detections, scene) == 2


def test_batches_equal_one_by_one(detector: Detector) -> None:
    shapes = [(300, 400), (301, 399), (640, 480), (100, 900), (300, 400), (64, 64)]
    images = [draw_scene(w, h, i, faces=2).image for i, (h, w) in enumerate(shapes)]
    options = Options(confidence=0.05)
    singles = [detector.detect(image, options) for image in images]
    for single, batched in zip(singles, detector.detect_batch(images, options), strict=True):
        assert same(single, batched)
    assert detector.detect_batch([]) == []


def test_threads_may_share_a_detector(detector: Detector) -> None:
    images = [draw_scene(320, 240, seed, faces=2).image for seed in range(12)]
    alone = [detector.detect(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, images * 3))
    assert all(same(a, b, 0) for a, b in zip(alone * 3, together, strict=True))


def test_boxes_are_inside_sorted_and_of_the_documented_types(detector: Detector, scene: Scene) -> None:
    detections = detector.detect(scene.image, Options(confidence=0.01))
    boxes, scores = detections.boxes, detections.scores
    assert boxes.dtype == scores.dtype == np.float32
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 1280).all() and (boxes[:, 3] <= 720).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (np.diff(scores) <= 0).all() and (scores >= 0.01).all() and (scores <= 1).all()


def test_options_do_what_they_say(detector: Detector, scene: Scene) -> None:
    everything = detector.detect(scene.image, Options(confidence=0.05))
    assert len(detector.detect(scene.image, Options(confidence=1.0))) == 0
    assert len(detector.detect(scene.image, Options(max_faces=2))) == 2
    assert detector.detect(scene.image, Options(max_faces=2))[0] == detector.detect(scene.image)[0]
    large = detector.detect(scene.image, Options(confidence=0.05, min_face=120))
    assert 0 < len(large) < len(everything) and (large.sizes >= 120).all()
    assert len(detector.detect(scene.image, Options(confidence=0.05, iou=1.0))) > len(everything)
    apart = detector.detect(scene.image, Options(confidence=0.05, iou=0.0)).boxes
    assert (np.triu(box_maths.iou(apart, apart), 1) == 0).all()


def test_a_higher_threshold_drops_faces_and_moves_none(detector: Detector, scene: Scene) -> None:
    everything = detector.detect(scene.image, Options(confidence=0.05))
    for confidence in (0.1, 0.3, 0.5):
        sure = detector.detect(scene.image, Options(confidence=confidence))
        expected = everything.boxes[everything.scores >= np.float32(confidence)]
        np.testing.assert_allclose(sure.boxes, expected, atol=1e-3)


def test_size_and_resize_scale_agree(detector: Detector, scene: Scene) -> None:
    assert same(
        detector.detect(scene.image, Options(size=640)),
        detector.detect(scene.image, Options(resize_scale=0.5)),
    )
    for size in (256, 384, 960, 1280):
        assert found(detector.detect(scene.image, Options(size=size)), scene) >= 5


def test_confidence_zero_is_zero(detector: Detector, scene: Scene) -> None:
    assert len(detector.detect(scene.image, Options(confidence=0.0))) > 50


@pytest.mark.parametrize("shape", [(1, 1), (30, 20000), (20000, 30), (1, 5000), (7, 3), (33, 31)])
def test_strange_shapes_are_pictures_too(detector: Detector, shape: tuple[int, int]) -> None:
    detections = detector.detect(np.full((*shape, 3), 128, np.uint8))
    assert (detections.height, detections.width) == shape


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"size": 0}, "size"),
        ({"size": -5}, "size"),
        ({"size": 10**6}, "size"),
        ({"resize_scale": 0.0}, "resize scale"),
        ({"resize_scale": float("nan")}, "resize scale"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": -0.1}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"iou": 2.0}, "iou"),
        ({"max_faces": 0}, "max faces"),
        ({"min_face": -1.0}, "min face"),
    ],
)
def test_options_out_of_range_are_named(values: dict[str, float], name: str) -> None:
    with pytest.raises(UsageError, match=name):
        Options(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("array", "hint"),
    [
        (np.zeros((10, 10, 3), np.float32), "uint8"),
        (np.zeros((10, 10, 3), np.uint16), "uint8"),
        (np.zeros((10, 10, 2), np.uint8), "channel|shape"),
        (np.zeros((0, 10, 3), np.uint8), "empty|no pixels|shape"),
        (np.zeros((2, 10, 10, 3), np.uint8), "shape"),
    ],
)
def test_arrays_of_the_wrong_kind_are_explained(detector: Detector, array: np.ndarray, hint: str) -> None:
    with pytest.raises(UsageError, match=f"(?i){hint}"):
        detector.detect(array)


def test_a_scale_that_makes_a_giant_input_is_refused(detector: Detector) -> None:
    with pytest.raises(UsageError, match="smaller resize scale"):
        detector.detect(np.zeros((1000, 1000, 3), np.uint8), Options(resize_scale=1000))


def test_no_thread_or_device_is_invented() -> None:
    with pytest.raises(UsageError, match="threads"):
        Detector(threads=0)
    with pytest.raises(UsageError, match="unknown device"):
        Detector(device="quantum")
    with pytest.raises(UsageError, match=r"CoreMLExecutionProvider|not usable"):
        Detector(device="coreml")


def test_a_gpu_that_does_not_start_gives_way_to_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    # as ONNX Runtime for GPUs answers on a machine without one
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    detector = Detector(threads=1)
    assert detector.runtime.name.endswith(", cpu; cuda could not start")
    assert len(detector.detect(np.zeros((64, 64, 3), np.uint8))) == 0
    with pytest.raises(UsageError, match="device cuda is not usable here"):
        Detector(device="cuda")


def test_openvino_in_bfloat16_needs_a_processor_that_has_it(detector: Detector, scene: Scene) -> None:
    needs_openvino()
    Detector(device="openvino", threads=1)  # imports OpenVINO so that it does not report
    import openvino

    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        faces = Detector(device="openvino-bf16", threads=1).detect(scene.image)
        assert found(faces, scene) >= found(detector.detect(scene.image), scene) - 1
    else:
        with pytest.raises(UsageError, match="bfloat16"):
            Detector(device="openvino-bf16")


def test_openvino_agrees_with_onnxruntime(detector: Detector, scene: Scene) -> None:
    needs_openvino()
    other = Detector(device="openvino", threads=1)
    options = Options(confidence=0.2)
    a, b = detector.detect(scene.image, options), other.detect(scene.image, options)
    assert np.allclose(a.scores, b.scores, atol=1e-4)
    assert np.allclose(a.boxes, b.boxes, atol=0.1)


def test_real_pictures(detector: Detector, shared_data: Path) -> None:
    from lafd.evaluation.average_precision import Judged, average_precision, match
    from lafd.training.samples import read_samples

    samples = read_samples(shared_data / "val.json")[::6]
    judged = []
    for sample in samples:
        faces = detector.detect(sample.path, Options(confidence=0.05))
        judged.append(Judged(faces.boxes, faces.scores, sample.boxes, sample.ignore))
    assert average_precision(match(judged, 0.5)) > 0.75
