"""Starting `lafd review` for a test, and using its page as a person does."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from httpx import Client

from lafd.review.app import create_app
from lafd.review.session import Session
from lafd.review.sources import Output
from webpage import PATIENCE, violations_of

__all__ = ["Client", "Program", "ReviewPage", "answering", "copies", "reviewing"]


@contextlib.contextmanager
def answering(session: Session, output: Output) -> Iterator[Client]:
    """The routes, served by a thread; and who asks them."""
    config = uvicorn.Config(create_app(session, output), log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


class Program:
    """A running `lafd review`.

    Attributes:
        url: Its address.
        process: The process.
        said: Lines of its standard error so far.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url
        self.http = Client(base_url=url, timeout=PATIENCE / 1000)
        self.said: list[str] = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(iter(self.process.stderr.readline, ""))

    def picture(self, index: int) -> dict[str, Any]:
        """One picture, as the program knows it."""
        return dict(self.http.get(f"/api/pictures/{index}").json())

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ends it as Ctrl+C would, and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(PATIENCE / 1000)
        self.reader.join(PATIENCE / 1000)
        return status


@contextlib.contextmanager
def reviewing(*arguments: object, port: int = 0) -> Iterator[Program]:
    """The program, for the length of a block."""
    command = [sys.executable, "-m", "lafd", "review", *map(str, arguments), "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        line = ""
        while "http://" not in line:
            line = process.stdout.readline()
            assert line, process.stderr.read()
        program = Program(process, line.split()[4])
        try:
            yield program
        finally:
            program.http.close()
            program.stop()


class ReviewPage:
    """The page, opened and showing a picture.

    Attributes:
        tab: Playwright's page.
        complaints: What the page threw or wrote to the console as an error.
    """

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self.context = browser.new_context(
            **{"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce", **context}
        )
        self.context.set_default_timeout(PATIENCE)
        self.tab = self.context.new_page()
        self.complaints: list[str] = []
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on(
            "console", lambda line: self.complaints.append(line.text) if line.type == "error" else None
        )
        self.tab.goto(url)
        self.tab.wait_for_selector("body[data-ready]")

    def close(self) -> None:
        self.context.close()

    def violations(self) -> list[str]:
        """Serious faults that axe-core finds."""
        return violations_of(self.tab)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tab.keyboard.press(key)

    def at(self, index: int) -> None:
        """Waits until a picture is shown."""
        self.tab.wait_for_selector(f'body[data-ready="{index}"]')

    def saved(self) -> None:
        """Waits until everything is on the disk."""
        self.tab.wait_for_selector('#saved[data-state="saved"]')

    def place(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """The point of the screen of a pixel of a picture of (width, height)."""
        frame = self.tab.locator("#frame").bounding_box()
        return frame["x"] + x / size[0] * frame["width"], frame["y"] + y / size[1] * frame["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float], size: tuple[int, int]) -> None:
        """Drags with the mouse, from and to pixels of the picture."""
        self.tab.mouse.move(*self.place(*start, size))
        self.tab.mouse.down()
        self.tab.mouse.move(*self.place(*end, size), steps=4)
        self.tab.mouse.up()


def copies(source: Path, folder: Path, count: int) -> None:
    """Links to a picture under so many names."""
    folder.mkdir(parents=True)
    for i in range(count):
        os.link(source, folder / f"picture-{i:05}{source.suffix}")
