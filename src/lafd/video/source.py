"""Reading films, streams and webcams: frames in order, and the packets of the other streams between them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av import Packet, VideoFrame
from av.container import InputContainer

from lafd.errors import LafdError, UsageError

_OPEN_SECONDS, _READ_SECONDS = 20.0, 30.0  # a stream that is silent for longer has ended
_TAIL_SECONDS = 5  # how far sound may lie behind the pictures in a file
_STILL = 0x400 | 0x100000  # FFmpeg's dispositions attached_pic (a cover) and still_image
_CAMERAS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


@dataclass
class Counts:
    """What happened while reading.

    Attributes:
        frames: Frames read.
        corrupt: Frames and packets that could not be decoded, left out.
        ended_early: Why reading stopped before the end, one sentence; None if it did not.
    """

    frames: int = 0
    corrupt: int = 0
    ended_early: str | None = None


class Source:
    """An opened film.

    Args:
        name: Path, URL, or number of a webcam.
        limit: Frames to read at most; the other streams end with the last one.

    Attributes:
        first: The first frame, from which size, format and colours are known.
        copied: The other streams, to be copied.
        live: Whether it is a webcam.
        endless: Whether it goes on until somebody stops it: a webcam, or a stream without a length.

    Raises:
        UsageError: There is no such file or webcam.
        LafdError: It is not a film, or its first frame cannot be decoded.
    """

    def __init__(self, name: str, limit: int | None = None) -> None:
        self.name, self.limit, self.counts = name, limit, Counts()
        self.live = name.isdigit() and not Path(name).exists()
        self.container = open_camera(int(name)) if self.live else open_film(name)
        self.endless = self.live or ("://" in name and not self.container.duration)
        pictures = [s for s in self.container.streams.video if not s.disposition.value & _STILL]
        if not pictures:
            kinds = _kinds(self.container)
            self.close()
            raise LafdError(f"{name}: has no pictures, only {kinds}.")
        self.stream = pictures[0]
        self.stream.thread_type = "AUTO"
        self.copied = [s for s in self.container.streams if s.type in ("audio", "subtitle", "attachment")]
        # transport streams start anywhere; what lies before zero is the lead-in of a sound codec and stays there
        self.offset = Fraction(max(0, self.container.start_time or 0), av.time_base)
        self.time_base = self.stream.time_base or Fraction(1, 1000)
        self.rate = self.stream.guessed_rate or self.stream.average_rate or Fraction(25)
        wanted = [self.stream, *(s for s in self.copied if s.type != "attachment")]
        self._demuxed = self.container.demux(wanted)
        self._items = self._read()
        self._early: list[VideoFrame | Packet[Any]] = []
        self.first = self._find_first()

    @property
    def turns(self) -> int:
        """Quarter turns, anticlockwise, that bring the frames upright."""
        return round(self.first.rotation / 90) % 4

    @property
    def width(self) -> int:
        """Width in pixels of the upright frames."""
        return self.first.height if self.turns % 2 else self.first.width

    @property
    def height(self) -> int:
        """Height in pixels of the upright frames."""
        return self.first.width if self.turns % 2 else self.first.height

    @property
    def expected(self) -> int | None:
        """About how many frames there will be, for a progress bar alone; None if unknown."""
        seconds = Fraction(self.container.duration, av.time_base) if self.container.duration else None
        guess = self.stream.frames or (int(seconds * self.rate) if seconds else 0)
        known = [n for n in (guess, self.limit) if n]
        return min(known) if known and not (self.endless and not self.limit) else None

    def read(self, stopped: Callable[[], bool]) -> Iterator[VideoFrame | Packet[Any]]:
        """Frames with increasing timestamps, and packets of `copied`, until the end or until stopped."""
        yield from self._early
        self._early.clear()
        for item in self._items:
            if stopped():
                return
            yield item

    def close(self) -> None:
        """Closes the file or the device."""
        self.container.close()

    def _find_first(self) -> VideoFrame:
        for item in self._items:
            self._early.append(item)
            if isinstance(item, VideoFrame):
                return item
        self.close()
        reason = self.counts.ended_early or f"{self.counts.corrupt} packets could not be decoded"
        raise LafdError(f"{self.name}: no frame can be read ({reason}).")

    def _read(self) -> Iterator[VideoFrame | Packet[Any]]:
        if self.limit is None:
            yield from self._in_file_order()
            return
        # a file's sound may run ahead of its pictures; it waits until it is known not to lie behind the last one
        held: deque[Packet[Any]] = deque()
        for item in self._in_file_order():
            if isinstance(item, Packet):
                held.append(item)
                continue
            now = (item.pts or 0) * self.time_base
            if self.counts.frames > self.limit:
                self.counts.frames = self.limit
                yield from (packet for packet in held if _moment(packet) < now)
                yield from self._rest(now)
                return
            while held and _moment(held[0]) <= now:
                yield held.popleft()
            yield item
        yield from held

    def _rest(self, end: Fraction) -> Iterator[Packet[Any]]:
        """What the other streams have before the end, if it comes soon in the file."""
        for packet in self._packets():
            at = _moment(packet)
            if packet.stream_index == self.stream.index:
                if at > end + _TAIL_SECONDS:
                    return
            elif packet.dts is not None and at < end:
                yield packet

    def _in_file_order(self) -> Iterator[VideoFrame | Packet[Any]]:
        last: int | None = None
        for packet in self._packets():
            if packet.stream_index != self.stream.index:
                if packet.dts is not None:  # those without mark the end of their stream
                    yield packet
                continue
            for frame in self._decode(packet):
                last = frame.pts = self._after(last, frame.pts)
                self.counts.frames += 1
                yield frame

    def _packets(self) -> Iterator[Packet[Any]]:
        try:
            yield from self._demuxed
        except av.FFmpegError as error:
            if self.counts.frames or not isinstance(error, EOFError):
                self.counts.ended_early = f"{error.strerror or error}"

    def _decode(self, packet: Packet[Any]) -> Iterator[VideoFrame]:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            self.counts.corrupt += 1
            return
        for frame in frames:
            if not isinstance(frame, VideoFrame):
                continue
            if frame.is_corrupt:
                self.counts.corrupt += 1
            else:
                yield frame

    def _after(self, last: int | None, pts: int | None) -> int:
        """The frame's timestamp, or one that follows the last if it has none or goes back."""
        if last is None:
            return pts if pts is not None else 0
        if pts is None:
            return last + max(1, round(1 / (self.rate * self.time_base)))
        return max(pts, last + 1)


