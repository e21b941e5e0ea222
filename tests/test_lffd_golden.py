"""Outputs of the original detectors, computed with MXNet from real weights; the files are not part of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lafd.images import load_image
from lafd.lffd_api import LFFDDetector
from lafd.mxnet import export, strict
from lafd.mxnet.decoding import find_branches
from lafd.mxnet.network import read_network
from lafd.mxnet.params import read_parameters
from lafd.runtime.onnxruntime import OnnxRuntime

GOLDEN = Path(os.environ.get("LAFD_SHARED", Path(__file__).parents[2] / "shared")) / "golden"
RECORDS = sorted(GOLDEN.glob("*/*.npz"))
LAYOUTS = {
    "anime_random_calibrated": "lffd",
    "head_10_160_17L_4scales_v1": "lffd-head",
    "lp_64_512_16L_3scales_v1": "lffd-plate",
    "lp_64_512_16L_3scales_v1_small": "lffd-plate-small",
}

pytestmark = pytest.mark.skipif(
    not RECORDS, reason="the original's outputs are not here (set LAFD_SHARED to the folder that has golden/)"
)
pytest.importorskip("onnx")

record = pytest.mark.parametrize("path", RECORDS, ids=[f"{path.parent.name}/{path.stem}" for path in RECORDS])


def load(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


def wanted_maps(values: dict[str, Any]) -> list[np.ndarray]:
    count = sum(name.startswith("score_") and name != "score_threshold" for name in values)
    return [values[f"{kind}_{i}"] for i in range(count) for kind in ("score", "bbox")]


@record
def test_maps_and_boxes_are_those_of_the_original(path: Path, tmp_path: Path) -> None:
    values = load(path)
    network = read_network(path.parent / "model.params", path.parent / "symbol.json")
    branches = find_branches(network, path.parent / "decoding.json")
    assert branches == find_branches(network)
    (tmp_path / "maps.onnx").write_bytes(export.maps_model(network).SerializeToString())
    image = values["image_bgr"]
    height, width = image.shape[:2]
    scale = strict.network_scale(height, width, float(values["resize_scale"]))
    data = strict.network_input(image, scale)
    np.testing.assert_array_equal(data, values["input_nchw_u8"])
    maps = OnnxRuntime(tmp_path / "maps.onnx", "cpu", 1).session.run(None, {"data": data})
    for found, wanted in zip(maps, wanted_maps(values), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    boxes = strict.candidates(maps, branches, (height, width), scale, float(values["score_threshold"]))
    np.testing.assert_allclose(boxes, values["boxes_pre_nms"], rtol=0, atol=1e-3)
    kept = strict.suppress(boxes, float(values["nms_threshold"]))
    np.testing.assert_allclose(kept, values["boxes_post_nms"], rtol=0, atol=1e-3)


@record
def test_the_model_for_our_detector_gives_the_same_boxes(path: Path, tmp_path: Path) -> None:
    values = load(path)
    network = read_network(path.parent / "model.params", path.parent / "symbol.json")
    (tmp_path / "model.onnx").write_bytes(
        export.detector_model(network, find_branches(network)).SerializeToString()
    )
    boxes, scores = OnnxRuntime(tmp_path / "model.onnx", "cpu", 1).run(
        values["input_nchw_u8"].transpose(0, 2, 3, 1).copy()
    )
    height, width = values["image_bgr"].shape[:2]
    likely = np.flatnonzero(scores[0] > values["score_threshold"])
    likely = likely[np.argsort(-scores[0, likely], kind="stable")]
    scale = strict.network_scale(height, width, float(values["resize_scale"]))
    found = np.clip(boxes[0, likely] / scale, 0, [width, height, width, height])
    wanted = values["boxes_pre_nms"]
    np.testing.assert_allclose(
        found, np.clip(wanted[:, :4], 0, [width, height, width, height]), rtol=0, atol=1e-3
    )
    np.testing.assert_allclose(scores[0, likely], wanted[:, 4], rtol=0, atol=1e-5)


def test_strict_results_are_equal() -> None:
    folder = GOLDEN / "detect_api"
    detector = LFFDDetector(folder / "config.json", strict=True)
    for wanted in json.loads((folder / "detect.json").read_text()):
        found = detector.detect(load_image(folder / wanted["image"]), **wanted["kwargs"])
        for mine, theirs in zip(found, wanted["boxes"], strict=True):
            assert mine.pop("confidence") == pytest.approx(theirs.pop("confidence"), abs=1e-5)
            assert mine == theirs


@record
def test_the_torch_network_gives_the_same_maps(path: Path) -> None:
    torch = pytest.importorskip("torch")
    from lafd.networks import lffd

    network = lffd.LffdNet(lffd.LAYOUTS[LAYOUTS[path.parent.name]]).eval()
    network.load_original(read_parameters(path.parent / "model.params"))
    values = load(path)
    with torch.inference_mode():
        maps = network.maps(torch.from_numpy(values["input_nchw_u8"]).float())
    found = [part.numpy() for score, box in maps for part in (score.softmax(1)[:, :1], box)]
    for mine, theirs in zip(found, wanted_maps(values), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)
