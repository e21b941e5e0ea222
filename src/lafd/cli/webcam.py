"""`lafd webcam`: the faces in front of a webcam, in a window."""

from __future__ import annotations

import argparse
import threading
import time

import numpy as np
from numpy.typing import NDArray

from lafd.cli import extras, options
from lafd.detector import Detector, Options
from lafd.draw import draw
from lafd.errors import LafdError
from lafd.window import Window

_REFRESH = 15  # ms between looks for a new picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "camera", nargs="?", default="0", metavar="CAMERA", help="its number, a film or a URL (default: 0)"
    )
    parser.add_argument("--mirror", action="store_true", help="show it as a mirror does")
    options.add_detection_arguments(parser)
    parser.epilog = "Keys: b boxes; m mirror; q quit."


def run(arguments: argparse.Namespace) -> int:
    """Shows the window until it is closed or the pictures end."""
    extras.need("video")
    wanted = options.detection_options(arguments)
    detector = options.make_detector(arguments, arguments.threads)
    live = Live(arguments.camera, detector, wanted, arguments.mirror)
    live.show()
    live.window.run()
    live.ended.set()
    live.thread.join(timeout=5)
    if live.error:
        raise live.error
    return 0


class Live:
    """A camera whose newest picture is shown: one that comes while another is looked at is left out.

    Args:
        name: Of the camera, the film or the stream.
        detector: Finds the faces.
        wanted: How.
        mirror: Whether left and right change places.
    """

    def __init__(self, name: str, detector: Detector, wanted: Options, mirror: bool) -> None:
        from lafd.video.source import Source

        self.source = Source(name)
        try:
            self.window = Window(f"{name} – lafd webcam", self.press, lambda: None)
        except LafdError:
            self.source.close()
            raise
        self.detector, self.wanted, self.mirror, self.boxes = detector, wanted, mirror, True
        self.newest: tuple[NDArray[np.uint8], str] | None = None
        self.error: LafdError | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        """Reads, detects and draws, in a thread of its own, until the end."""
        from av import VideoFrame

        began, first = time.perf_counter(), None
        try:
            for frame in self.source.read(self.ended.is_set):
                if not isinstance(frame, VideoFrame):
                    continue
                at = float((frame.pts or 0) * self.source.time_base)
                first = at if first is None else first
                late = time.perf_counter() - began - (at - first)
                if late > 0.1 and not self.source.live:
                    continue  # a film is played at its speed
                if late < 0 and not self.source.live:
                    self.ended.wait(-late)
                self.look_at(np.rot90(frame.to_ndarray(format="bgr24"), self.source.turns))
        except LafdError as error:
            self.error = error
        finally:
            self.source.close()
            self.ended.set()

    def look_at(self, turned: NDArray[np.uint8]) -> None:
        """Finds and draws the faces of a picture and leaves it for the window."""
        image: NDArray[np.uint8] = np.ascontiguousarray(turned)
        if self.mirror:
            image = np.ascontiguousarray(image[:, ::-1])
        started = time.perf_counter()
        faces = self.detector.detect(image, self.wanted)
        took = 1000 * (time.perf_counter() - started)
        drawn = draw(image, faces) if self.boxes else image
        self.newest = drawn, f"{len(faces)} faces   {took:.0f} ms   b boxes   m mirror   q quit"

    def show(self) -> None:
        """Shows the newest picture, again and again."""
        newest, self.newest = self.newest, None
        if newest is not None:
            self.window.show(*newest)
        if self.ended.is_set():
            self.window.close()
        self.window.later(_REFRESH, self.show)

    def press(self, key: str) -> None:
        """Does what a key stands for."""
        if key in ("q", "Escape"):
            self.window.close()
        elif key == "b":
            self.boxes = not self.boxes
        elif key == "m":
            self.mirror = not self.mirror
