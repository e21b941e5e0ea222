from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lafd import Detector, ModelError, UsageError, models


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A user's own copy of the default model."""
    source = models.find_model(models.DEFAULT_MODEL)
    shutil.copy(source, tmp_path / "own.onnx")
    shutil.copy(source.with_suffix(".json"), tmp_path / "own.json")
    return tmp_path / "own.onnx"


def test_every_shipped_model_has_a_valid_card() -> None:
    names = models.shipped_models()
    assert names[0] == models.DEFAULT_MODEL
    for name in names:
        card = models.load_card(models.find_model(name))
        assert card.name == name
        assert card.input["colour"] == "BGR" and card.input["dtype"] == "uint8"
        assert card.strides and card.box_rule and card.metrics and card.training


def test_a_users_own_model_loads_by_path(copy: Path) -> None:
    assert Detector(str(copy)).card.sha256


def test_damaged_weights_are_refused(copy: Path) -> None:
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256"):
        Detector(str(copy))


def test_an_unknown_model_lists_those_that_exist() -> None:
    with pytest.raises(UsageError, match="base"):
        Detector("nothing")


def test_a_missing_card_is_named(copy: Path) -> None:
    copy.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"own\.json"):
        Detector(str(copy))


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"size": "big"}, "size"),
        ({"size": 5}, "out of range"),
        ({"confidence": 7}, "out of range"),
        ({"surprise": 1}, "surprise"),
        ({"sha256": None}, "sha256"),
    ],
)
def test_a_wrong_card_says_which_field(copy: Path, change: dict[str, object], hint: str) -> None:
    card = json.loads(copy.with_suffix(".json").read_text())
    copy.with_suffix(".json").write_text(json.dumps(card | change))
    with pytest.raises(ModelError, match=hint):
        Detector(str(copy))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_a_card_that_is_no_card_is_refused(copy: Path, text: str) -> None:
    copy.with_suffix(".json").write_text(text)
    with pytest.raises(ModelError, match="card"):
        Detector(str(copy))


def test_weights_that_are_no_model_are_refused(copy: Path) -> None:
    import hashlib

    copy.write_bytes(b"not a model")
    card = json.loads(copy.with_suffix(".json").read_text())
    card["sha256"] = hashlib.sha256(b"not a model").hexdigest()
    copy.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="ONNX Runtime cannot load"):
        Detector(str(copy))
