"""Using the page: camera, video, dropping, pasting, keyboard, saving, troubles; and what axe-core says of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lafd import web
from lafd.drawing import Scene
from lafd.images import encode_image, save_image
from lafd.web.server import make_server
from webpage import WebPage, running, started

PUT = """async ({kind, names}) => {
    const blob = await (await fetch('example.webp')).blob();
    const transfer = new DataTransfer();
    for (const name of names) transfer.items.add(new File([blob], name, {type: 'image/webp'}));
    if (kind === 'paste') dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer}));
    else for (const type of ['dragenter', 'dragover', 'drop']) {
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }
}"""

LEFT_SIDES = "() => [...document.querySelectorAll('#boxes .box')].map((box) => box.style.left)"
FIVE_BOXES = "() => document.querySelectorAll('#boxes .box').length >= 5"


def small(scene: Scene) -> NDArray[np.uint8]:
    """The demonstration picture at the size at which the network sees it."""
    return np.asarray(cv2.resize(scene.image, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Path:
    """The demonstration picture as a film for the camera."""
    path = tmp_path_factory.mktemp("film") / "scene.mjpeg"
    path.write_bytes(encode_image(small(scene), ".jpg") * 10)
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Any]:
    with started(f"--use-file-for-fake-video-capture={film}") as browser:
        yield browser


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(make_server(0)) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser: Any, address: str) -> Iterator[WebPage]:
    page = WebPage(browser, address)
    yield page
    page.close()


@pytest.fixture
def page(opened: WebPage, address: str) -> Iterator[WebPage]:
    yield opened
    assert opened.complaints == []
    assert all(url.startswith((address, "blob:")) for url in opened.requests)
    opened.renew()


def test_the_camera_shows_faces_and_keeps_a_frame(page: WebPage) -> None:
    page.tab.click("header [data-open=camera]")
    page.tab.wait_for_function(FIVE_BOXES)
    page.tab.wait_for_function("() => document.getElementById('readout').textContent.includes('frames/s')")
    page.tab.click("#keep-frame")
    page.finish(1)
    assert page.tab.locator("#video").is_visible()
    page.tab.click("#stop-live")
    assert page.tab.evaluate("document.getElementById('video').srcObject") is None
    assert len(page.records()[0]["faces"]) >= 5


def test_a_video_shows_faces_frame_by_frame(page: WebPage, tmp_path: Path, scene: Scene) -> None:
    path = tmp_path / "film.webm"
    frame = small(scene)
    height, width = frame.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), 10, (width, height))
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write WebM")
    for i in range(30):
        writer.write(frame if i < 15 else frame[:, ::-1].copy())
    writer.release()
    page.tab.set_input_files("#pick-video", str(path))
    page.tab.wait_for_function(FIVE_BOXES)
    page.tab.evaluate("document.getElementById('video').pause()")
    page.tab.evaluate("document.getElementById('video').currentTime = 0.5")
    page.tab.wait_for_timeout(1000)
    before = page.tab.evaluate(LEFT_SIDES)
    page.tab.evaluate("document.getElementById('video').currentTime = 2.5")  # from here on mirrored
    page.tab.wait_for_function(f"before => ({LEFT_SIDES})().join() !== before.join()", arg=before)
    assert page.tab.locator("#boxes .box").count() >= 5
    broken = tmp_path / "broken.webm"
    broken.write_bytes(bytes(5000))
    page.tab.set_input_files("#pick-video", str(broken))
    page.tab.wait_for_selector("#notice:visible")
    assert "broken.webm" in page.tab.inner_text("#notice")


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pasting_and_dropping(page: WebPage, kind: str) -> None:
    page.tab.evaluate(PUT, {"kind": kind, "names": ["one.webp", "two.webp"]})
    page.finish(2)
    assert [record["path"] for record in page.records()] == ["one.webp", "two.webp"]
    assert page.tab.locator("#veil").is_hidden()


def test_a_folder_with_other_files(page: WebPage, pictures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shutil.copytree(pictures, folder)
    (folder / "notes.txt").write_text("not a picture")
    page.tab.set_input_files("#pick-folder", str(folder))
    page.finish(3)
    assert [r["path"] for r in page.records()] == ["folder/a.png", "folder/sub/B.JPG", "folder/sub/c.webp"]
    page.tab.click("#clear")
    assert page.tab.locator("#welcome-title").is_visible()


def test_the_keyboard_is_enough(page: WebPage, pictures: Path) -> None:
    page.add([pictures / "a.png", pictures / "sub" / "B.JPG", pictures / "sub" / "c.webp"])
    chosen = page.tab.locator('.entry[aria-selected="true"] .name')
    page.tab.focus("#list")
    for key, name in (("ArrowDown", "B.JPG"), ("End", "c.webp"), ("Home", "a.png"), ("ArrowUp", "a.png")):
        page.tab.keyboard.press(key)
        assert chosen.inner_text() == name
    before = page.tab.locator("#boxes .box").count()
    assert before > 0
    page.tab.focus("#threshold")
    page.tab.keyboard.press("End")
    assert page.tab.locator("#boxes .box").count() == len(page.records()[0]["faces"]) < before
    page.tab.focus("#threshold")
    page.tab.keyboard.press("Home")
    page.tab.wait_for_selector(".crop img[src]")
    assert page.tab.locator(".crop").count() == page.tab.locator("#boxes .box").count() >= before
    page.tab.locator(".crop").first.focus()
    assert page.tab.locator(".box.lit").count() == 1
    with page.tab.expect_download() as download:
        page.tab.keyboard.press("Enter")
    face = page.records()[0]["faces"][0]["box"]
    with Image.open(download.value.path()) as crop:
        assert crop.format == "PNG"
        assert crop.width >= face[2] - face[0]
        assert crop.height >= face[3] - face[1]


def test_csv_has_the_columns_of_the_command_line(page: WebPage, pictures: Path, tmp_path: Path) -> None:
    odd = tmp_path / 'a "comma", here.png'
    shutil.copy(pictures / "a.png", odd)
    page.add([odd, pictures / "sub" / "c.webp"])
    lines = page.saved("#save-csv").decode().splitlines()
    assert lines[0] == "path,frame,width,height,x1,y1,x2,y2,score,error"
    assert lines[1].startswith('"a ""comma"", here.png",,400,300,')
    assert lines[-1] == "c.webp,,320,200,,,,,,"


def test_a_model_that_does_not_load_can_be_tried_again(browser: Any, address: str) -> None:
    page = WebPage(browser, "about:blank", ready=False)
    page.tab.route("**/*.onnx", lambda route: route.fulfill(status=503))
    page.tab.goto(address)
    page.tab.wait_for_selector("#retry:visible")
    page.tab.click("#example")  # it waits
    assert "503" in page.tab.inner_text("#notice")
    page.tab.unroute_all()
    page.tab.click("#retry")
    page.finish(1)
    assert page.tab.locator("#notice").is_hidden()
    page.close()


def test_plain_files_on_any_host(browser: Any, tmp_path: Path, scene: Scene) -> None:
    web.export(tmp_path / "some" / "path")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path)))) as address:
        page = WebPage(browser, f"{address}some/path/")
        assert page.tab.evaluate("crossOriginIsolated") is False
        assert "1 thread" in page.tab.inner_text("#engine")
        save_image(tmp_path / "demo.png", scene.image)
        page.add([tmp_path / "demo.png"])
        assert page.records()[0]["faces"]
        assert page.complaints == []
        page.close()


def test_accessible_in_every_state(page: WebPage, pictures: Path) -> None:
    def check() -> None:
        for theme, width in (("light", 320), ("dark", 1280), ("light", 390)):
            page.tab.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.tab.set_viewport_size({"width": width, "height": 800})
            assert page.tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            if width > 320:  # looking at one phone is enough for what takes long
                assert page.violations() == [], (theme, width)

    check()
    page.tab.set_input_files("#pick-pictures", files={"name": "no.png", "mimeType": "", "buffer": b"no"})
    page.add([pictures / "a.png"])
    page.tab.locator(".entry").last.click()
    page.tab.wait_for_selector(".crop img[src]")
    check()
    page.tab.locator(".entry").first.click()
    page.tab.wait_for_selector("#broken:visible")
    check()
    page.tab.click("header [data-open=camera]")
    page.tab.wait_for_selector("#keep-frame:visible")
    check()
