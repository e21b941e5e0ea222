"""The client gives what the detector gives."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lafd import Detections, Detector, Options
from lafd.drawing import draw_scene
from lafd.errors import ImageError, UsageError
from lafd.images import encode_image, load_image, save_image
from lafd.pixels import Pixels

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from lafd.client import AsyncClient, Client, ServiceError
from serving import PATIENCE, Service, serving

KEY = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving(
        "--max-queue", 4, "--max-pictures", 4, LAFD_API_KEYS=f"other-key-other-key, {KEY}"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[Client]:
    with Client(service.url, key=KEY, timeout=PATIENCE) as client:
        yield client


@pytest.fixture(scope="module")
def picture() -> Pixels:
    return draw_scene(400, 300, 1, faces=[(110, 150, 90), (290, 150, 90)], style="cel").image


def assert_same(found: Detections, expected: Detections) -> None:
    assert found.to_dict() == expected.to_dict()
    assert found.boxes.dtype == np.float32 and found.boxes.shape == (len(found), 4)


def test_every_kind_of_image(client: Client, detector: Detector, picture: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    save_image(path, picture)
    expected = detector.detect(picture)
    assert len(expected) > 0
    data = path.read_bytes()
    for image in (path, str(path), data, io.BytesIO(data), picture, Image.open(path)):
        assert_same(client.detect(image), expected)


def test_batch_options_and_models(client: Client, detector: Detector, picture: Pixels) -> None:
    blank = np.zeros((50, 60, 3), np.uint8)
    options = Options(size=320, confidence=0.2, max_faces=1, background=(1, 2, 3), max_pixels=10**7)
    found = client.detect_batch([picture, blank], options, model="base")
    for one, expected in zip(found, detector.detect_batch([picture, blank], options), strict=True):
        assert_same(one, expected)
    assert client.models()["default"] == "base"


def test_annotated_picture(client: Client, picture: Pixels) -> None:
    drawn = load_image(client.annotate(picture, ending=".png"))
    assert drawn.shape == picture.shape and (drawn != picture).any()


def test_asynchronous_client(service: Service, detector: Detector, picture: Pixels) -> None:
    async def main() -> list[Detections]:
        async with AsyncClient(service.url, key=KEY, timeout=PATIENCE) as client:
            assert (await client.models())["default"] == "base"
            assert load_image(await client.annotate(picture)).shape == picture.shape
            return await asyncio.gather(*(client.detect(picture) for _ in range(3)))

    for found in asyncio.run(main()):
        assert_same(found, detector.detect(picture))


def test_waits_while_the_service_is_busy(client: Client, service: Service, picture: Pixels) -> None:
    png = encode_image(picture, ".png")
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda _: client.detect(png, Options(size=2048)), range(24)))
    assert len({str(faces.to_dict()) for faces in found}) == 1
    statuses = [record.get("status") for record in service.records()]
    assert statuses.count(429) > 0


def test_errors_say_what_is_wrong(client: Client, service: Service, picture: Pixels, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="none of the formats") as failed:
        client.detect(b"text")
    assert failed.value.status == 422
    with pytest.raises(ServiceError, match=r"picture 2 of 2: .*none of the formats"):
        client.detect_batch([picture, b"text"])
    with pytest.raises(ServiceError, match="no model 'huge'"):
        client.detect(picture, model="huge")
    with pytest.raises(ImageError, match=r"missing\.png"):
        client.detect(tmp_path / "missing.png")
    with pytest.raises(UsageError, match="empty"):
        client.detect_batch([])
    with pytest.raises(UsageError, match=r"\.bmp"):
        client.annotate(picture, ending=".bmp")
    with Client(service.url) as stranger, pytest.raises(ServiceError, match="needs a key"):
        stranger.detect(picture)


def test_no_service_at_all(picture: Pixels) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}") as client,
        pytest.raises(ServiceError, match=f"no answer from .*{port}"),
    ):
        client.detect(picture)
