"""The page on a GPU that Chromium imitates: the same results, and the processor where the GPU fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from lafd import Detector, Options
from lafd.drawing import Scene
from lafd.images import save_image
from lafd.web.server import make_server
from webpage import WebPage, assert_agrees, running, started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader") as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[WebPage]:
    with running(make_server(0)) as address:
        page = WebPage(browser, address)
        if not page.tab.evaluate("async () => Boolean(await navigator.gpu?.requestAdapter())"):
            pytest.skip("this Chromium imitates no GPU")
        yield page
        page.close()


def engine(page: WebPage, device: str) -> str:
    """Chooses where the network runs; gives what the page says of it then."""
    page.tab.evaluate("document.getElementById('clear').click()")
    page.tab.evaluate(
        """device => {
            document.getElementById('device').value = device;
            document.getElementById('device').dispatchEvent(new Event('change'));
        }""",
        device,
    )
    page.tab.wait_for_selector("body[data-ready]")
    return str(page.tab.inner_text("#engine"))


def test_gpu_agrees_with_python(page: WebPage, detector: Detector, tmp_path: Path, scene: Scene) -> None:
    assert "thread" in page.tab.inner_text("#engine")  # one that is imitated is not chosen by itself
    assert "graphics processor" in engine(page, "gpu")
    picture = cv2.resize(scene.image, (320, 180), interpolation=cv2.INTER_AREA)
    page.slide("size", 320)  # an imitated GPU takes its time
    save_image(tmp_path / "demo.png", picture)
    page.add([tmp_path / "demo.png"])
    least = detector.card.confidence
    found = detector.detect(picture, Options(size=320, confidence=least - 0.01))
    assert len(found) >= 3
    assert_agrees(page.records()[0], found, least)
    assert "graphics processor" in page.tab.inner_text("#engine")
    assert page.complaints == []
    assert "thread" in engine(page, "cpu")


def test_the_processor_takes_over_where_the_gpu_fails(page: WebPage, pictures: Path) -> None:
    page.context.route("**/*.jspi.wasm.gz", lambda route: route.fulfill(status=404))
    told = engine(page, "gpu")
    assert "thread" in told and "the graphics processor failed" in told
    page.add([pictures / "a.png"])
    assert page.records()[0]["faces"]