def _moment(packet: Packet[Any]) -> Fraction:
    """When a packet is due, in seconds; those that do not say are due at once."""
    if packet.pts is None or not packet.time_base:
        return Fraction(-1)
    return packet.pts * packet.time_base


def open_film(name: str) -> InputContainer:
    """Opens a file or a URL.

    Raises:
        UsageError: There is no such file.
        LafdError: It cannot be opened, or is not a film.
    """
    remote = "://" in name
    if not remote and not Path(name).exists():
        raise UsageError(f"{name} does not exist.")
    if not remote and Path(name).is_dir():
        raise UsageError(f"{name} is a folder: give a film.")
    timeout = (_OPEN_SECONDS, _READ_SECONDS) if remote else None
    try:
        container = av.open(name if remote else str(Path(name)), timeout=timeout)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LafdError(f"{name}: cannot be opened as a film ({reason}).") from None
    if container.format.name in ("image2", "png_pipe", "jpeg_pipe", "webp_pipe", "tty"):
        container.close()
        raise LafdError(f"{name}: is a picture or a text, not a film; for pictures there is lafd detect.")
    return container


def open_camera(number: int) -> InputContainer:
    """Opens a webcam, 0 being the first.

    Raises:
        UsageError: There is no such webcam.
    """
    place = f"/dev/video{number}" if sys.platform == "linux" else str(number)
    driver = _CAMERAS.get(sys.platform, "v4l2")
    if sys.platform == "linux" and not Path(place).exists():
        raise UsageError(f"there is no webcam {number}: {place} does not exist.")
    try:
        return av.open(place, format=driver)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"webcam {number} cannot be opened ({reason}).") from None


def _kinds(container: InputContainer) -> str:
    return " and ".join(sorted({str(stream.type) for stream in container.streams})) or "nothing that is known"
