"""Scaling to the network's input keeps every place of a picture, and boxes find back to it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lafd import preprocess
from lafd.drawing import draw_scene
from lafd.images import Picture


def blob(height: int, width: int, x: float, y: float, spread: float) -> NDArray[np.uint8]:
    """A soft white spot on black; pixel centres lie at halves."""
    across = np.exp(-(((np.arange(width) + 0.5 - x) / spread) ** 2) / 2)
    down = np.exp(-(((np.arange(height) + 0.5 - y) / spread) ** 2) / 2)
    grey = np.rint(255 * down[:, None] * across).astype(np.uint8)
    return np.ascontiguousarray(np.dstack([grey] * 3))


def middle(image: NDArray[np.uint8]) -> tuple[float, float]:
    """The centre of brightness, x before y."""
    grey = image[..., 0].astype(float)
    rows, columns = grey.sum(1), grey.sum(0)
    return (
        float((columns * (np.arange(len(columns)) + 0.5)).sum() / grey.sum()),
        float((rows * (np.arange(len(rows)) + 0.5)).sum() / grey.sum()),
    )


@settings(deadline=None, max_examples=40)
@given(
    st.integers(60, 2300),
    st.integers(60, 2300),
    st.sampled_from([64, 96, 224, 640]),
    st.floats(0.25, 0.75),
    st.floats(0.25, 0.75),
)
def test_places_are_kept_at_every_factor(height: int, width: int, size: int, x: float, y: float) -> None:
    if max(height, width) > 4 * min(height, width):
        return
    spread = min(height, width) / 16
    image = blob(height, width, x * width, y * height, spread)
    view = preprocess.fit(height, width, size, None)
    canvas = np.empty((view.padded_height, view.padded_width, 3), np.uint8)
    preprocess.place(image, view, canvas)
    seen = middle(canvas)
    found = preprocess.restore(np.array([[*seen, *seen]], np.float32), view, Picture(image, width, height))[0]
    pixel = max(1.0, width / view.width)  # of the network, in those of the picture
    assert found[:2] == pytest.approx((x * width, y * height), abs=0.1 * pixel)
    assert (canvas[view.height :] == 0).all() and (canvas[:, view.width :] == 0).all()


@pytest.mark.parametrize(
    ("width", "height"), [(1000, 1400), (3001, 1691), (801, 799), (1280, 720), (4000, 640)]
)
def test_shrinking_averages(width: int, height: int) -> None:
    """Single pixels alias when they are left out; area averaging is what does not."""
    scene = draw_scene(width, height, 3, faces=2).image
    noise = np.random.default_rng(0).integers(0, 64, scene.shape, np.uint8)
    image = noise + scene // 4 * 3
    view = preprocess.fit(height, width, 256, None)
    canvas = np.empty((view.padded_height, view.padded_width, 3), np.uint8)
    preprocess.place(image, view, canvas)
    best = cv2.resize(image, (view.width, view.height), interpolation=cv2.INTER_AREA).astype(int)
    picked = cv2.resize(image, (view.width, view.height), interpolation=cv2.INTER_NEAREST).astype(int)
    error = np.abs(canvas[: view.height, : view.width] - best).mean()
    assert error < 0.35 * np.abs(picked - best).mean()


def test_a_reduced_picture_gives_boxes_of_the_full_one() -> None:
    pixels = np.zeros((703, 501, 3), np.uint8)  # as a JPEG of 2004x2812 is read at a quarter
    view = preprocess.fit(2812, 2004, 200, None)
    whole = np.array([[0, 0, view.width, view.height]], np.float32)
    box = preprocess.restore(whole, view, Picture(pixels, 2004, 2812))[0]
    assert box == pytest.approx((0, 0, 500 * 4, 702 * 4), abs=1e-3)
