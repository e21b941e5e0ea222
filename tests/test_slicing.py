"""Tiles of large pictures: they cover, small faces are found in them, and large ones are not found twice."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from conftest import RunLafd
from lafd import Detector, Options, UsageError
from lafd import boxes as box_maths
from lafd.drawing import Scene, draw_scene
from lafd.images import save_image
from lafd.slicing import OVERLAP, tiles_of

SMALL = [(90 + 110 * column, 60 + 130 * row, 24) for row in range(2) for column in range(7)]
LARGE = (480, 440, 250)


@pytest.fixture(scope="module")
def crowd() -> Scene:
    """14 faces of 24 px around one of 250 px, in a picture of 960 x 640."""
    return draw_scene(960, 640, 4, faces=[*SMALL, LARGE], style="cel", background="sky")


def hits(scene: Scene, boxes: np.ndarray) -> np.ndarray:
    """For each face, how many boxes are on it."""
    return np.asarray((box_maths.iou(scene.boxes, boxes) > 0.4).sum(1))


@pytest.mark.parametrize(
    ("width", "height", "side"), [(960, 640, 320), (1000, 90, 128), (641, 1, 64), (300, 200, 300)]
)
def test_tiles_cover_the_picture_and_overlap(width: int, height: int, side: int) -> None:
    whole, *tiles = tiles_of(width, height, side)
    assert whole == (0, 0, width, height)
    covered = np.zeros((height, width), int)
    for x1, y1, x2, y2 in tiles:
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        covered[y1:y2, x1:x2] += 1
    assert covered.min() >= 1 or side >= max(width, height)
    smallest = sorted({x1 for x1, _, x2, _ in tiles if x2 - x1 == side})
    assert all(after - before <= side * (1 - OVERLAP) + 1 for before, after in itertools.pairwise(smallest))


def test_small_faces_are_found_in_tiles_and_the_large_one_once(detector: Detector, crowd: Scene) -> None:
    plain = detector.detect(crowd.image, Options(size=320))
    sliced = detector.detect(crowd.image, Options(size=320, slice=320))
    small = [(hits(crowd, found.boxes)[:-1] > 0).mean() for found in (plain, sliced)]
    assert small[0] < 0.3 and small[1] > 0.6
    assert hits(crowd, sliced.boxes).max() == 1 and hits(crowd, sliced.boxes)[-1] == 1
    assert len(sliced) <= 16
    assert (np.diff(sliced.scores) <= 0).all() and (sliced.width, sliced.height) == (960, 640)
    best = detector.detect(crowd.image, Options(size=320, slice=320, max_faces=3))
    assert best.boxes.tolist() == sliced.boxes[:3].tolist()


def test_auto_cuts_pictures_that_would_be_shrunk_much(detector: Detector, crowd: Scene) -> None:
    for size, slice_side in ((320, 320), (640, None)):
        automatic = detector.detect(crowd.image, Options(size=size, slice="auto"))
        wanted = detector.detect(crowd.image, Options(size=size, slice=slice_side))
        assert np.array_equal(automatic.boxes, wanted.boxes)


def test_files_are_read_in_full_resolution(lafd: RunLafd, crowd: Scene, tmp_path: Path) -> None:
    save_image(tmp_path / "crowd.jpg", crowd.image)
    arguments = ["detect", "crowd.jpg", "--size", 160, "--format", "json", "--threads", 1]
    counts = [
        len(json.loads(lafd(*arguments, "--slice", side).stdout)[0]["faces"]) for side in ("off", "160")
    ]
    assert counts[1] > counts[0] + 6
    wrong = lafd("detect", "crowd.jpg", "--slice", "many")
    assert wrong.returncode == 2 and "off, auto or a number" in wrong.stderr


def test_bad_sides_are_refused() -> None:
    with pytest.raises(UsageError, match="slice"):
        Options(slice=10)
    with pytest.raises(UsageError, match="contradict"):
        Options(slice="auto", resize_scale=2)
