from __future__ import annotations

import json

import numpy as np
import pytest

from lafd import Detections, Face, draw


@pytest.fixture
def faces() -> Detections:
    boxes = np.array([[10, 10, 30, 40], [50.126, 5, 90, 35], [0, 0, 8, 8]], np.float32)
    return Detections(boxes, np.array([0.9, 0.8, 0.3], np.float32), 100, 50)


def test_iterates_over_faces_in_order(faces: Detections) -> None:
    assert [face.score for face in faces] == pytest.approx([0.9, 0.8, 0.3])
    assert faces[0] == Face((10, 10, 30, 40), float(faces.scores[0]))


def test_filters_like_an_array(faces: Detections) -> None:
    assert len(faces[faces.scores > 0.5]) == 2
    assert len(faces[faces.sizes >= 30]) == 2
    assert len(faces[1:]) == 2
    assert faces[faces.scores > 0.5].width == 100
    assert faces.largest_first()[0].score == pytest.approx(0.8)


def test_cannot_be_changed(faces: Detections) -> None:
    with pytest.raises(ValueError, match="read-only"):
        faces.boxes[0, 0] = 5
    with pytest.raises(AttributeError):
        faces.width = 3  # type: ignore[misc]


def test_to_dict_is_json(faces: Detections) -> None:
    data = json.loads(json.dumps(faces.to_dict()))
    assert data["width"] == 100 and data["height"] == 50
    assert data["faces"][1] == {"box": [50.13, 5.0, 90.0, 35.0], "score": 0.8}


def test_empty_detections_work() -> None:
    none = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), 10, 10)
    assert list(none) == [] and len(none.sizes) == 0 and none.to_dict()["faces"] == []
    assert len(none.largest_first()) == 0


def test_to_supervision(faces: Detections) -> None:
    pytest.importorskip("supervision")
    converted = faces.to_supervision()
    assert np.array_equal(converted.xyxy, faces.boxes)
    assert converted.confidence is not None and np.array_equal(converted.confidence, faces.scores)


def test_draw_returns_a_new_picture_with_every_box(faces: Detections) -> None:
    image = np.full((50, 100, 3), 200, np.uint8)
    drawn = draw(image, faces)
    assert (image == 200).all()
    assert drawn.shape == image.shape
    for x1, y1, x2, y2 in faces.boxes.round().astype(int):
        assert (drawn[y2 - 1, x1:x2] != 200).any() and (drawn[y1:y2, x2 - 1] != 200).any()


def test_draw_keeps_labels_inside_small_pictures() -> None:
    image = np.zeros((12, 12, 3), np.uint8)
    whole = Detections(np.array([[0, 0, 12, 12]], np.float32), np.array([1], np.float32), 12, 12)
    assert draw(image, whole).shape == (12, 12, 3)
