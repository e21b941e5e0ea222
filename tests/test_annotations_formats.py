"""What one annotation format says reaches the other, in both directions, for all pairs of formats."""

from __future__ import annotations

import dataclasses
import itertools
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lafd.annotations import (
    FACE,
    FORMATS,
    AnnotatedImage,
    Annotation,
    Dataset,
    guess_format,
    read_annotations,
    write_annotations,
)
from lafd.detections import Detections
from lafd.errors import LafdError

pytest.importorskip("defusedxml")
pytest.importorskip("yaml")

FOLDERS = ("yolo", "voc", "labelme")
ENDINGS = {"coco": ".json", "label-studio": ".json", "cvat": ".xml"}
ATTRIBUTE_NAMES = (
    "origin",
    "source",
    "z_order",
    "group_id",
    "occluded",
    "truncated",
    "pose",
    "description",
    "x y",
    "名前",
)

text = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=8)
words = text.map(str.strip).filter(bool)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=3,
)
attributes = st.dictionaries(st.sampled_from(ATTRIBUTE_NAMES), values, max_size=3)


@st.composite
def annotated_boxes(draw: st.DrawFn, width: int, height: int) -> Annotation:
    def side(limit: int) -> tuple[float, float]:
        low = draw(st.floats(0, limit - 1, width=32))
        return low, draw(st.floats(float(np.float32(low + 0.5)), limit, width=32))

    (x1, x2), (y1, y2) = side(width), side(height)
    score = draw(st.none() | st.floats(0, 1, width=32))
    tilt = draw(st.just(0.0) | st.floats(-180, 179, width=32))
    category = draw(st.sampled_from((FACE, "cat face", "名前")) | words)
    return Annotation((x1, y1, x2, y2), category, draw(st.booleans()), score, tilt, draw(attributes))


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    names = draw(
        st.lists(
            st.sampled_from(("a", "b", "sub/a", "sub/ö 1", "x+y&z", "100%")),
            unique=True,
            min_size=1,
            max_size=3,
        )
    )
    split = draw(st.booleans())
    images = []
    for name in names:
        width, height = draw(st.integers(2, 5000)), draw(st.integers(2, 5000))
        extra = draw(st.dictionaries(st.sampled_from(("style", "reviewed", "tags")), values, max_size=2))
        if split:
            extra["split"] = draw(st.sampled_from(("train", "val", "test", "extra")))
        boxes = draw(st.lists(annotated_boxes(width, height), max_size=3))
        images.append(AnnotatedImage(f"{name}.png", width, height, tuple(boxes), extra))
    return Dataset(tuple(images), tuple(draw(st.lists(words, unique=True, max_size=2))))


def png_header(width: int, height: int) -> bytes:
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def through(dataset: Dataset, folder: Path, name: str) -> Dataset:
    """The data set after writing and reading."""
    path = folder / f"{name}{ENDINGS.get(name, '')}"
    write_annotations(dataclasses.replace(dataset, root=folder / "elsewhere"), path, name)
    if name == "yolo":
        for image in dataset.images:
            picture = path / "images" / image.name
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(png_header(image.width, image.height))
    assert guess_format(path) == name
    result = read_annotations(path, name)
    assert result.problems == ()
    return result


def carried(dataset: Dataset, name: str) -> Dataset:
    """What a format can say of a data set."""
    images = []
    for image in dataset.images:
        boxes = image.annotations
        extra = image.attributes
        if name == "yolo":
            boxes = tuple(Annotation(a.box, a.category) for a in boxes if not a.ignore)
        if name in ("yolo", "voc", "cvat"):
            extra = {key: value for key, value in extra.items() if key == "split"}
        images.append(dataclasses.replace(image, annotations=boxes, attributes=extra))
    declared = dataset.categories if name in ("coco", "yolo", "cvat") else ()
    return Dataset(tuple(images), declared)


def assert_same(found: Dataset, expected: Dataset, exact: bool) -> None:
    assert set(found.categories) - {FACE} == set(expected.categories) - {FACE}
    assert [i.name for i in by_name(found)] == [i.name for i in by_name(expected)]
    for one, other in zip(by_name(found), by_name(expected), strict=True):
        assert (one.width, one.height, one.attributes) == (other.width, other.height, other.attributes)
        tolerance = 0 if exact else 1e-6 * max(one.width, one.height)
        np.testing.assert_allclose(one.boxes, other.boxes, rtol=0, atol=tolerance)
        assert [rest(a) for a in one.annotations] == [rest(a) for a in other.annotations]


def by_name(dataset: Dataset) -> list[AnnotatedImage]:
    return sorted(dataset.images, key=lambda image: image.name)


def rest(annotation: Annotation) -> tuple[Any, ...]:
    a = annotation
    return a.category, a.ignore, a.score, a.tilt, a.attributes


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FORMATS, FORMATS)))
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(dataset=datasets())
def test_what_both_formats_can_say_survives(first: str, second: str, dataset: Dataset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "1").mkdir()
        (Path(folder) / "2").mkdir()
        once = through(dataset, Path(folder) / "1", first)
        twice = through(once, Path(folder) / "2", second)
    exact = {first, second} <= {"coco", "labelme", "cvat"}
    assert_same(twice, carried(carried(dataset, first), second), exact)


