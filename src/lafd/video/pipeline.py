"""The line from a source to frames with faces: reading and detecting overlap, and the caller encodes meanwhile."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from av import Packet, VideoFrame
from av.video.reformatter import VideoReformatter

from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.images import Picture
from lafd.tracking import WEAK, TrackedFaces, Tracker
from lafd.video.cuts import CutFinder
from lafd.video.frame import Frame
from lafd.video.picture import Preparer, small_picture
from lafd.video.source import Source
from lafd.video.stages import Ahead, StageTime, timed
from lafd.video.timeline import carry

_DEPTH = 8  # frames that wait between two stages
_BATCH = 4  # frames that share a forward pass, if so many wait
_NO_PIXELS = np.zeros((0, 0, 3), np.uint8)  # the size alone decides about the view
_PATIENCE = 1.0  # s for which a face may be missing and still keeps its id

Item: TypeAlias = "Frame | Packet[Any]"
Found: TypeAlias = (
    "tuple[Item, Future[list[Detections]] | None, int]"  # a frame, its batch and its place in it
)


@dataclass(frozen=True)
class Work:
    """How a film is gone through.

    Attributes:
        options: How faces are detected.
        workers: Threads that detect.
        every: One frame of so many is looked at, the first and last of each scene too.
        track: Whether faces get ids and smoothed boxes; they are carried over frames anyway if `every` is above 1.
        fps: Frames per second of the result, constant; None keeps the film's own timestamps.
    """

    options: Options
    workers: int = 1
    every: int = 1
    track: bool = False
    fps: Fraction | None = None

    @property
    def follows(self) -> bool:
        """Whether faces have to be followed from frame to frame."""
        return self.track or self.every > 1


@dataclass
class Times:
    """Where the time of a run went; the stages overlap."""

    read: StageTime = field(default_factory=lambda: StageTime("read"))
    detect: StageTime = field(default_factory=lambda: StageTime("detect"))
    follow: StageTime = field(default_factory=lambda: StageTime("follow"))
    write: StageTime = field(default_factory=lambda: StageTime("write"))


class FacesInFilm:
    """Finds the faces of a film.

    Args:
        detector: Should compute with one thread; frames are shared out to `work.workers`.
        source: The film.
        preparer: What the frames shall be like.
        work: How to go through it.

    Attributes:
        times: Filled while the film is gone through.
    """

    def __init__(self, detector: Detector, source: Source, preparer: Preparer, work: Work) -> None:
        self.detector, self.source, self.preparer, self.work = detector, source, preparer, work
        self.times = Times(detect=StageTime("detect", threads=work.workers))
        self.options = work.options
        self.confidence = detector.card.confidence
        if work.options.confidence is not None:
            self.confidence = work.options.confidence
        if work.follows:
            self.options = dataclasses.replace(work.options, confidence=self.confidence * WEAK)
        self.local = threading.local()
        self.lock = threading.Lock()

    def items(self, stopped: Callable[[], bool]) -> Generator[Item, None, None]:
        """Frames with their faces, in order, and the packets of other streams, until the end or until stopped."""
        with (
            Ahead(timed(self.read(stopped), self.times.read), _DEPTH) as read,
            Ahead(self.carried(self.detected(read)), _DEPTH) as found,
        ):
            yield from found

    def read(self, stopped: Callable[[], bool]) -> Iterator[Item]:
        """Prepared frames and packets, as they are in the film."""
        frames = self.prepared(self.source.read(stopped))
        if self.work.fps:
            frames = at_rate(frames, self.work.fps, self.source.time_base)
        return in_scenes(frames) if self.work.follows else frames

    def prepared(self, read: Iterable[VideoFrame | Packet[Any]]) -> Iterator[Item]:
        """Frames in the form that is worked on."""
        index = 0
        for item in read:
            if isinstance(item, Packet):
                yield item
            else:
                yield self.preparer.prepare(item, index)
                index += 1

    def detected(self, read: Ahead[Item]) -> Iterator[Item]:
        """The same, with faces found by the workers in the frames that are to be looked at."""
        with ThreadPoolExecutor(self.work.workers, "lafd-film") as pool:
            waiting: deque[Found] = deque()
            most = 2 * _BATCH * self.work.workers
            looked_at = -self.work.every
            more = True
            while more:
                chunk, more = some(read)
                batch = []
                for item in chunk:
                    if isinstance(item, Frame) and self.is_due(item, looked_at):
                        looked_at = item.index
                        batch.append(item)
                future = pool.submit(self.detect, batch) if batch else None
                for item in chunk:
                    place = batch.index(item) if item in batch else None
                    waiting.append((item, None if place is None else future, place or 0))
                while waiting and (len(waiting) > most or not more or is_done(waiting[0])):
                    yield finished(waiting.popleft())

    def is_due(self, frame: Frame, looked_at: int) -> bool:
        """Whether a frame is to be looked at, given the last one that was; a scene's first and last always are."""
        return frame.starts_scene or frame.ends_scene or frame.index - looked_at >= self.work.every

    def detect(self, frames: list[Frame]) -> list[Detections]:
        """The faces of a few frames, in a worker."""
        started = time.perf_counter()
        if not hasattr(self.local, "reformatter"):
            self.local.reformatter = VideoReformatter()
        first = frames[0]
        size = first.width, first.height
        if self.options.slice is None:
            view = self.detector.view(Picture(_NO_PIXELS, *size), self.options)
            size = view.width, view.height
        pictures = [small_picture(frame, size, self.local.reformatter) for frame in frames]
        found = self.detector.detect_pictures(pictures, self.options)
        with self.lock:
            self.times.detect.busy += time.perf_counter() - started
        return found

    def carried(self, items: Iterator[Item]) -> Iterator[Item]:
        """The same, with faces followed from frame to frame if that is wanted; packets do not wait for frames."""
        if not self.work.follows:
            yield from items
            return
        between: deque[Packet[Any]] = deque()
        for frame in carry(self.followed(items, between), self.work.every):
            while between:
                yield between.popleft()
            yield frame
        yield from between

    def followed(self, items: Iterator[Item], between: deque[Packet[Any]]) -> Iterator[Frame]:
        """Frames whose faces have ids; packets go into `between`."""
        rate = float(self.work.fps or self.source.rate) / self.work.every
        tracker = Tracker(self.confidence, max(3, round(_PATIENCE * rate)))
        for item in items:
            if isinstance(item, Packet):
                between.append(item)
                continue
            if item.starts_scene:
                tracker.reset()
            if item.found is not None:
                started = time.perf_counter()
                item.found = tracker.update(item.found.detections)
                self.times.follow.busy += time.perf_counter() - started
            yield item


