"""Operating points, intervals, slices, calibration, errors, box correction, turned pictures."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lafd.boxes import iou
from lafd.errors import LafdError
from lafd.evaluation import errors, slices
from lafd.evaluation import operating_points as at
from lafd.evaluation.average_precision import Judged, average_precision, match
from lafd.evaluation.box_correction import Correction, cross_fitted
from lafd.evaluation.calibration import expected_calibration_error, reliability
from lafd.evaluation.curves import size_point, spread
from lafd.evaluation.inference import turn, warp
from lafd.evaluation.intervals import estimate, resample
from lafd.training.geometry import map_boxes
from lafd.training.samples import Sample

FACE = (10.0, 10.0, 30.0, 30.0)
ELSEWHERE = (60.0, 60.0, 80.0, 80.0)


def picture(*found: tuple[tuple[float, ...], float], faces: Any = (), ignored: Any = ()) -> Judged:
    labels = np.array([*faces, *ignored], np.float32).reshape(-1, 4)
    ignore = np.array([False] * len(faces) + [True] * len(ignored), bool)
    boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    return Judged(boxes, np.array([score for _, score in found], np.float32), labels, ignore)


def sample(style: str = "", *tags: str, source: str = "") -> Sample:
    none = np.empty((0, 4), np.float32)
    return Sample(Path("x.png"), (100, 100), none, np.empty(0, bool), source, (style, *tags), style)


SET = [
    picture((FACE, 0.9), (ELSEWHERE, 0.8), faces=[FACE]),
    picture((FACE, 0.7), faces=[FACE, ELSEWHERE]),
    picture((ELSEWHERE, 0.6)),
    picture((ELSEWHERE, 0.95), ignored=[ELSEWHERE]),
]


def test_operating_points_of_a_small_set() -> None:
    matches = match(SET, 0.5)
    assert at.recall(matches, 0.5) == pytest.approx(2 / 3)
    assert at.precision(matches, 0.5) == pytest.approx(2 / 4)
    assert at.f1(matches, 0.5) == pytest.approx(2 * 2 / (4 + 3))
    assert at.recall(matches, 0.8) == pytest.approx(1 / 3)
    assert at.false_positives_per_picture(matches, 0.5) == pytest.approx(2 / 4)
    assert at.recall_at(matches, 0.0) == pytest.approx(1 / 3)
    assert at.recall_at(matches, 0.25) == pytest.approx(2 / 3)


def test_a_threshold_takes_all_detections_of_equal_score() -> None:
    matches = match([picture((FACE, 0.5), (ELSEWHERE, 0.5), faces=[FACE])], 0.5)
    assert at.recall_at(matches, 0.9) == 0
    assert at.recall_at(matches, 1.0) == 1


def test_intervals_hold_the_figure_narrow_with_more_pictures_and_repeat() -> None:
    rng = np.random.default_rng(1)

    def interval(count: int) -> tuple[float, float, float]:
        hits = rng.random(count) < 0.7
        pictures = [picture(*([(FACE, 0.9)] if hit else []), faces=[FACE]) for hit in hits]
        matches, draws = match(pictures, 0.5), resample(range(count), 300)
        found = estimate(lambda w: at.recall(matches, 0.5, w), draws)
        assert found == estimate(lambda w: at.recall(matches, 0.5, w), resample(range(count), 300))
        assert found.value == pytest.approx(hits.mean())
        assert found.low < found.value < found.high
        # of a share, the normal approximation is known
        assert found.high - found.low == pytest.approx(2 * 1.96 * (0.7 * 0.3 / count) ** 0.5, rel=0.35)
        return found.low, found.value, found.high

    few, many = interval(60), interval(600)
    assert many[2] - many[0] < 0.6 * (few[2] - few[0])


def test_pictures_of_one_source_are_drawn_together() -> None:
    draws = resample(["a", "b", "a", "c", "b"], 50)
    assert (draws[:, 0] == draws[:, 2]).all() and (draws[:, 1] == draws[:, 4]).all()
    assert (draws[:, [0, 1, 3]].sum(1) == 3).all()


def test_slices_by_tag_judge_only_their_pictures() -> None:
    matches, draws = match(SET, 0.5), resample(range(4), 20)
    tags = [["hat"], ["hat", "dark"], ["hat"], ["empty"]]
    found = {part.name: part for part in slices.by_picture(tags, matches, 0.5, draws)}
    assert set(found) == {"hat", "dark"}
    assert (found["hat"].pictures, found["hat"].faces) == (3, 3)
    assert found["hat"].ap50.value == pytest.approx(average_precision(match(SET[:3], 0.5)))
    assert found["dark"].ap50.value == pytest.approx(average_precision(match(SET[1:2], 0.5)))
    assert found["dark"].recall.value == pytest.approx(0.5)


def test_ranges_of_size_ignore_other_faces_and_other_false_positives() -> None:
    large = (0.0, 0.0, 50.0, 50.0)
    judged = [
        picture((FACE, 0.9), (ELSEWHERE, 0.8), faces=[FACE]),
        picture((large, 0.95), ((50.0, 50.0, 99.0, 99.0), 0.9), faces=[large]),
    ]
    matches = match(judged, 0.5)
    sides = slices.sides_of(matches, judged, lambda i: 100)
    found = slices.by_size(sides, (0.0, 0.3, float("inf")), matches, 0.85, resample(range(2), 5))
    assert [(part.name, part.pictures, part.faces) for part in found] == [
        ("0 to 0.3", 1, 1),
        ("0.3 and over", 1, 1),
    ]
    small, big = (
        matches.restricted(*masks)
        for masks in ((sides[0] < 0.3, sides[1] < 0.3), (sides[0] > 0.3, sides[1] > 0.3))
    )
    assert at.false_positives_per_picture(small, 0) == at.false_positives_per_picture(big, 0) == 0.5
    assert average_precision(small) == average_precision(big) == 1


def test_false_positives_on_faceless_pictures_are_told_by_kind() -> None:
    samples = [sample("illust"), sample("illust"), sample("none"), sample("photo")]
    found = slices.faceless(samples, match(SET, 0.5), 0.5, resample(range(4), 20))
    assert [(f.kind, f.pictures, f.with_false_positives, f.per_picture.value) for f in found] == [
        ("all", 2, 1, 0.5),
        ("none", 1, 1, 1.0),
        ("photo", 1, 0, 0.0),  # its only detection is in an ignore region
    ]


def test_a_calibrated_detector_has_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    judged, overconfident = [], []
    for score in rng.uniform(0.1, 1, 4000):
        right = rng.random() < score
        judged.append(picture((FACE if right else ELSEWHERE, score), faces=[FACE]))
        overconfident.append(picture((FACE if right else ELSEWHERE, min(1.0, score + 0.3)), faces=[FACE]))
    assert expected_calibration_error(match(judged, 0.5)) < 0.03
    assert expected_calibration_error(match(overconfident, 0.5)) > 0.2
    for part in reliability(match(judged, 0.5)):
        assert part.low <= part.mean_score <= part.high
        assert part.precision == pytest.approx(part.mean_score, abs=0.1)


def test_errors_are_sorted_into_causes() -> None:
    shifted, aside = (18.0, 10.0, 38.0, 30.0), (12.0, 12.0, 31.0, 31.0)
    judged = [
        picture((FACE, 0.9), (aside, 0.8), (ELSEWHERE, 0.7), faces=[FACE]),
        picture((FACE, 0.3), faces=[FACE, ELSEWHERE]),
        picture((shifted, 0.9), faces=[FACE]),
    ]
    found = errors.find_errors(judged, match(judged, 0.5), 0.5)
    assert {(error.cause, error.picture) for error in found} == {
        (errors.DUPLICATE, 0),
        (errors.BACKGROUND, 0),
        (errors.LOW_SCORE, 1),
        (errors.UNSEEN, 1),
        (errors.MISPLACED, 2),
        (errors.BADLY_BOXED, 2),
    }
    assert sum(errors.count_causes(found).values()) == len(found) == 6


def test_box_correction_finds_another_box_rule() -> None:
    rng = np.random.default_rng(2)
    rule = Correction(x=0.1, y=0.25, width=0.6, height=0.5)
    judged = []
    for _ in range(60):
        corner, side = rng.uniform(50, 150, 2), rng.uniform(20, 60)
        head = np.array([[*corner, *(corner + side)]], np.float32)
        face = rule.apply(head)
        stray = ((300.0, 300.0, 350.0, 350.0), float(rng.uniform(0, 0.4)))
        judged.append(picture((tuple(head[0].tolist()), 0.9), stray, faces=[tuple(face[0].tolist())]))
    assert average_precision(match(judged, 0.5)) < 0.1
    corrected, corrections = cross_fitted(judged, [(400, 400)] * 60, 0.5)
    assert average_precision(match(corrected, 0.9)) > 0.9
    for found in corrections:
        assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(rule), abs=1e-3)


def test_box_correction_says_when_there_is_nothing_to_fit() -> None:
    with pytest.raises(LafdError, match="cannot be corrected"):
        cross_fitted(SET, [(100, 100)] * 4, 0.5)


def test_the_curve_over_sizes_ignores_faces_too_small_for_the_network() -> None:
    judged = [picture((FACE, 0.9), faces=[FACE, ELSEWHERE]), picture(faces=[(0.0, 0.0, 8.0, 8.0)])]
    point = size_point(256, judged, (lambda i: 1.0, lambda i: 0.4))
    assert (point.faces, point.faces_resolvable, point.faces_common) == (3, 2, 0)
    assert point.ap50 < point.ap50_resolvable == pytest.approx(51 / 101)
    assert spread([dataclasses.replace(point, ap50_common=ap) for ap in (0.7, 0.9, 0.8)]) == pytest.approx(
        0.2
    )


def ellipse_box(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows, columns = np.nonzero(pixels[:, :, 1] > 127)
    return np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)


@pytest.mark.parametrize("angle", range(0, 360, 15))
def test_boxes_follow_the_turned_picture(angle: int) -> None:
    pixels = np.zeros((300, 420, 3), np.uint8)
    cv2.ellipse(pixels, (330, 60), (40, 55), 0, 0, 360, (0, 255, 0), -1)
    matrix, canvas = turn((420, 300), angle)
    turned = warp(pixels, matrix, canvas)
    assert turned.shape[:2] == canvas[::-1]
    expected = map_boxes(ellipse_box(pixels), matrix)
    assert iou(ellipse_box(turned), expected)[0, 0] > 0.94
    if angle % 90 == 0:
        np.testing.assert_array_equal(turned, np.rot90(pixels, angle // 90))
    green = (turned[:, :, 1] > 127).sum()
    assert green == pytest.approx((pixels[:, :, 1] > 127).sum(), rel=0.01)
