"""What the page finds: the same as Python, in pictures of all kinds, and past broken, huge and many ones."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lafd import Detector, Options, load_image, preprocess
from lafd.boxes import iou
from lafd.drawing import Scene, draw_scene
from lafd.images import save_image
from lafd.web.server import make_server
from webpage import WebPage, assert_agrees, running, started

NETWORK_INPUT = """async (encoded) => {
    const { decode } = await import('/js/decode.js');
    const { fit } = await import('/js/geometry.js');
    const { networkInput } = await import('/js/resample.js');
    const bitmap = await decode(new Blob([Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0))]));
    const input = networkInput(bitmap, fit(bitmap, 640));
    let text = '';
    for (let i = 0; i < input.length; i += 8192) text += String.fromCharCode(...input.subarray(i, i + 8192));
    return btoa(text);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def opened(browser: Any) -> Iterator[WebPage]:
    with running(make_server(0)) as address:
        page = WebPage(browser, address)
        yield page
        page.close()


@pytest.fixture
def page(opened: WebPage) -> Iterator[WebPage]:
    yield opened
    assert opened.complaints == []
    opened.renew()


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> list[Path]:
    """Pictures that take every way through reading and scaling."""
    folder = tmp_path_factory.mktemp("kinds")
    bgr = scene.image
    small = draw_scene(201, 150, 5, faces=[(100, 75, 70)], style="cel").image
    save_image(folder / "as-it-is.png", draw_scene(640, 480, 6, faces=[(200, 220, 150)]).image)
    save_image(folder / "half.png", bgr)
    save_image(folder / "enlarged-twice.png", small)
    save_image(folder / "enlarged.png", draw_scene(517, 333, 7, faces=[(250, 160, 110)]).image)
    save_image(folder / "shrunk-oddly.png", cv2.resize(bgr, (1931, 1087), interpolation=cv2.INTER_CUBIC))
    save_image(folder / "shrunk-much.png", cv2.resize(bgr, (3001, 1691), interpolation=cv2.INTER_CUBIC))
    save_image(folder / "shrunk-a-little.png", cv2.resize(bgr, (701, 395), interpolation=cv2.INTER_AREA))
    save_image(folder / "tall.png", draw_scene(300, 1400, 8, faces=[(150, 300, 120), (150, 1000, 90)]).image)
    save_image(folder / "lossless.webp", small, quality=100)
    save_image(folder / "photo.jpg", bgr)
    picture = Image.fromarray(np.ascontiguousarray(bgr[:, :, ::-1]))
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", quality=92, exif=turned)
    clear = picture.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(folder / "clear.png")
    picture.convert("L").save(folder / "grey.png")
    picture.quantize(64).save(folder / "palette.gif")
    return sorted(folder.iterdir())


def test_finds_the_drawn_faces(page: WebPage, tmp_path: Path, scene: Scene) -> None:
    save_image(tmp_path / "demo.png", scene.image)
    page.add([tmp_path / "demo.png"])
    (record,) = page.records()
    found = np.array([face["box"] for face in record["faces"]], np.float32).reshape(-1, 4)
    assert (iou(scene.boxes, found).max(1) > 0.4).mean() >= 0.75
    assert page.tab.locator("#boxes .box").count() == len(found)
    assert page.tab.locator("#face-count").inner_text() == str(len(found))


def test_agrees_with_python(page: WebPage, detector: Detector, kinds: list[Path]) -> None:
    page.add(kinds)
    least = detector.card.confidence
    records = {record["path"]: record for record in page.records()}
    for path in kinds:
        # the array, because a JPEG read at a reduced scale is another picture than the one a browser reads
        found = detector.detect(load_image(path), Options(confidence=least - 0.01))
        assert_agrees(records[path.name], found, least)


def test_the_network_sees_what_it_sees_in_python(page: WebPage, kinds: list[Path]) -> None:
    for path in kinds:
        image = load_image(path)
        height, width = image.shape[:2]
        view = preprocess.fit(height, width, 640, None)
        expected = np.empty((view.padded_height, view.padded_width, 3), np.uint8)
        preprocess.place(image, view, expected)
        seen = page.tab.evaluate(NETWORK_INPUT, base64.b64encode(path.read_bytes()).decode())
        got = np.frombuffer(base64.b64decode(seen), np.uint8).reshape(expected.shape)
        difference = np.abs(got.astype(int) - expected)
        lossy = path.suffix in (".jpg", ".webp")  # another decoder may round otherwise
        assert difference.max() <= (8 if lossy else 1), path.name
        assert difference.mean() < 0.2, path.name


