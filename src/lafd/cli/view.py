"""`lafd view`: looks through the pictures of a folder with their faces, in a window. It changes no file."""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lafd import listing
from lafd.cli import options
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.draw import draw
from lafd.errors import LafdError, UsageError
from lafd.images import read_image
from lafd.window import Window

KEYS = "→ next   ← back   Home/End   g go to   +/- threshold   s/S size   b boxes   q quit"
_STEP = 0.05  # of the threshold
_SIZE_STEP = 128  # px


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="folder (recursive), picture or glob")
    parser.epilog = "Keys: " + "; ".join(part.strip() for part in KEYS.split("   ")) + "."
    options.add_reading_arguments(parser)
    options.add_detection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Opens the window; it is closed by q."""
    wanted = options.detection_options(arguments)
    paths = list(listing.list_images(arguments.paths))
    detector = options.make_detector(arguments, arguments.threads)
    Viewer(paths, detector, wanted).window.run()
    return 0


class Viewer:
    """What is shown: one of the paths, with its faces.

    Args:
        paths: The pictures, at least one.
        detector: Finds the faces, in the thread of the window: it takes no longer than reading the picture.
        wanted: The threshold and the size at the start.
    """

    def __init__(self, paths: list[Path], detector: Detector, wanted: Options) -> None:
        self.paths, self.detector = paths, detector
        self.confidence = detector.card.confidence if wanted.confidence is None else wanted.confidence
        self.size = wanted.size or detector.card.size
        self.wanted = wanted
        self.place, self.boxes = 0, True
        self.image: NDArray[np.uint8] | None = None
        self.faces: Detections | None = None
        self.text = ""
        self.window = Window("lafd view", self.press, self.show)
        self.load()

    def press(self, key: str) -> None:
        """Does what a key stands for; others do nothing."""
        moves = {"Left": -1, "BackSpace": -1, "Right": 1, "space": 1, "n": 1, "p": -1}
        moves |= {"Prior": -10, "Next": 10, "Home": -len(self.paths), "End": len(self.paths)}
        if key in ("q", "Escape"):
            self.window.close()
        elif key in ("g", "G"):
            self.ask_where()
        elif key in ("plus", "equal", "KP_Add", "minus", "KP_Subtract"):
            step = _STEP if key in ("plus", "equal", "KP_Add") else -_STEP
            self.confidence = round(min(1.0, max(_STEP, self.confidence + step)), 2)
            self.detect()
        elif key in ("s", "S"):
            size = self.size + (_SIZE_STEP if key == "S" else -_SIZE_STEP)
            self.size = min(4096, max(_SIZE_STEP, size))
            self.detect()
        elif key in ("b", "B"):
            self.boxes = not self.boxes
            self.show()
        elif key in moves:
            self.go(self.place + moves[key])

    def ask_where(self) -> None:
        """Asks for a number or a part of a name, and goes there."""
        answer = self.window.ask("Go to", f"Number from 1 to {len(self.paths)}, or part of a name:", "")
        if not answer:
            return
        if answer.isdecimal():
            self.go(int(answer) - 1)
            return
        following = [*range(self.place + 1, len(self.paths)), *range(self.place + 1)]
        found = next((i for i in following if answer.lower() in str(self.paths[i]).lower()), None)
        if found is not None:
            self.go(found)

    def go(self, place: int) -> None:
        """Goes to a picture; the first and the last are the ends."""
        place = min(max(place, 0), len(self.paths) - 1)
        if place != self.place:
            self.place = place
            self.load()

    def load(self) -> None:
        """Reads the picture and finds its faces; one that cannot be read shows the reason."""
        try:
            self.image = read_image(
                self.paths[self.place], background=self.wanted.background, max_pixels=self.wanted.max_pixels
            ).pixels
        except LafdError as error:
            self.image, self.faces, self.text = None, None, str(error)
            self.show()
            return
        self.detect()

    def detect(self) -> None:
        """Finds the faces of the picture again, with the threshold and the size of now."""
        if self.image is not None:
            now = dataclasses.replace(self.wanted, confidence=self.confidence, size=self.size)
            started = time.perf_counter()
            try:
                self.faces = self.detector.detect(self.image, now)
            except UsageError as error:
                self.faces, self.text = None, str(error)
            else:
                took = 1000 * (time.perf_counter() - started)
                count = len(self.faces)
                self.text = f"{count} face{'' if count == 1 else 's'} in {took:.0f} ms"
        self.show()

    def show(self) -> None:
        """Draws the window."""
        image = self.image
        if image is not None and self.faces is not None and self.boxes:
            image = draw(image, self.faces)
        where = f"{self.place + 1} / {len(self.paths)}   {self.paths[self.place]}"
        how = f"threshold {self.confidence:.2f}   size {self.size}"
        self.window.root.title(f"{self.paths[self.place].name} – {self.text} – lafd view")
        self.window.show(image, f"{where}\n{self.text}   {how}\n{KEYS}")
