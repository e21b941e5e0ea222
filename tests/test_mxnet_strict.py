from __future__ import annotations

import cv2
import numpy as np
import pytest

from lafd.mxnet import strict
from lafd.mxnet.decoding import Branch

BRANCHES = (Branch("s0", "o0", 4, 3, 20), Branch("s1", "o1", 8, 7, 40))


def rows(*boxes: tuple[float, ...]) -> strict.Rows:
    return np.array(boxes, np.float32)


@pytest.mark.parametrize(
    ("height", "width", "scale", "wanted"),
    [
        (100, 300, 1, 1.28),
        (320, 480, 0.8, 0.8),
        (320, 480, 0.1, 0.4),
        (1, 1, 1, 128),
        (320, 480, 0, 0.4),
        (320, 480, -2, 0.4),
    ],
)
def test_the_shorter_side_is_never_below_128(height: int, width: int, scale: float, wanted: float) -> None:
    assert strict.network_scale(height, width, scale) == pytest.approx(wanted)


def test_resizing_samples_at_the_scale_and_not_at_the_ratio_of_the_sides() -> None:
    ramp = np.tile(np.arange(250, dtype=np.uint8)[None, :, None], (40, 1, 3))
    found = strict.network_input(ramp, 0.3502)
    assert found.shape == (1, 3, 14, 88)
    at = (np.arange(88) + 0.5) / 0.3502 - 0.5
    np.testing.assert_allclose(found[0, 0, 5], np.clip(at, 0, 249), atol=0.76)
    assert np.abs(found[0, 0, 5] - cv2.resize(ramp, (88, 14))[5, :, 0]).max() >= 1


def test_an_image_at_scale_one_is_not_resampled() -> None:
    image = np.random.default_rng(0).integers(0, 256, (130, 140, 3), np.uint8)
    np.testing.assert_array_equal(strict.network_input(image, 1)[0], image.transpose(2, 0, 1))


def maps(*cells: tuple[int, int, int, float, tuple[float, ...]]) -> list[np.ndarray]:
    """Maps of two branches with scores and offsets set at (branch, row, column)."""
    found = [np.zeros((1, c, n, n), np.float32) for n in (15, 7) for c in (1, 4)]
    for branch, row, column, score, offsets in cells:
        found[2 * branch][0, 0, row, column] = score
        found[2 * branch + 1][0, :, row, column] = offsets
    return found


def test_cells_become_boxes_best_first_in_pixels_of_the_image() -> None:
    cells = maps((0, 2, 5, 0.75, (0.5, 1, -0.5, -1)), (1, 3, 4, 0.875, (0.5, 0.25, -0.25, -0.5)))
    found = strict.candidates(cells, BRANCHES, (128, 128), 0.5, 0.7)
    # centres (23, 11) and (39, 31), in units of 10 and 20 px, then divided by the scale
    np.testing.assert_array_equal(found, rows((58, 52, 88, 82, 0.875), (36, 2, 56, 42, 0.75)))
    assert len(strict.candidates(cells, BRANCHES, (128, 128), 0.5, 0.75)) == 1
    assert strict.candidates(cells, BRANCHES, (128, 128), 0.5, 2).shape == (0, 5)


def test_boxes_are_clipped_on_one_side_only() -> None:
    cells = maps((0, 14, 14, 0.9, (-9, -9, -20, -20)), (0, 0, 0, 0.8, (9, 9, 5, 5)))
    found = strict.candidates(cells, BRANCHES, (64, 60), 1, 0.7)
    np.testing.assert_allclose(found[:, :4], rows((149, 149, 60, 64), (0, 0, -47, -47)))


def test_at_most_ten_thousand_boxes_go_on() -> None:
    scores = np.linspace(0.8, 0.9, 101 * 101, dtype=np.float32).reshape(1, 1, 101, 101)
    found = strict.candidates(
        [scores, np.zeros((1, 4, 101, 101), np.float32)], BRANCHES[:1], (64, 64), 1, 0.7
    )
    assert len(found) == 10_000 and found[0, 4] == scores.max()


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((0, 0, 100, 100), (40, 40, 50, 50), 1),  # small inside a better large one: goes
        ((40, 40, 50, 50), (0, 0, 100, 100), 2),  # large around a better small one: stays
        ((0, 0, 10, 1), (10.5, 0, 11, 1), 1),  # half a pixel apart counts as touching
        ((0, 0, 10, 10), (11, 0, 21, 10), 2),
        ((0, 0, 10, 10), (5, 5, 5, 9), 1),  # no area, touching: goes
        ((0, 0, 10, 10), (50, 5, 50, 9), 2),  # no area, far away: stays
        ((0, 0, 10, 10), (8, 2, 4, 8), 2),  # inverted: stays
    ],
)
def test_suppression_is_by_the_worse_box_with_a_pixel_added(
    first: tuple[float, ...], second: tuple[float, ...], kept: int
) -> None:
    found = strict.suppress(rows((*first, 0.9), (*second, 0.8)), 0.3)
    assert len(found) == kept and found[0, 4] == np.float32(0.9)


def test_no_boxes_stay_no_boxes() -> None:
    assert strict.suppress(np.zeros((0, 5), np.float32), 0.3).shape == (0, 5)


def test_of_few_equal_scores_the_last_box_wins() -> None:
    boxes = rows(*[(i, 0, i + 50, 50, 0.9) for i in range(16)])
    assert strict.suppress(boxes, 0.3)[0, 0] == 15


# what numpy.argsort of NumPy 1.23.5 gives
ORDERS = {
    (6, 6, 5, 5, 5, 4, 4, 4, 4, 3, 3, 2, 1, 1, 1, 0, 0): "16 15 14 13 12 11 10 9 8 6 5 7 4 3 2 1 0",
    (0, 2, 1, 1, 3, 0, 2, 1, 1, 3, 0, 1, 0, 0, 1, 2, 2, 1, 0, 3, 3, 0, 0, 1): (
        "0 21 18 5 13 12 22 10 17 14 11 8 7 3 2 23 6 15 16 1 4 19 20 9"
    ),
    (7,) * 40: (
        "0 22 23 24 25 26 27 28 21 29 31 32 33 34 35 36 37 30 20 19 18 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 38 39"
    ),
}


@pytest.mark.parametrize("values", ORDERS)
def test_many_equal_scores_are_ordered_as_by_the_original(values: tuple[int, ...]) -> None:
    assert strict.quicksort_order(np.array(values, np.float32)).tolist() == [
        int(i) for i in ORDERS[values].split()
    ]


def test_the_order_is_ascending_whatever_the_values() -> None:
    random = np.random.default_rng(0)
    for n in (1, 16, 17, 100, 1000):
        values = random.integers(0, 9, n).astype(np.float32)
        order = strict.quicksort_order(values)
        assert sorted(order.tolist()) == list(range(n))
        assert (np.diff(values[order]) >= 0).all()
