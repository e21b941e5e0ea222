"""Readers of files that others write, given whatever a generator comes upon: an answer or a `LafdError`, no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damaged_annotations import HOSTILE, places, replaced
from damaged_annotations import intact as intact_annotations
from lafd import models
from lafd.annotations import FORMATS, read_annotations
from lafd.errors import LafdError, ModelError
from lafd.mxnet.convert import Original
from mxnet_files import write as write_mxnet

fuzz = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NUMBERS = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 10**400, -1])
LEAVES = st.none() | st.booleans() | NUMBERS | st.text(max_size=20) | st.sampled_from(HOSTILE)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@st.composite
def changed(draw: st.DrawFn, content: Any) -> Any:
    """A value of JSON, wrong in up to three places."""
    for _ in range(draw(st.integers(1, 3))):
        content = replaced(content, draw(st.sampled_from(list(places(content)))), draw(VALUES))
    return content


@fuzz
@given(data=st.data(), kind=st.sampled_from(["coco", "labelme", "label-studio"]))
def test_annotations_in_json(data: st.DataObject, kind: str, tmp_path: Path) -> None:
    content = json.loads(intact_annotations()[kind]["a.json"])
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data.draw(changed(content))))
    try:
        found = read_annotations(path, data.draw(st.sampled_from([None, kind])))
    except LafdError as error:
        assert str(error).startswith(str(path))
        return
    for image in found.images:
        assert image.boxes.shape == (len(image.annotations), 4)
        assert image.width > 0 and image.height > 0


@fuzz
@given(
    text=st.text(), kind=st.sampled_from(list(FORMATS)), ending=st.sampled_from([".json", ".xml", ".yaml"])
)
def test_annotations_of_any_text(text: str, kind: str, ending: str, tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    pytest.importorskip("yaml")
    path = tmp_path / f"a{ending}"
    path.write_bytes(text.encode(errors="surrogatepass"))
    for name in (None, kind):
        with pytest.raises(LafdError):
            read_annotations(path, name)


@fuzz
@given(data=st.data())
def test_model_cards(data: st.DataObject, tmp_path: Path) -> None:
    card = json.loads(models.find_model(models.DEFAULT_MODEL).with_suffix(".json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(data.draw(changed(card))))
    try:
        read = models.read_card(tmp_path / "a.onnx")
    except ModelError as error:
        assert "a.json" in str(error)
        return
    assert 32 <= read.size <= 65536 and 0 <= read.confidence <= 1 and 0 <= read.iou <= 1


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"a":' * 50_000, "\ufeff{}"])
def test_model_cards_that_are_traps(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ModelError, match="card"):
        models.read_card(tmp_path / "a.onnx")


@fuzz
@given(data=st.data(), part=st.sampled_from([1, 2]))
def test_mxnet_symbols_and_decodings(data: st.DataObject, part: int, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    paths = write_mxnet(tmp_path, branches=1)
    paths[part].write_text(json.dumps(data.draw(changed(json.loads(paths[part].read_text())))))
    try:
        network, branches = Original(*paths).read()
    except LafdError:
        return
    assert network.operations and branches