def some(read: Ahead[Item]) -> tuple[list[Item], bool]:
    """The next item and those that wait behind it, up to a batch; and whether more may come."""
    chunk: list[Item] = []
    while len(chunk) < _BATCH:
        try:
            item = read.take(wait=not chunk)
        except queue.Empty:
            break
        if item is None:
            return chunk, False
        chunk.append(item)
    return chunk, True


def is_done(entry: Found) -> bool:
    """Whether an item need not be waited for."""
    _, batch, _ = entry
    return batch is None or batch.done()


def finished(entry: Found) -> Item:
    """An item with what its batch found."""
    item, batch, place = entry
    if batch is not None and isinstance(item, Frame):
        item.found = TrackedFaces(batch.result()[place])
    return item


def in_scenes(frames: Iterable[Item]) -> Iterator[Item]:
    """The same, with the first and the last frame of every scene marked; one frame later, for that."""
    cuts, before = CutFinder(), None
    for item in frames:
        if isinstance(item, Packet):
            yield item
            continue
        item.starts_scene = cuts.is_cut(item.image)
        if before is not None:
            before.ends_scene = item.starts_scene
            yield before
        before = item
    if before is not None:
        before.ends_scene = True
        yield before


def at_rate(frames: Iterable[Item], fps: Fraction, time_base: Fraction) -> Iterator[Item]:
    """Frames at a constant rate: at every moment the one that is shown then, so that the speed stays."""
    step = 1 / (fps * time_base)
    start = count = 0
    shown: Frame | None = None

    def until(end: int) -> Iterator[Frame]:
        nonlocal count
        while shown is not None and start + count * step < end:
            pts = round(start + count * step)
            time = shown.time + float((pts - shown.pts) * time_base)
            yield dataclasses.replace(shown, index=count, pts=pts, time=time, duration=round(step))
            count += 1

    for item in frames:
        if isinstance(item, Packet):
            yield item
            continue
        if shown is None:
            start = item.pts
        yield from until(item.pts)
        shown = item
    if shown is not None:
        yield from until(shown.pts + max(1, shown.duration))
