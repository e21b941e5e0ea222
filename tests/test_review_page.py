"""Correcting boxes in a real browser: mouse, keys and fingers, kills of either side, and 5,000 pictures."""

from __future__ import annotations

import json
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lafd.annotations import AnnotatedImage, Annotation, Dataset, read_annotations, write_annotations
from lafd.images import save_image

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from lafd.review.journal import Journal
from lafd.review.project import load
from lafd.review.session import Session
from lafd.review.sources import Output, Sources
from reviewing import ReviewPage, answering, copies, reviewing
from webpage import PATIENCE, started

SIZE = (240, 160)
FACES = (Annotation((40, 40, 80, 90), score=0.9), Annotation((150, 60, 190, 110), score=0.42))
OPTIONS = {"annotations": "faces.json"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures: a sure face, two faces of which one is doubtful, no face, and a file that is gone."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, name in enumerate("abc"):
        save_image(folder / f"{name}.png", np.full((SIZE[1], SIZE[0], 3), 60 + 50 * i, np.uint8))
    boxes = {"a.png": FACES[:1], "b.png": FACES, "c.png": (), "gone.png": FACES}
    images = tuple(AnnotatedImage(name, *SIZE, found) for name, found in boxes.items())
    write_annotations(Dataset(images, root=folder), folder / "faces.json", "coco")
    return folder


class Review:
    """A review in this process, and its page.

    Attributes:
        session: What the program knows.
        page: The page.
    """

    def __init__(self, session: Session, page: ReviewPage) -> None:
        self.session, self.page = session, page

    def boxes(self, index: int) -> list[list[float]]:
        """The boxes of a picture when all is saved, to whole pixels."""
        self.page.saved()
        return [[round(side) for side in box.box] for box in self.session.states[index].boxes]

    def wait(self, done: Callable[[Session], bool]) -> None:
        """Waits until the program knows something."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not done(self.session):
            assert time.monotonic() < deadline, self.session.states
            self.page.tab.wait_for_timeout(20)


@pytest.fixture
def review(browser: Any, folder: Path) -> Iterator[Review]:
    session = Session(
        load(Sources(folder, folder / "faces.json")), Journal(folder / "faces.reviewed.json.journal")
    )
    with answering(session, Output(folder / "faces.reviewed.json", "coco")) as client:
        page = ReviewPage(browser, str(client.base_url))
        yield Review(session, page)
        page.close()
    session.journal.close()
    assert [text for text in page.complaints if "404" not in text and "409" not in text] == []


def test_draw_move_resize_delete_undo_and_reload(review: Review) -> None:
    page = review.page
    page.drag((100, 20), (140, 70), SIZE)
    assert review.boxes(0) == [[40, 40, 80, 90], [100, 20, 140, 70]]
    page.drag((120, 45), (130, 55), SIZE)  # by its middle
    page.drag((150, 80), (180, 120), SIZE)  # by its corner
    assert review.boxes(0)[1] == [110, 30, 180, 120]
    page.drag((60, 60), (10, 65), SIZE)  # another box, as far as the picture goes
    assert review.boxes(0)[0] == [0, 45, 40, 95]
    page.tab.reload()
    page.at(0)
    assert page.tab.locator("#boxes .box").count() == 2
    page.tab.mouse.move(*page.place(20, 60, SIZE))
    page.press("x")  # the box under the mouse
    assert review.boxes(0) == [[110, 30, 180, 120]]
    for expected in (2, 2, 2, 2, 1):
        page.press("z")
        review.wait(lambda session, expected=expected: len(session.states[0].boxes) == expected)  # type: ignore[misc]
        page.at(0)
        page.saved()
    assert review.session.states == review.session.project.states
    page.press("z")
    assert "nothing to undo" in page.tab.locator("#notice:visible p").inner_text()
    page.press("y")
    review.wait(lambda session: len(session.states[0].boxes) == 2)
    assert review.session.states[0].status == "edited"


def test_the_keyboard_is_enough(review: Review) -> None:
    page, states = review.page, review.session.states
    page.press("a")
    page.at(1)
    page.press("f", "f", "i", "Shift+ArrowLeft", "Alt+ArrowDown", "Alt+Shift+ArrowUp", "Enter")
    page.at(2)
    review.wait(lambda session: session.states[1].status == "accepted")
    assert states[1].boxes[1].ignore and states[1].boxes[1].score is None
    assert states[1].boxes[1].box == (149, 59, 189, 111) and states[1].boxes[0].box == FACES[0].box
    page.press("n", "r")
    page.at(3)
    review.wait(lambda session: session.states[2].status == "rejected")
    x1, y1, x2, y2 = states[2].boxes[0].box
    assert (x1 + x2) / 2 == pytest.approx(SIZE[0] / 2, abs=1) and x2 - x1 == pytest.approx(y2 - y1, abs=1)
    page.press("ArrowLeft", "ArrowLeft")
    page.at(1)
    page.press("Shift+f", "Delete", "u")
    page.at(3)  # the next one that is to do
    page.press("u")
    page.at(1)  # edited, so it is to do again
    assert len(review.boxes(1)) == 1 and states[1].status == "edited"
    page.press("?")
    assert page.tab.locator("#keys").is_visible()
    page.press("Escape", "a")
    page.at(2)
    assert page.tab.locator("#headway-text").inner_text() == "3 of 4"


def test_a_picture_that_is_gone_says_so_and_can_be_rejected(review: Review) -> None:
    page = review.page
    page.tab.locator(".row").last.click()
    page.at(3)
    assert "gone.png does not exist" in page.tab.inner_text("#fault")
    assert page.tab.locator("#boxes .box").count() == 2
    page.press("r")
    review.wait(lambda session: session.states[3].status == "rejected")
    assert "last picture" in page.tab.inner_text("#notice")
    assert page.tab.inner_text("#warning-count") == "1"


def test_filters_and_export(review: Review, folder: Path) -> None:
    page = review.page
    names = page.tab.locator(".row .name")
    page.tab.select_option("#show", "doubtful")
    page.at(1)
    assert names.all_inner_texts()[0] == "b.png" and names.count() == 4
    assert page.tab.locator(".box.doubtful").count() == 1
    page.tab.select_option("#show", "none")
    page.at(2)
    assert names.all_inner_texts() == ["c.png"]
    page.tab.select_option("#show", "many")
    page.tab.wait_for_selector("#empty:visible")
    page.press("a", "x", "z")  # there is nothing to do it to
    page.tab.select_option("#show", "all")
    page.at(0)
    page.press("a")
    page.at(1)
    page.tab.select_option("#status", "accepted")
    page.at(0)
    page.tab.reload()
    page.at(0)
    assert names.all_inner_texts() == ["a.png"] and page.tab.inner_text("#badge") == "Accepted"
    page.press("Control+s")
    page.tab.wait_for_selector("#notice:visible")
    assert "4 pictures with 5 boxes" in page.tab.inner_text("#notice")
    written = read_annotations(folder / "faces.reviewed.json")
    assert written.images[0].annotations[0].score is None


def test_two_tabs_do_not_overwrite_each_other(review: Review) -> None:
    page = review.page
    other = page.context.new_page()
    other.goto(page.tab.url)
    other.wait_for_selector("body[data-ready]")
    other.keyboard.press("n")
    review.wait(lambda session: len(session.states[0].boxes) == 2)
    page.drag((100, 100), (140, 150), SIZE)
    page.tab.wait_for_selector("#notice:visible")
    page.at(0)
    assert "changed meanwhile" in page.tab.inner_text("#notice")
    assert page.tab.locator("#boxes .box").count() == len(review.session.states[0].boxes) == 2
    page.drag((10, 110), (50, 150), SIZE)
    review.wait(lambda session: len(session.states[0].boxes) == 3)


def test_fingers_draw_and_zoom(browser: Any, folder: Path) -> None:
    session = Session(load(Sources(folder, folder / "faces.json")), Journal(folder / "x.journal"))
    with answering(session, Output(folder / "x.json", "coco")) as client:
        page = ReviewPage(
            browser,
            str(client.base_url),
            viewport={"width": 390, "height": 844},
            has_touch=True,
            is_mobile=True,
        )
        review = Review(session, page)
        touch(page, [page.place(100, 20, SIZE)], [page.place(140, 70, SIZE)])
        assert review.boxes(0)[1] == [100, 20, 140, 70]
        touch(page, [page.place(130, 60, SIZE)], [page.place(135, 65, SIZE)])
        before = page.tab.locator("#frame").bounding_box()["width"]
        near = [page.place(110, 80, SIZE), page.place(130, 80, SIZE)]
        far = [page.place(80, 80, SIZE), page.place(160, 80, SIZE)]
        touch(page, near, far)
        assert page.tab.locator("#frame").bounding_box()["width"] > 2 * before
        assert len(review.boxes(0)) == 2
        page.tab.tap("#accept")
        page.at(1)
        review.wait(lambda session: session.states[0].status == "accepted")
        assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()
    session.journal.close()


def touch(page: ReviewPage, starts: list[tuple[float, float]], ends: list[tuple[float, float]]) -> None:
    """Moves fingers from some points to others."""
    fingers = page.context.new_cdp_session(page.tab)

    def send(kind: str, share: float) -> None:
        points = [
            {"x": ax + (bx - ax) * share, "y": ay + (by - ay) * share, "id": i}
            for i, ((ax, ay), (bx, by)) in enumerate(zip(starts, ends, strict=True))
        ]
        fingers.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        )

    send("touchStart", 0)
    for step in range(1, 5):
        send("touchMove", step / 4)
    send("touchEnd", 1)
    fingers.detach()


def test_kills_of_the_program_and_of_the_browser_lose_nothing(browser: Any, folder: Path) -> None:
    with reviewing(folder) as program:
        page = ReviewPage(browser, program.url)
        page.press("a")
        page.at(1)
        page.drag((20, 20), (60, 70), SIZE)
        page.saved()
        program.kill()
    page.drag((100, 20), (140, 70), SIZE)  # nobody answers now
    page.press("a")
    page.tab.wait_for_selector('#saved[data-state="failing"]')
    assert not (folder / "faces.reviewed.json").exists()
    page.tab.close()  # and the tab dies, too
    with reviewing(folder, port=program.port) as program:
        tab = page.context.new_page()
        tab.goto(program.url)
        tab.wait_for_selector("body[data-ready]")
        states = [program.picture(i) for i in range(2)]
        assert [state["status"] for state in states] == ["accepted", "accepted"]
        assert len(states[1]["boxes"]) == 4
        program.kill()
        tab.keyboard.press("r")
        tab.wait_for_selector('#saved[data-state="failing"]')
    with reviewing(folder, port=program.port) as program:  # the tab is still open and goes on by itself
        tab.wait_for_selector('#saved[data-state="saved"]')
        assert program.picture(2)["status"] == "rejected"
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(PATIENCE / 1000) == 0
    page.close()
    written = json.loads((folder / "faces.reviewed.json").read_bytes())
    assert [image["file_name"] for image in written["images"]] == ["a.png", "b.png", "gone.png"]
    assert len(written["annotations"]) == 1 + 4 + 2


def test_5000_pictures_do_not_slow_it_down(browser: Any, tmp_path: Path) -> None:
    save_image(tmp_path / "one.png", np.full((48, 64, 3), 120, np.uint8))
    copies(tmp_path / "one.png", tmp_path / "pictures", 5000)
    session = Session(load(Sources(tmp_path / "pictures")), Journal(tmp_path / "journal"))
    with answering(session, Output(tmp_path / "out.json", "coco")) as client:
        assert len(client.get("/api/review").content) < 400_000
        page = ReviewPage(browser, str(client.base_url))
        page.tab.locator("#list").focus()

        def pace(first: int) -> float:
            seconds = []
            for i in range(first, first + 10):
                started = time.perf_counter()
                page.press("a")
                page.at(i + 1)
                seconds.append(time.perf_counter() - started)
            return statistics.median(seconds)

        at_the_start = pace(0)
        page.tab.evaluate("location.hash = '#4900/all/any'")
        page.tab.reload()
        page.at(4900)
        at_the_end = pace(4900)
        assert page.tab.locator(".row").count() < 60
        assert page.tab.locator(".row[aria-selected=true]").inner_text().split()[0] == "picture-04910.png"
        page.saved()
        assert sum(state.status == "accepted" for state in session.states) == 20
        assert at_the_end < 3 * at_the_start + 0.1
        assert page.complaints == []
        page.close()
    session.journal.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(browser: Any, folder: Path, theme: str) -> None:
    session = Session(
        load(Sources(folder, folder / "faces.json", other=folder / "faces.json")), Journal(folder / "j")
    )
    with answering(session, Output(folder / "x.json", "coco")) as client:
        page = ReviewPage(browser, str(client.base_url), color_scheme=theme)
        page.press("ArrowRight", "f", "i", "ArrowRight", "a", "r")
        assert page.violations() == []
        page.press("?")
        assert page.violations() == []
        page.close()
    session.journal.close()
