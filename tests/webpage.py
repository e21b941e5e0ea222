"""The page in a real browser: starting both, and using the page as a person does."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lafd import Detections

PATIENCE = 300_000  # ms; the machine may be busy
AXE = Path(__file__).parents[1] / "build" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@contextlib.contextmanager
def started(*more: str) -> Iterator[Any]:
    """Chromium, headless; skips the test when it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium on the PATH, or its path in the variable CHROMIUM")
    with playwright.sync_playwright() as drivers:
        browser = drivers.chromium.launch(executable_path=program, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()


@contextlib.contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    """Runs a server in a thread; gives its address."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class WebPage:
    """The page, opened and ready.

    Attributes:
        tab: Playwright's page.
        complaints: What the page threw or wrote to the console as an error.
    """

    def __init__(self, browser: Any, address: str, *, ready: bool = True, **context: Any) -> None:
        # without animations, which take time from the detector where no GPU draws them
        self.context = browser.new_context(**{"reduced_motion": "reduce", **context})
        self.context.set_default_timeout(PATIENCE)
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on(
            "console", lambda line: self.complaints.append(line.text) if line.type == "error" else None
        )
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(address)
        if ready:
            self.tab.wait_for_selector("body[data-ready]")
            self.defaults = {slider: self.tab.input_value(f"#{slider}") for slider in ("threshold", "size")}

    def close(self) -> None:
        """Closes the tab."""
        self.context.close()

    def renew(self) -> None:
        """Makes it as it was after opening, which takes much longer."""
        self.tab.evaluate("document.getElementById('clear').click()")
        for slider, value in self.defaults.items():
            self.slide(slider, value)
        self.complaints.clear()
        self.requests.clear()

    def add(self, paths: Sequence[Path]) -> None:
        """Chooses pictures with the file picker and waits until all are done."""
        before = self.tab.locator(".entry").count()
        self.tab.set_input_files("#pick-pictures", [str(path) for path in paths])
        self.finish(before + len(paths))

    def finish(self, count: int) -> None:
        """Waits until so many pictures are in the list and done."""
        self.tab.wait_for_function(
            "count => document.querySelectorAll('.entry:is([data-state=done], [data-state=failed])').length === count",
            arg=count,
            polling=100,
        )

    def slide(self, slider: str, value: int | str) -> None:
        """Moves a slider, also one that does not show."""
        self.tab.locator(f"#{slider}").evaluate(
            """(slider, value) => {
                slider.value = value;
                for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type));
            }""",
            str(value),
        )

    def saved(self, button: str) -> bytes:
        """The file that a button saves."""
        with self.tab.expect_download() as download:
            self.tab.click(button)
        return Path(download.value.path()).read_bytes()

    def records(self) -> list[dict[str, Any]]:
        """The results, saved as JSON."""
        return list(json.loads(self.saved("#save-json")))

    def violations(self) -> list[str]:
        """Serious faults that axe-core finds."""
        return violations_of(self.tab)


def violations_of(tab: Any) -> list[str]:
    """Serious faults that axe-core finds in a page."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: npm install --prefix build axe-core@4.14.1")
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.evaluate("axe.run()")["violations"]
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']} {fault['nodes'][0]['failureSummary']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


def assert_agrees(record: dict[str, Any], found: Detections, least: float) -> None:
    """Checks a record of the page against Python's faces, found with a threshold a little under `least`."""
    assert (record["width"], record["height"]) == (found.width, found.height)
    boxes = np.array([face["box"] for face in record["faces"]], np.float32).reshape(-1, 4)
    scores = np.array([face["score"] for face in record["faces"]], np.float32)
    distance: NDArray[np.float32] = np.abs(boxes[:, None] - found.boxes[None]).max(2, initial=0)
    same = (distance <= 1) & (np.abs(scores[:, None] - found.scores[None]) <= 0.01)
    assert same.any(1).all(), f"the page alone found {boxes[~same.any(1)].tolist()}"
    missed = ~same.any(0) & (found.scores >= least + 0.01)
    assert not missed.any(), f"the page missed {found.boxes[missed].tolist()}"
