"""`lafd quantize`: the model of eight bits finds the same faces, and bad input is named."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from lafd import Detector, ModelError  # noqa: E402
from lafd.boxes import iou  # noqa: E402
from lafd.cli import main  # noqa: E402
from lafd.drawing import draw_scene  # noqa: E402
from lafd.images import save_image  # noqa: E402


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(12):
        save_image(folder / f"{seed}.png", draw_scene(480, 360, seed, faces=1 + seed % 3).image)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="module")
def small(pictures: Path) -> Path:
    out = pictures / "small.onnx"
    said = pictures / "said.json"
    said.write_text(json.dumps({"description": "Ours.", "metrics": {"AP50": 0.5}}))
    assert main(["quantize", "base", str(pictures), "-o", str(out), "--card", str(said)]) == 0
    return out


def test_it_finds_the_same_faces(small: Path) -> None:
    whole, eight = Detector(), Detector(str(small))
    for seed in range(20, 40):
        scene = draw_scene(640, 480, seed, faces=2)
        expected = whole.detect(scene.image)
        found = eight.detect(scene.image)
        sure = expected.boxes[expected.scores > 0.6]
        assert (iou(sure, found.boxes).max(1, initial=0) > 0.8).all()


def test_it_is_smaller_and_its_card_says_what_it_is(small: Path) -> None:
    card = Detector(str(small)).card
    assert (card.name, card.description, card.metrics) == ("small", "Ours.", {"AP50": 0.5})
    assert card.parameters == Detector().card.parameters and card.size == Detector().card.size
    from lafd.models import find_model

    assert small.stat().st_size < find_model("base").stat().st_size / 2.5
    weights = {i.data_type for i in onnx.load(small).graph.initializer if len(i.dims) == 4}
    assert onnx.TensorProto.INT8 in weights


def test_the_last_convolutions_stay_exact(small: Path) -> None:
    """Boxes are made of them: steps of a 256th of their range would be pixels."""
    graph = onnx.load(small).graph
    floats = {i.name for i in graph.initializer if i.data_type == onnx.TensorProto.FLOAT and i.dims}
    last = [n for n in graph.node if n.op_type == "Conv" and n.input[1] in floats]
    assert len(last) == 4


def test_bad_input_is_named(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.onnx"
    empty = tmp_path / "none.png"
    empty.write_bytes(b"nothing")
    picture = tmp_path / "a.png"
    save_image(picture, np.zeros((40, 40, 3), np.uint8))
    for arguments, status, words in (
        (["base", str(empty), "-o", str(out)], 1, "none of the pictures"),
        (["base", str(picture), "-o", str(tmp_path / "out.bin")], 2, "must end in .onnx"),
        (["tiny", str(picture), "-o", str(out)], 2, "unknown model"),
        (["base", str(tmp_path / "gone.png"), "-o", str(out)], 2, "gone.png"),
    ):
        assert main(["quantize", *arguments]) == status
        assert words in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "none.png"]


def test_a_damaged_copy_is_refused(small: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(small.read_bytes()[:-1] + b"\0")
    copy.with_suffix(".json").write_text(small.with_suffix(".json").read_text())
    with pytest.raises(ModelError, match="SHA-256"):
        Detector(str(copy))


def test_weights_stored_in_8_bits_make_a_small_file_find_the_same_and_can_be_quantized(
    pictures: Path, tmp_path: Path
) -> None:
    from lafd.compact import compact
    from lafd.models import find_model, load_card, save_card

    graph = onnx.load(find_model("base"))
    compact(graph.graph)
    onnx.checker.check_model(graph)
    stored = tmp_path / "stored.onnx"
    onnx.save(graph, stored)
    digest = hashlib.sha256(stored.read_bytes()).hexdigest()
    save_card(dataclasses.replace(load_card(find_model("base")), sha256=digest), stored)
    assert stored.stat().st_size < 0.35 * find_model("base").stat().st_size
    scene = draw_scene(640, 480, 3, faces=3)
    whole, found = Detector().detect(scene.image), Detector(str(stored)).detect(scene.image)
    assert np.allclose(whole.boxes, found.boxes, atol=0.5)
    assert np.allclose(whole.scores, found.scores, atol=0.005)

    assert main(["quantize", str(stored), str(pictures), "-o", str(tmp_path / "small.onnx")]) == 0
    weights = {i.data_type for i in onnx.load(tmp_path / "small.onnx").graph.initializer if len(i.dims) == 4}
    assert weights <= {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT} and onnx.TensorProto.INT8 in weights