def test_losses_are_told() -> None:
    annotation = Annotation((1, 1, 9, 9), score=0.5, tilt=10, attributes={"origin": "x"})
    image = AnnotatedImage(
        "a.png", 10, 10, (annotation, Annotation((0, 0, 4, 4), ignore=True)), {"style": "manga"}
    )
    dataset = Dataset((image,), ("face", "never used"))
    with tempfile.TemporaryDirectory() as folder:
        told = {
            name: " ".join(write_annotations(dataset, Path(folder) / name / "x", name)) for name in FORMATS
        }
    for loss in (
        "scores: 1",
        "tilts of boxes: 1",
        "attributes of boxes: 1",
        "ignore regions: 1",
        "'style' of pictures: 1",
    ):
        assert loss in told["yolo"]
    assert told["coco"] == ""
    assert told["cvat"] == "cvat cannot carry the attribute 'style' of pictures: 1 left out."
    assert "categories that no box has: 1" in told["labelme"]
    assert "categories that no box has: 1" in told["label-studio"]
    assert "'style' of pictures: 1" in told["voc"]


def test_boxes_over_the_edge_stay_but_in_yolo_where_they_are_cut(tmp_path: Path) -> None:
    boxes = (Annotation((-5, 2, 8, 30)), Annotation((30, 30, 40, 40)), Annotation((3, 3, 3, 9)))
    dataset = Dataset((AnnotatedImage("a.png", 20, 20, boxes),))
    for name in FORMATS:
        if name != "yolo":
            found = through(dataset, tmp_path, name)
            np.testing.assert_allclose(found.images[0].boxes, dataset.images[0].boxes, atol=1e-5)
    told = write_annotations(dataset, tmp_path / "yolo", "yolo")
    assert (tmp_path / "yolo/labels/a.txt").read_text().splitlines() == ["0 0.2 0.55 0.4 0.9"]
    assert "outside their picture or without area: 2" in " ".join(told)
    assert "parts of boxes outside their picture: 1" in " ".join(told)


def test_numbers_are_written_without_noise(tmp_path: Path) -> None:
    dataset = Dataset(
        (AnnotatedImage("a.png", 640, 480, (Annotation((10.1, 20.2, 30.3, 40.4), score=0.9),)),)
    )
    write_annotations(dataset, tmp_path / "a.json", "coco")
    assert '"bbox": [10.1, 20.2, 20.2, 20.2]' in (tmp_path / "a.json").read_text()
    assert '"score": 0.9}' in (tmp_path / "a.json").read_text()


def test_detections_become_annotations() -> None:
    faces = Detections(np.array([[1, 2, 3, 4]], np.float32), np.array([0.75], np.float32), 40, 30)
    image = AnnotatedImage.of_detections("a.png", faces)
    assert (image.width, image.height) == (40, 30)
    assert image.annotations == (Annotation((1, 2, 3, 4), FACE, score=0.75),)
    assert image.scores.tolist() == [0.75]
    assert image.ignore.tolist() == [False]


def test_arrays_of_a_picture_without_boxes_have_their_shapes() -> None:
    image = AnnotatedImage("a.png", 40, 30)
    assert image.boxes.shape == (0, 4)
    assert image.boxes.dtype == np.float32
    assert image.scores.shape == (0,)


@pytest.mark.parametrize(
    ("given_tilt", "kept"), [(190.0, -170.0), (-180.0, -180.0), (180.0, -180.0), (45.5, 45.5)]
)
def test_tilts_are_kept_in_one_turn(given_tilt: float, kept: float) -> None:
    assert Annotation((0, 0, 1, 1), tilt=given_tilt).tilt == kept


def test_names_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    images = tuple(
        AnnotatedImage(name, 10, 10) for name in ("../../a.png", "/etc/b.png", "..\\c.png", "C:\\d:e.png")
    )
    for name in FOLDERS:
        out = tmp_path / "in" / name
        write_annotations(Dataset(images), out, name)
        written = [p for p in tmp_path.rglob("*") if p.is_file() and p.stem in ("a", "b", "c", "d_e")]
        assert len(written) == 4
        assert all(p.is_relative_to(out) for p in written)
        for p in written:
            p.unlink()


@pytest.mark.parametrize("name", FOLDERS)
def test_two_pictures_with_one_annotation_file_are_refused(name: str, tmp_path: Path) -> None:
    images = (AnnotatedImage("a.png", 10, 10), AnnotatedImage("A.jpg", 10, 10))
    with pytest.raises(LafdError, match=r"a\.png and A\.jpg would share one annotation file"):
        write_annotations(Dataset(images), tmp_path / "out", name)
    assert not (tmp_path / "out").exists()
