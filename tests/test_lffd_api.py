from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mxnet_files
import workshop
from lafd import UsageError, models
from lafd.lffd_api import LFFDDetector

pytest.importorskip("onnx")

KEYS = {"xmin", "ymin", "xmax", "ymax", "confidence"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The original's repository: configs/anime.json, with paths relative to the repository."""
    folder = tmp_path_factory.mktemp("original")
    workshop.original(folder)
    return folder


@pytest.fixture(scope="module")
def detector(root: Path) -> LFFDDetector:
    return LFFDDetector(root / "configs" / "anime.json")


@pytest.fixture(scope="module")
def strict(root: Path) -> LFFDDetector:
    return LFFDDetector(root / "configs" / "anime.json", strict=True)


@pytest.fixture(scope="module")
def image() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(2).integers(0, 256, (150, 210, 3), np.uint8)


def sides(boxes: list[dict[str, Any]]) -> np.ndarray:
    return np.array([[box["xmin"], box["ymin"], box["xmax"], box["ymax"]] for box in boxes]).reshape(-1, 4)


def test_faces_are_plain_dicts_inside_the_image(detector: LFFDDetector, image: np.ndarray) -> None:
    boxes = detector.detect(image)
    assert boxes and all(box.keys() == KEYS for box in boxes)
    assert json.loads(json.dumps(boxes)) == boxes
    assert all(type(box["xmin"]) is int and type(box["confidence"]) is float for box in boxes)
    found = sides(boxes)
    assert found.min() >= 0 and (found[:, [0, 2]] <= 210).all() and (found[:, [1, 3]] <= 150).all()
    scores = [box["confidence"] for box in boxes]
    assert scores == sorted(scores, reverse=True) and min(scores) >= 0.5


def test_zero_means_zero(detector: LFFDDetector, image: np.ndarray) -> None:
    assert len(detector.detect(image, confidence_threshold=0)) > len(detector.detect(image))
    alone = sides(detector.detect(image, nms_threshold=0))
    for i, box in enumerate(alone):
        others = np.delete(alone, i, 0)
        wide = np.minimum(others[:, 2], box[2]) - np.maximum(others[:, 0], box[0])
        high = np.minimum(others[:, 3], box[3]) - np.maximum(others[:, 1], box[1])
        assert not ((wide > 1) & (high > 1)).any()  # rounding to whole pixels may close a gap by one


def test_an_image_is_not_enlarged_to_the_size(detector: LFFDDetector, image: np.ndarray) -> None:
    assert detector.detect(image, size=2000) == detector.detect(image, resize_scale=1)
    assert detector.detect(image, size=105) == detector.detect(image, resize_scale=0.5)
    assert detector.detect(image, size=105) != detector.detect(image)


def test_a_low_image_keeps_the_size(detector: LFFDDetector, strict: LFFDDetector) -> None:
    """The original enlarged this image to 25600x128 pixels."""
    assert isinstance(detector.detect(np.zeros((10, 2000, 3), np.uint8)), list)
    with pytest.raises(UsageError, match="too large an input"):
        strict.detect(np.zeros((2, 200_000, 3), np.uint8))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"size": 0}, "size must be a positive number, not 0"),
        ({"size": -5}, "size must be"),
        ({"resize_scale": 0}, "resize_scale must be a positive number"),
        ({"resize_scale": float("nan")}, "resize_scale must be"),
        ({"confidence_threshold": 1.5}, "confidence_threshold must be between 0 and 1, not 1.5"),
        ({"nms_threshold": -0.1}, "nms_threshold must be between 0 and 1"),
    ],
)
def test_arguments_out_of_range_are_named(
    detector: LFFDDetector, image: np.ndarray, arguments: dict[str, float], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        detector.detect(image, **arguments)


def test_grey_images_are_read_and_what_is_no_image_is_named(
    detector: LFFDDetector, image: np.ndarray
) -> None:
    grey = image[..., 0]
    assert detector.detect(grey) == detector.detect(np.stack([grey] * 3, 2))
    for wrong in (None, image.astype(float) / 255, np.zeros((0, 5, 3), np.uint8)):
        with pytest.raises(UsageError):
            detector.detect(wrong)  # type: ignore[arg-type]


def test_strict_is_the_network_without_padding(strict: LFFDDetector, image: np.ndarray) -> None:
    symbol, parameters = mxnet_files.lffd(4)
    boxes, scores = mxnet_files.decode(
        mxnet_files.evaluate(symbol, parameters, image), mxnet_files.decoding(4)
    )
    best = scores.argmax()
    first = strict.detect(image)[0]
    corners = np.concatenate([np.maximum(boxes[best, :2], 0), np.minimum(boxes[best, 2:], [210, 150])])
    cut = corners - sides([first])[0]
    assert (cut > -1e-3).all() and (cut < 1.001).all()
    assert first["confidence"] == pytest.approx(scores[best], abs=1e-5)
    assert json.dumps(first)


def test_strict_takes_zero_for_unset(strict: LFFDDetector, image: np.ndarray) -> None:
    usual = strict.detect(image)
    assert usual and strict.detect(image, size=0, confidence_threshold=0, nms_threshold=0) == usual
    assert strict.detect(image, confidence_threshold=2) == []
    assert (
        strict.detect(image, resize_scale=-1)
        == strict.detect(image, size=1)
        == strict.detect(image, resize_scale=0.1)
    )


def test_strict_takes_arrays_only(strict: LFFDDetector, image: np.ndarray) -> None:
    for wrong in (None, image[..., 0], image.astype(np.float32), "a.png"):
        with pytest.raises(UsageError, match="strict takes a uint8 array"):
            strict.detect(wrong)  # type: ignore[arg-type]


def test_a_dict_is_relative_to_the_working_directory(
    root: Path, detector: LFFDDetector, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((root / "configs" / "anime.json").read_text())
    with pytest.raises(UsageError, match=r"models.anime.symbol\.json: there is no such file"):
        LFFDDetector(config)
    monkeypatch.chdir(root)
    assert LFFDDetector(config, use_gpu=False).detect(image) == detector.detect(image)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": None}, "size must be a number, not None"),
        ({"size": True}, "size must be a number"),
        ({"model_path": 3}, "model_path must be a path"),
    ],
)
def test_a_configuration_is_checked(root: Path, change: dict[str, Any], reason: str) -> None:
    config = json.loads((root / "configs" / "anime.json").read_text())
    with pytest.raises(UsageError, match=reason):
        LFFDDetector(config | change)
    with pytest.raises(UsageError, match="lacks lffd_config_path, nms_threshold"):
        LFFDDetector(
            {key: config[key] for key in ("model_path", "symbol_path", "size", "confidence_threshold")}
        )


