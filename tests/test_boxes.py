from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lafd import boxes as box_maths

Boxes = NDArray[np.float32]

# a slow machine is no failure
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@st.composite
def box_lists(draw: st.DrawFn, most: int = 40) -> tuple[Boxes, NDArray[np.float32]]:
    """Boxes on a coarse grid, so that equal boxes, touching edges and equal scores are common."""
    count = draw(st.integers(0, most))
    values = st.integers(0, 12)
    rows = draw(st.lists(st.tuples(values, values, values, values), min_size=count, max_size=count))
    boxes = np.array(rows, np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = draw(st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.9]), min_size=count, max_size=count))
    return boxes, np.array(scores, np.float32)


def naive_iou(a: Boxes, b: Boxes) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    overlap = max(0.0, width) * max(0.0, height)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap
    return overlap / union if union else 0.0


def naive_nms(boxes: Boxes, scores: NDArray[np.float32], threshold: float) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        if all(naive_iou(boxes[i], boxes[j]) <= threshold for j in kept):
            kept.append(i)
    return kept


@settings(max_examples=300)
@given(box_lists(), st.sampled_from([0.0, 0.25, 0.45, 0.7, 1.0]))
def test_nms_equals_the_definition(boxes: tuple[Boxes, NDArray[np.float32]], threshold: float) -> None:
    assert box_maths.nms(*boxes, threshold).tolist() == naive_nms(*boxes, threshold)


@settings(max_examples=300)
@given(box_lists(), st.sampled_from([0.05, 0.2, 0.4]), st.sampled_from([0.0, 0.25, 0.5, 0.8]))
def test_select_equals_the_definition(
    found: tuple[Boxes, NDArray[np.float32]], confidence: float, threshold: float
) -> None:
    boxes, scores = found
    kept = [i for i in naive_nms(boxes, scores, threshold) if scores[i] >= confidence]
    moved = np.empty((len(kept), 4), np.float32)
    for place, i in enumerate(kept):
        voters = [i]
        for j in set(range(len(boxes))) - set(kept):
            first = next((k for k in kept if naive_iou(boxes[j], boxes[k]) > threshold), None)
            if first == i and naive_iou(boxes[j], boxes[i]) > 0.7 and scores[j] >= scores[i] / 2:
                voters.append(j)
        moved[place] = np.average(boxes[voters], axis=0, weights=scores[voters].astype(float) ** 2)
    overlaps = [naive_iou(a, b) for a, b in itertools.combinations(moved, 2)]
    assume(all(overlap == 0 or abs(overlap - threshold) > 1e-5 for overlap in overlaps))
    apart = naive_nms(moved, scores[kept], threshold)
    selected = box_maths.select(boxes, scores, confidence, threshold)
    assert np.allclose(selected[0], moved[apart], atol=1e-4)
    assert np.array_equal(selected[1], scores[kept][apart])


@given(box_lists(), st.sampled_from([0.2, 0.4]), st.sampled_from([0.0, 0.25, 0.5, 0.8]))
def test_selected_boxes_are_apart_and_a_threshold_moves_none(
    found: tuple[Boxes, NDArray[np.float32]], confidence: float, threshold: float
) -> None:
    boxes, scores = box_maths.select(*found, 0.05, threshold)
    assert (np.diff(scores) <= 0).all()
    assert (np.triu(box_maths.iou(boxes, boxes), 1) <= threshold + 1e-6).all()
    sure = box_maths.select(*found, confidence, threshold)
    assert np.allclose(sure[0], boxes[scores >= confidence], atol=1e-4)


def test_selecting_brings_uncertain_boxes_nearer_to_the_face() -> None:
    random = np.random.default_rng(0)
    face = np.array([[100, 100, 160, 160]], np.float32)
    before, after = [], []
    for _ in range(100):
        boxes = face + random.normal(0, 2, (9, 4)).astype(np.float32)
        scores = random.uniform(0.5, 0.8, 9).astype(np.float32)
        before.append(box_maths.iou(face, boxes[[scores.argmax()]]).max())
        after.append(box_maths.iou(face, box_maths.select(boxes, scores, 0.3, 0.5)[0]).max())
    assert 1 - np.mean(after) < 0.6 * (1 - np.mean(before))


@given(box_lists(), box_lists())
def test_coverage_is_the_part_of_a_box_inside_another(
    a: tuple[Boxes, NDArray[np.float32]], b: tuple[Boxes, NDArray[np.float32]]
) -> None:
    table = box_maths.coverage(a[0], b[0])
    for i, one in enumerate(a[0]):
        for j, other in enumerate(b[0]):
            both = np.concatenate([np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])])
            both[2:] = np.maximum(both[2:], both[:2])
            whole = float(box_maths.area(one[None])[0])
            part = float(box_maths.area(both[None])[0])
            assert table[i, j] == pytest.approx(part / whole if whole else 0.0, abs=1e-6)


@given(box_lists(), box_lists())
def test_iou_equals_the_definition(
    a: tuple[Boxes, NDArray[np.float32]], b: tuple[Boxes, NDArray[np.float32]]
) -> None:
    table = box_maths.iou(a[0], b[0])
    assert table.shape == (len(a[0]), len(b[0]))
    for i, one in enumerate(a[0]):
        for j, other in enumerate(b[0]):
            assert table[i, j] == pytest.approx(naive_iou(one, other), abs=1e-6)


@given(box_lists())
def test_iou_is_symmetric_and_one_with_itself(boxes: tuple[Boxes, NDArray[np.float32]]) -> None:
    table = box_maths.iou(boxes[0], boxes[0])
    assert np.array_equal(table, table.T)
    assert np.allclose(np.diag(table)[box_maths.area(boxes[0]) > 0], 1)


def test_a_small_box_inside_a_large_better_one_stays() -> None:
    boxes = np.array([[0, 0, 100, 100], [40, 40, 60, 60]], np.float32)
    assert len(box_maths.nms(boxes, np.array([0.9, 0.8], np.float32), 0.5)) == 2


@given(box_lists())
def test_clipped_boxes_are_inside_and_clipping_again_changes_nothing(
    boxes: tuple[Boxes, NDArray[np.float32]],
) -> None:
    clipped = box_maths.clip(boxes[0], 10, 7)
    assert (clipped >= 0).all() and (clipped[:, [0, 2]] <= 10).all() and (clipped[:, [1, 3]] <= 7).all()
    assert np.array_equal(box_maths.clip(clipped, 10, 7), clipped)
