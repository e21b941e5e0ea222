"""Faces through time, without pictures: ids, gaps, carrying and smoothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cjm_byte_track")

from av import VideoFrame

from lafd.detections import Detections
from lafd.tracking import TrackedFaces, Tracker
from lafd.video.frame import Frame
from lafd.video.timeline import LOOK_AHEAD, carry

SIZE = (640, 360)


def faces(*boxes: tuple[float, float, float, float], score: float = 0.9) -> Detections:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(array, np.full(len(array), score, np.float32), *SIZE)


def at(x: float, y: float, side: float = 40) -> tuple[float, float, float, float]:
    return (x, y, x + side, y + side)


def test_two_faces_that_move_keep_their_ids_and_boxes() -> None:
    tracker = Tracker(0.5, 10)
    for i in range(60):
        given = faces(at(50 + 5 * i, 100), at(400 - 3 * i, 250))
        found = tracker.update(given)
        assert found.ids is not None
        assert found.ids.tolist() == [1, 2]
        assert (found.detections.boxes == given.boxes).all()


def test_ids_survive_a_gap_and_weak_scores_but_not_a_reset() -> None:
    tracker = Tracker(0.5, 10)
    seen = []
    for i in range(30):
        if 10 <= i < 15:
            tracker.update(faces())
            continue
        found = tracker.update(faces(at(50 + i, 100), score=0.3 if i in (5, 6) else 0.9))
        assert found.ids is not None
        seen += found.ids.tolist()
    assert seen == [1] * 25
    tracker.reset()
    again = tracker.update(faces(at(80, 100)))
    assert again.ids is not None
    assert again.ids.tolist() == [2]


def test_weak_scores_start_no_track() -> None:
    tracker = Tracker(0.5, 10)
    assert not len(tracker.update(faces(at(50, 100), score=0.45)).detections)
    assert len(tracker.update(faces(at(50, 100), score=0.5)).detections) == 1


def test_trackers_do_not_disturb_each_other() -> None:
    first, second = Tracker(0.5, 10), Tracker(0.5, 10)
    for i in range(10):
        second.reset()
        for tracker in (first, second):
            tracker.update(faces(at(50 + i, 100), at(300, 100)))
    found = first.update(faces(at(60, 100), at(300, 100), at(500, 10)))
    assert found.ids is not None
    assert found.ids.tolist() == [1, 2, 3]


def film(
    boxes: Sequence[tuple[float, float, float, float] | None], every: int = 1, cut: int | None = None
) -> Iterator[Frame]:
    """Frames with at most one face each, one in `every` looked at; after the cut it is another face."""
    for i, box in enumerate(boxes):
        frame = Frame(i, i, i / 24, 1, VideoFrame(16, 16, "yuv420p"), *SIZE, starts_scene=i == cut)
        if i % every == 0 or i == cut:
            number = 1 if cut is None or i < cut else 2
            ids = np.full(1 if box else 0, number, np.int64)
            frame.found = TrackedFaces(faces(*([box] if box else [])), ids)
        yield frame


def test_carried_boxes_lie_on_the_way_between_those_seen() -> None:
    way = [at(20 + 6 * i, 50 + 2 * i) for i in range(41)]
    frames = list(carry(film(list(way), every=4), 4))
    assert [frame.index for frame in frames] == list(range(41))
    for frame, box in zip(frames, way, strict=True):
        assert np.allclose(frame.shown.detections.boxes, [box], atol=0.01)


def test_trembling_is_smoothed_and_movement_is_not_delayed() -> None:
    rng = np.random.default_rng(0)
    way = np.array([at(100 + 3 * i, 100) for i in range(60)])
    seen = way + rng.normal(0, 2, way.shape)
    frames = list(carry(film([tuple(box) for box in seen]), 1))
    smooth = np.array([frame.shown.detections.boxes[0] for frame in frames])
    assert np.abs(smooth - way)[5:-5].mean() < 0.7 * np.abs(seen - way)[5:-5].mean()
    assert abs((smooth - way)[5:-5].mean()) < 0.3


def test_a_short_gap_is_filled_and_a_long_one_is_not() -> None:
    way: list[tuple[float, float, float, float] | None] = [at(20 + 2 * i, 50) for i in range(60)]
    way[10:12] = [None] * 2
    way[30:45] = [None] * 15
    shown = [len(frame.shown.detections) for frame in carry(film(way), 1)]
    assert shown == [1] * 30 + [0] * 15 + [1] * 15


def test_nothing_is_carried_over_a_cut() -> None:
    frames = list(carry(film([at(20, 50)] * 10 + [at(300, 50)] * 10, every=6, cut=10), 6))
    for frame in frames:
        assert frame.shown.ids is not None
        assert frame.shown.ids.tolist() == ([1] if frame.index < 10 else [2])
        assert frame.shown.detections.boxes[0, 0] == (20 if frame.index < 10 else 300)


def test_faces_come_and_go_half_way_between_the_frames_that_were_looked_at() -> None:
    way = [None if i < 8 or i > 16 else at(50, 50) for i in range(25)]
    shown = [len(frame.shown.detections) for frame in carry(film(way, every=8), 8)]
    assert shown == [0] * 4 + [1] * 17 + [0] * 4


@pytest.mark.parametrize("every", [1, 10, 1000])
def test_few_frames_are_held_back(every: int) -> None:
    given = 0

    def counted() -> Iterator[Frame]:
        nonlocal given
        for frame in film([at(20, 50)] * 200, every):
            given += 1
            yield frame

    for frame in carry(counted(), every):
        assert given - frame.index <= LOOK_AHEAD + 2
        assert len(frame.shown.detections) == 1