def test_agrees_with_python_at_another_size(
    page: WebPage, detector: Detector, tmp_path: Path, scene: Scene
) -> None:
    save_image(tmp_path / "demo.png", scene.image)
    page.add([tmp_path / "demo.png"])
    least = detector.card.confidence
    for size in (960, 384):
        page.slide("size", size)
        page.finish(1)
        found = detector.detect(scene.image, Options(size=size, confidence=least - 0.01))
        assert_agrees(page.records()[0], found, least)


def test_broken_pictures_are_named_and_the_rest_goes_on(
    page: WebPage, tmp_path: Path, pictures: Path
) -> None:
    whole = (pictures / "a.png").read_bytes()
    broken = {
        "cut.png": whole[:400],
        "empty.jpg": b"",
        "text.png": b"this is no picture at all",
        "noise.jpg": whole[:3] + bytes(2000),
        "scan.tif": b"II*\0" + bytes(100),
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    paths = [*(tmp_path / name for name in broken), pictures / "a.png"]
    page.add(paths)
    records = {record["path"]: record for record in page.records()}
    assert all(records[name]["error"].endswith(".") for name in broken)
    assert "empty" in records["empty.jpg"]["error"]
    assert "TIFF" in records["scan.tif"]["error"]
    assert records["a.png"]["faces"]
    assert "damaged" in page.tab.locator("#broken").inner_text()  # the first one is selected
    assert page.tab.locator('.entry[data-state="failed"]').count() == len(broken)


def test_fifty_megapixels_while_the_page_stays_alive(
    page: WebPage, detector: Detector, tmp_path: Path, scene: Scene
) -> None:
    huge = cv2.resize(scene.image, (9428, 5304), interpolation=cv2.INTER_LINEAR)
    assert huge.shape[0] * huge.shape[1] > 50_000_000
    save_image(tmp_path / "huge.jpg", huge, quality=80)
    page.tab.evaluate("""() => {
        let last = performance.now();
        window.longest = 0;
        setInterval(() => {
            const now = performance.now();
            window.longest = Math.max(window.longest, now - last);
            last = now;
        }, 10);
    }""")
    start = time.monotonic()
    page.add([tmp_path / "huge.jpg"])
    took = (time.monotonic() - start) * 1000
    (record,) = page.records()
    assert (record["width"], record["height"]) == (9428, 5304)
    found = detector.detect(load_image(tmp_path / "huge.jpg"))
    boxes = np.array([face["box"] for face in record["faces"]], np.float32).reshape(-1, 4)
    assert len(found) > 0
    assert (iou(found.boxes, boxes).max(1) > 0.9).all()
    assert page.tab.evaluate("window.longest") < max(1000, took / 3)  # on a busy machine everything waits


def test_two_hundred_pictures(page: WebPage, tmp_path: Path, scene: Scene) -> None:
    x1, y1, x2, y2 = scene.boxes[scene.boxes[:, 2].argmin()].astype(int)
    face = cv2.resize(
        scene.image[max(0, y1 - 40) : y2 + 40, max(0, x1 - 40) : x2 + 40],
        (96, 96),
        interpolation=cv2.INTER_AREA,
    )
    paths = [tmp_path / f"{i:03d}.png" for i in range(200)]
    for i, path in enumerate(paths):
        save_image(path, np.roll(face, i // 20, 1))
    page.add(paths)
    records = page.records()
    assert [record["path"] for record in records] == [path.name for path in paths]
    assert sum(bool(record["faces"]) for record in records) > 150
    archive = zipfile.ZipFile(io.BytesIO(page.saved("#save-zip")))
    assert archive.testzip() is None
    assert json.loads(archive.read("results.json")) == records
    faces = [name for name in archive.namelist() if name.startswith("faces/")]
    assert len(faces) == sum(len(record["faces"]) for record in records)
    assert len(archive.read("results.csv").decode().splitlines()) == 1 + sum(
        max(1, len(record["faces"])) for record in records
    )
