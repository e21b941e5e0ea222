"""`lafd view` and `lafd webcam` on a display of their own, worked with keys as a user would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab, features

from conftest import RunLafd

PATIENCE = 120  # s; a busy machine may need long to start

needs_display = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool") and features.check("xcb")),
    reason="needs Xvfb, xdotool and a Pillow that takes screenshots",
)


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen of 1200 x 900 pixels."""
    pytest.importorskip("tkinter")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1200x900x24", "-nolisten", "tcp"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as number:
        name = ":" + number.readline().strip()
    yield name
    server.terminate()
    server.wait(timeout=30)


class Desk:
    """A running command with a window."""

    def __init__(self, display: str, *arguments: object) -> None:
        self.display = display
        self.environment = {**os.environ, "DISPLAY": display}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lafd", *map(str, arguments)],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def do(self, *arguments: str) -> str:
        """Runs xdotool."""
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def title(self) -> str:
        window = self.do("search", "--onlyvisible", "--class", "lafd").split("\n")[0]
        return self.do("getwindowname", window) if window else ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits until the title matches."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = re.search(pattern, self.title())
            if found:
                return found
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.1)
        raise AssertionError(f"the title is {self.title()!r} and not like {pattern!r}")

    def press(self, *keys: str) -> None:
        window = self.do("search", "--onlyvisible", "--class", "lafd").split("\n")[0]
        self.do("windowfocus", "--sync", window)
        self.do("key", *keys)

    def wait_for_boxes(self, drawn: bool = True) -> None:
        """Waits until boxes are on the screen, or are not."""
        end = time.monotonic() + PATIENCE
        while boxes_are_drawn(self.screenshot()) != drawn:
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.2)

    def screenshot(self) -> np.ndarray:
        """RGB, uint8 (h, w, 3)."""
        return np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB"))


def boxes_are_drawn(shot: np.ndarray) -> bool:
    """Whether the screen has a good number of pixels in the colour of boxes."""
    return bool((np.abs(shot.astype(int) - (60, 200, 80)).max(2) < 12).sum() > 150)


@needs_display
def test_view_goes_through_a_folder_by_keys(display: str, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    (folder / "broken.png").write_bytes(b"no picture")
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    desk = Desk(display, "view", folder, "--confidence", "0.3", "--threads", "1")
    try:
        desk.wait_for(r"a\.png – 2 faces")
        desk.wait_for_boxes()
        desk.press("b")
        desk.wait_for_boxes(False)
        desk.press("b", "Left")
        assert desk.wait_for(r"a\.png – 2 faces")
        desk.press("Right")
        desk.wait_for(r"broken\.png – .*broken\.png")
        desk.press("End")
        desk.wait_for(r"c\.webp – 0 faces")
        desk.press("Right", "Left")
        desk.wait_for(r"B\.JPG – 1 face in")
        desk.press("Home", *["plus"] * 14)
        desk.wait_for(r"a\.png – 0 faces")
        desk.press(*["minus"] * 14)
        desk.wait_for(r"a\.png – 2 faces")
        desk.press("g")
        end = time.monotonic() + PATIENCE
        while "Go to" not in desk.do("search", "--name", "Go to", "getwindowname"):
            assert time.monotonic() < end
        time.sleep(1)
        desk.do("type", "c.we")
        desk.do("key", "Return")
        desk.wait_for(r"c\.webp – 0 faces")
        desk.press("q")
        assert desk.process.wait(timeout=PATIENCE) == 0
    finally:
        desk.process.kill()
        _, said = desk.process.communicate()
    assert not said
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


@needs_display
def test_webcam_shows_faces_and_ends_with_q(display: str, tmp_path: Path) -> None:
    pytest.importorskip("av")
    pytest.importorskip("cjm_byte_track")
    from films import drawn, moving, write_film

    picture = drawn(moving, 1)[0][0]
    film = write_film(tmp_path / "film.mp4", [picture] * 240, rate=2)
    desk = Desk(display, "webcam", film, "--mirror", "--size", "320", "--threads", "1")
    try:
        desk.wait_for("lafd webcam")
        desk.wait_for_boxes()
        desk.press("q")
        assert desk.process.wait(timeout=PATIENCE) == 0
    finally:
        desk.process.kill()
        desk.process.communicate()


def test_without_a_display_there_is_one_clear_sentence(
    lafd: RunLafd, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems always have a display")
    monkeypatch.delenv("DISPLAY", raising=False)
    done = lafd("view", pictures)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "window" in done.stderr


def test_there_is_no_webcam_77(lafd: RunLafd) -> None:
    pytest.importorskip("av")
    pytest.importorskip("cjm_byte_track")
    done = lafd("webcam", "77")
    assert done.returncode == 2
    assert "webcam 77" in done.stderr
