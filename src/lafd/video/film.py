"""Going through a film from end to end: faces are found, and every output gets every frame."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from av import Packet

from lafd.video.effects import Effect
from lafd.video.frame import Frame
from lafd.video.pipeline import FacesInFilm
from lafd.video.sink import Sink


class Output(Protocol):
    """Something that is made of the frames."""

    def write(self, frame: Frame) -> None:
        """Takes the next frame."""

    def finish(self) -> None:
        """The film is complete."""

    def close(self) -> None:
        """The film was broken off; what is there is kept and can be used."""

    def abandon(self) -> None:
        """There was nothing to be kept."""


class DrawnFilm:
    """A film with an effect on its faces."""

    def __init__(self, sink: Sink, effect: Effect) -> None:
        self.sink, self.effect, self.partial = sink, effect, sink.partial
        self.finish, self.close, self.abandon = sink.finish, sink.close, sink.abandon

    def write(self, frame: Frame) -> None:
        """Changes the frame's pixels and encodes them."""
        shown = frame.shown
        if len(shown.detections):
            self.effect(frame.image, shown)
        self.sink.write(frame)


@dataclass
class Summary:
    """What a run did.

    Attributes:
        frames: Frames that were written.
        faces: Faces in them.
        ids: Different faces, if they were tracked.
        seconds: Wall-clock time.
        film_seconds: Playing time.
        complete: Whether the film's end was reached.
    """

    frames: int = 0
    faces: int = 0
    ids: int = 0
    seconds: float = 0.0
    film_seconds: float = 0.0
    complete: bool = False


@dataclass(frozen=True)
class Run:
    """Who takes part in a run.

    Attributes:
        faces: The film and its faces.
        outputs: What is made of it, in the order in which they get a frame; those that change pixels come last.
        sink: Takes the packets of other streams; None drops them.
        stopped: Asked often; true ends the run.
        progress: Called after every frame.
    """

    faces: FacesInFilm
    outputs: Sequence[Output]
    sink: Sink | None
    stopped: Callable[[], bool]
    progress: Callable[[], object]

    def go(self) -> Summary:
        """Goes through the film.

        Raises:
            LafdError: An output cannot be written; all of them are closed.
        """
        summary, started = Summary(), time.perf_counter()
        ended = False
        try:
            self._frames(summary)
            summary.complete = not self.stopped() or self.faces.source.endless
            ended = True
        finally:
            began = time.perf_counter()
            for output in self.outputs:
                if not summary.frames:
                    output.abandon()
                elif ended and summary.complete:
                    output.finish()
                else:
                    output.close()
            now = time.perf_counter()
            self.faces.times.write.busy += now - began
            summary.seconds = now - started
        return summary

    def _frames(self, summary: Summary) -> None:
        highest, write = 0, self.faces.times.write
        with contextlib.closing(
            self.faces.items(self.stopped)
        ) as items:  # its threads end before the film is closed
            for item in items:
                began = time.perf_counter()
                if isinstance(item, Packet):
                    if self.sink:
                        self.sink.copy(item)
                else:
                    for output in self.outputs:
                        output.write(item)
                    summary.frames += 1
                    shown = item.shown
                    summary.faces += len(shown.detections)
                    if shown.ids is not None:
                        highest = max(highest, int(shown.ids.max(initial=0)))
                    span = item.duration * self.faces.source.time_base
                    summary.film_seconds = item.time + float(span)
                    self.progress()
                write.busy += time.perf_counter() - began
        summary.ids = highest
