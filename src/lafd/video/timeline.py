"""Carrying faces over frames that were not looked at, and smoothing their boxes, with a look into the future."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from lafd.boxes import clip
from lafd.detections import Detections
from lafd.tracking import TrackedFaces
from lafd.video.frame import Frame

LOOK_AHEAD = (
    24  # frames held back at most: this, times the size of a frame, is the memory that carrying takes
)

Sighting = tuple[int, NDArray[np.float32], float]  # index of the frame, box (4,), score


def carry(frames: Iterable[Frame], every: int) -> Iterator[Frame]:
    """Gives every frame its faces.

    Frames come back in order, at most `LOOK_AHEAD` behind what was read. A face seen before and after a frame is
    in it; its box is a local linear fit to the boxes around, so that it neither trembles nor lags. A frame that was
    not looked at also has the faces that were seen in the nearest one that was. Nothing is carried over a cut.

    Args:
        frames: With `found` and ids, or None where not looked at.
        every: One frame of so many is looked at.
    """
    timeline = Timeline(min(max(4, 2 * every), LOOK_AHEAD))
    for frame in frames:
        if frame.starts_scene:
            yield from timeline.end_scene()
        timeline.add(frame)
        while timeline.ready():
            yield timeline.take()
    yield from timeline.end_scene()


class Timeline:
    """The frames of one scene that wait for what comes after them.

    Args:
        reach: Frames on either side that count for a frame's boxes.
    """

    def __init__(self, reach: int) -> None:
        self.reach = reach
        self.waiting: deque[Frame] = deque()
        self.looked_at: deque[int] = deque()
        self.tracks: dict[int, deque[Sighting]] = {}

    def add(self, frame: Frame) -> None:
        """Appends the next frame."""
        self.waiting.append(frame)
        if frame.found is None:
            return
        self.looked_at.append(frame.index)
        assert frame.found.ids is not None
        for track, box, face in zip(
            frame.found.ids.tolist(), frame.found.detections.boxes, frame.found.detections, strict=True
        ):
            self.tracks.setdefault(track, deque()).append((frame.index, box, face.score))

    def ready(self) -> bool:
        """Whether enough is known to finish the first frame."""
        if not self.waiting:
            return False
        known = self.looked_at and self.looked_at[-1] >= self.waiting[0].index + self.reach
        return bool(known) or len(self.waiting) > LOOK_AHEAD

    def end_scene(self) -> Iterator[Frame]:
        """Finishes all frames and forgets their faces."""
        while self.waiting:
            yield self.take()
        self.tracks.clear()
        self.looked_at.clear()

    def take(self) -> Frame:
        """Finishes the first frame and takes it off."""
        frame = self.waiting.popleft()
        now = frame.index
        last = max((i for i in self.looked_at if i <= now), default=None)
        following = min((i for i in self.looked_at if i >= now), default=None)
        shown = [
            (track, *self.place(sightings, now))
            for track, sightings in self.tracks.items()
            if self.is_present(sightings, now, (last, following))
        ]
        shown.sort(key=lambda face: -face[2])
        boxes = np.array([box for _, box, _ in shown], np.float32).reshape(-1, 4)
        scores = np.array([score for *_, score in shown], np.float32)
        ids = np.array([track for track, *_ in shown], np.int64)
        found = Detections(clip(boxes, frame.width, frame.height), scores, frame.width, frame.height)
        frame.faces = TrackedFaces(found, ids)
        self.forget(now)
        return frame

    def is_present(
        self, sightings: deque[Sighting], now: int, looked_at: tuple[int | None, int | None]
    ) -> bool:
        """Whether a track is in a frame, given the frames around it that were looked at."""
        times = [time for time, *_ in sightings]
        before = max((t for t in times if t <= now), default=None)
        after = min((t for t in times if t >= now), default=None)
        if before is not None and after is not None and after - before <= self.reach:
            return True
        last, following = looked_at
        if now in looked_at:
            return False
        if before is not None and before == last and (following is None or now - before <= following - now):
            return True
        return after is not None and after == following and (last is None or after - now <= now - last)

    def place(self, sightings: deque[Sighting], now: int) -> tuple[NDArray[np.float64], float]:
        """Box (4,) and score of a track in a frame."""
        times = np.array([time for time, *_ in sightings], np.float64)
        boxes = np.array([box for _, box, _ in sightings], np.float64)
        score = sightings[int(np.abs(times - now).argmin())][2]
        time = float(np.clip(now, times[0], times[-1]))  # held at the ends, not thrown beyond
        near = 1 - np.minimum(np.abs(times - time) / (self.reach + 1), 1) ** 3
        weights = near**3
        if not weights.any():
            return boxes[np.abs(times - time).argmin()], score
        weights /= weights.sum()
        middle, mean = weights @ times, weights @ boxes
        spread = weights @ (times - middle) ** 2
        slope = (weights * (times - middle)) @ (boxes - mean) / spread if spread > 1e-9 else 0.0
        return mean + slope * (time - middle), score

    def forget(self, now: int) -> None:
        """Drops what no later frame needs: all that is out of reach, but the last sighting before it."""
        while len(self.looked_at) > 1 and self.looked_at[1] <= now:
            self.looked_at.popleft()
        for track, sightings in list(self.tracks.items()):
            while len(sightings) > 1 and sightings[0][0] < now - self.reach and sightings[1][0] <= now:
                sightings.popleft()
            last = sightings[-1][0]
            if last < now - self.reach and (not self.looked_at or last < self.looked_at[0]):
                del self.tracks[track]
