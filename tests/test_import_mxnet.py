from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import mxnet_files
from conftest import needs_openvino
from lafd import Detector, Options, UsageError
from lafd.cli import main
from lafd.mxnet import export
from lafd.mxnet.network import read_network
from lafd.runtime.onnxruntime import OnnxRuntime

onnx = pytest.importorskip("onnx")


def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def imported(folder: Path, branches: int) -> Path:
    """A small network, through the command line."""
    parameters, symbol, decoding = mxnet_files.write(folder, branches)
    out = folder / "model.onnx"
    assert (
        main(["import-mxnet", str(parameters), str(symbol), "-o", str(out), "--decoding", str(decoding)]) == 0
    )
    return out


def expected(
    image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], branches: int
) -> tuple[np.ndarray, np.ndarray]:
    symbol, parameters = mxnet_files.lffd(branches)
    return mxnet_files.decode(mxnet_files.evaluate(symbol, parameters, image), mxnet_files.decoding(branches))


def test_the_maps_are_those_of_the_definition(tmp_path: Path) -> None:
    parameters, symbol, _ = mxnet_files.write(tmp_path, 3)
    onnx.save(export.maps_model(read_network(parameters, symbol)), tmp_path / "maps.onnx")
    session = OnnxRuntime(tmp_path / "maps.onnx", "cpu", 1).session
    image = noise(61, 83, 3)
    maps = session.run(None, {"data": image.transpose(2, 0, 1)[None].astype(np.float32)})
    for found, wanted in zip(maps, mxnet_files.evaluate(*mxnet_files.lffd(3), image), strict=True):
        np.testing.assert_allclose(found[0], wanted, atol=1e-5)


def test_the_model_decodes_every_cell(tmp_path: Path) -> None:
    detector = Detector(str(imported(tmp_path, 2)), device="cpu", threads=1)
    images = noise(2, 64, 96, 3)
    boxes, scores = detector.runtime.run(images)
    for i in range(2):
        wanted_boxes, wanted_scores = expected(images[i], 2)
        np.testing.assert_allclose(boxes[i], wanted_boxes, atol=1e-3)
        np.testing.assert_allclose(scores[i], wanted_scores, atol=1e-5)


def test_images_below_the_least_size_are_padded_with_black(tmp_path: Path) -> None:
    detector = Detector(str(imported(tmp_path, 4)), device="cpu", threads=1)
    image = noise(32, 96, 3)
    padded = np.zeros((63, 96, 3), np.uint8)
    padded[:32] = image
    wanted_boxes, wanted_scores = expected(padded, 4)
    boxes, scores = detector.runtime.run(image[None])
    np.testing.assert_allclose(boxes[0], wanted_boxes, atol=1e-3)
    np.testing.assert_allclose(scores[0], wanted_scores, atol=1e-5)


def test_the_detector_finds_what_the_definition_says(tmp_path: Path) -> None:
    detector = Detector(str(imported(tmp_path, 2)), device="cpu", threads=1)
    image = noise(64, 96, 3)
    boxes, scores = expected(image, 2)
    best = scores.argmax()
    found = detector.detect(image, Options(resize_scale=1, confidence=float(scores[best]) - 1e-4, iou=0))
    np.testing.assert_allclose(found.boxes[0], np.clip(boxes[best], 0, [96, 64, 96, 64]), atol=1e-3)
    assert found.scores[0] == pytest.approx(scores[best], abs=1e-5)


def test_openvino_computes_the_same(tmp_path: Path) -> None:
    needs_openvino()
    model = str(imported(tmp_path, 4))
    images = noise(2, 32, 64, 3)
    ours, theirs = (
        Detector(model, device=device, threads=1).runtime.run(images) for device in ("cpu", "openvino")
    )
    np.testing.assert_allclose(ours[0], theirs[0], atol=1e-2)
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-4)


def test_the_card_counts_what_is_there(tmp_path: Path) -> None:
    card = Detector(str(imported(tmp_path, 2)), device="cpu").card
    assert card.parameters == sum(value.size for value in mxnet_files.lffd(2)[1].values())
    sides = {"conv1": 319, **dict.fromkeys(("conv2", "conv3", "conv4"), 159)} | dict.fromkeys(
        ("conv5", "conv6", "conv7"), 79
    )
    sides |= {f"conv{tap}_{part}": side for tap, side in ((4, 159), (7, 79))
              for part in ("1", "2_score", "2_bbox", "3_score", "3_bbox")}  # fmt: skip
    weights = mxnet_files.lffd(2)[1]
    assert card.gmacs == pytest.approx(
        sum(weights[f"{n}_weight"].size * s**2 for n, s in sides.items()) / 1e9, abs=1e-3
    )
    assert (card.strides, card.size, card.confidence, card.iou) == ([4, 8], 384, 0.7, 0.3)


def test_failure_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters, symbol, _ = mxnet_files.write(tmp_path)
    arguments = ["import-mxnet", str(parameters), str(symbol), "-o"]
    before = sorted(tmp_path.iterdir())
    assert main([*arguments, str(tmp_path / "out.onnx")]) == 1
    assert "give its decoding" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "out.bin")]) == 2
    assert "must end in .onnx" in capsys.readouterr().err
    assert (
        main(["import-mxnet", str(tmp_path / "absent"), str(symbol), "-o", str(tmp_path / "out.onnx")]) == 2
    )
    assert "there is no such file" in capsys.readouterr().err
    parameters.write_bytes(parameters.read_bytes()[:-9])
    assert main([*arguments, str(tmp_path / "out.onnx")]) == 1
    assert "cut off" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_without_onnx_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters, symbol, _ = mxnet_files.write(tmp_path)
    network = read_network(parameters, symbol)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"pip install 'lafd\[mxnet\]'"):
        export.maps_model(network)


def test_pictures_can_be_searched_with_an_imported_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = imported(tmp_path, 2)
    assert cv2.imwrite(str(tmp_path / "a.png"), noise(40, 50, 3))
    capsys.readouterr()
    arguments = [
        "detect",
        str(tmp_path / "a.png"),
        "--model",
        str(model),
        "--format",
        "json",
        "--confidence",
        "0.1",
        "--device",
        "cpu",
    ]
    assert main(arguments) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["width"], result["height"]) == (50, 40)