@pytest.mark.skipif(not models.shipped_models(), reason="no model is shipped in this tree")
def test_a_shipped_model_can_take_the_place_of_the_original() -> None:
    config = {
        "model_path": models.DEFAULT_MODEL,
        "size": 384,
        "confidence_threshold": 0.4,
        "nms_threshold": 0.5,
    }
    assert isinstance(LFFDDetector(config).detect(np.zeros((100, 100, 3), np.uint8)), list)
    with pytest.raises(UsageError, match="strict needs the original's files"):
        LFFDDetector(config, strict=True)


def test_drawing_marks_a_copy_and_keeps_the_labels_inside() -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    box = {"xmin": 60, "ymin": 40, "xmax": 100, "ymax": 90, "confidence": 0.98765}
    drawn = LFFDDetector.draw(image, [box], (0, 0, 255), font_scale=0.4, thickness=2)
    assert (image == 200).all() and drawn.shape == image.shape
    assert (drawn[40, 65] == (0, 0, 255)).all()
    label = (drawn[50:, 20:60] == (0, 0, 255)).all(2)
    assert label.any()  # the label of a box that leaves the picture is moved to the left
    assert LFFDDetector.draw(image, []) is not image
    with pytest.raises(UsageError, match="image must be a uint8 array"):
        LFFDDetector.draw(None, [box])  # type: ignore[arg-type]
