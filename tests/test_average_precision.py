"""Average precision: the same figures as pycocotools, on any detections and labels."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from lafd.evaluation.average_precision import IOU_THRESHOLDS, Judged, average_precision, match
from lafd.evaluation.operating_points import recall_at


def boxes(rows: list[tuple[int, int, int, int]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Boxes xyxy from (x, y, width, height)."""
    array = np.array(rows, np.float32).reshape(-1, 4)
    array[:, 2:] += array[:, :2]
    return array


def pycocotools_precision(pictures: list[Judged]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Precision (10 IoU thresholds, 101 recalls) with no limit on detections."""
    images = [{"id": i, "width": 100, "height": 100} for i in range(1, len(pictures) + 1)]
    labels: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for i, picture in enumerate(pictures, 1):
        for box, ignore in zip(picture.labels.tolist(), picture.ignore.tolist(), strict=True):
            x, y, w, h = box[0], box[1], box[2] - box[0], box[3] - box[1]
            one = {"id": len(labels) + 1, "image_id": i, "category_id": 1, "bbox": [x, y, w, h]}
            labels.append({**one, "area": w * h, "iscrowd": int(ignore)})
        for box, score in zip(picture.boxes.tolist(), picture.scores.tolist(), strict=True):
            x, y, w, h = box[0], box[1], box[2] - box[0], box[3] - box[1]
            found.append({"image_id": i, "category_id": 1, "bbox": [x, y, w, h], "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": images, "annotations": labels, "categories": [{"id": 1}], "info": {}}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.params.maxDets = [10_000]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return np.asarray(evaluation.eval["precision"][:, :, 0, 0, 0])


box = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 10), st.integers(1, 10))
label = st.tuples(box, st.sampled_from([False, False, True]))
detection = st.tuples(box, st.integers(1, 8))


@st.composite
def judged(draw: st.DrawFn) -> Judged:
    labels, found = draw(st.lists(label, max_size=6)), draw(st.lists(detection, max_size=10))
    return Judged(
        boxes([b for b, _ in found]),
        np.array([score / 8 for _, score in found], np.float32),
        boxes([b for b, _ in labels]),
        np.array([ignore for _, ignore in labels], bool),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(judged(), min_size=1, max_size=6))
def test_average_precision_is_that_of_pycocotools(pictures: list[Judged]) -> None:
    if not sum(len(p.boxes) for p in pictures) or all(p.ignore.all() for p in pictures):
        return  # pycocotools has no figure then
    precision = pycocotools_precision(pictures)
    for k, threshold in enumerate(IOU_THRESHOLDS):
        ours = average_precision(match(pictures, float(threshold)))
        assert ours == pytest.approx(precision[k].mean(), abs=1e-9)


def test_a_realistic_set_agrees_with_pycocotools() -> None:
    rng = np.random.default_rng(5)
    pictures = []
    for _ in range(80):
        truth = boxes([tuple(row) for row in rng.integers(5, 60, (int(rng.integers(0, 5)), 4))])
        noise = rng.normal(0, 3, (len(truth), 4)).round()
        strays = boxes([tuple(row) for row in rng.integers(5, 60, (int(rng.integers(0, 130)), 4))])
        near = np.vstack([truth + noise.astype(np.float32), strays])
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        scores = np.concatenate([rng.uniform(0.3, 1, len(truth)), rng.uniform(0, 0.6, len(strays))])
        pictures.append(Judged(near, scores.astype(np.float32), truth, rng.random(len(truth)) < 0.2))
    precision = pycocotools_precision(pictures)
    ours = [average_precision(match(pictures, float(t))) for t in IOU_THRESHOLDS]
    np.testing.assert_allclose(ours, precision.mean(1), atol=1e-9)
    assert 0.1 < ours[0] < 0.99


@given(st.lists(judged(), min_size=1, max_size=5), st.lists(st.integers(0, 3), min_size=5, max_size=5))
@settings(max_examples=100, deadline=None)
def test_a_weight_counts_a_picture_so_often(pictures: list[Judged], times: list[int]) -> None:
    repeated = [p for p, n in zip(pictures, times, strict=False) for _ in range(n)]
    weights = np.array(times[: len(pictures)], float)
    matches, expected = match(pictures, 0.5), match(repeated, 0.5)
    for limit in (0.1, 1.0):
        ours = recall_at(matches, limit, weights)
        assert ours == pytest.approx(recall_at(expected, limit), nan_ok=True)
    # scores that differ everywhere, as the order within equal ones is not defined
    scores = np.linspace(1, 0, len(matches.scores), dtype=np.float32)
    distinct = type(matches)(**{**vars(matches), "scores": scores})
    faces = weights[distinct.face_picture].sum()
    counts = weights[distinct.picture]
    true = np.cumsum(counts * distinct.correct)
    best = [
        max(
            (t / n for t, n in zip(true, np.cumsum(counts), strict=True) if n and faces and t / faces >= r),
            default=0,
        )
        for r in np.linspace(0, 1, 101)
    ]
    ours = average_precision(distinct, weights)
    assert ours == pytest.approx(np.mean(best) if faces else float("nan"), nan_ok=True)


def test_without_faces_there_is_no_figure_and_without_detections_it_is_zero() -> None:
    nothing = Judged(boxes([]), np.empty(0, np.float32), boxes([]), np.empty(0, bool))
    missed = Judged(boxes([]), np.empty(0, np.float32), boxes([(0, 0, 5, 5)]), np.zeros(1, bool))
    assert np.isnan(average_precision(match([nothing], 0.5)))
    assert average_precision(match([nothing, missed], 0.5)) == 0
    assert np.isnan(average_precision(match([], 0.5)))
