"""What a client of the service gets, in all forms of requests and answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lafd import Detections, Detector, Options
from lafd.drawing import draw_scene
from lafd.images import encode_image, load_image
from lafd.pixels import Pixels

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from serving import Service, serving

PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def picture() -> Pixels:
    return draw_scene(400, 300, 1, faces=[(110, 150, 90), (290, 150, 90)], style="cel").image


@pytest.fixture(scope="module")
def png(picture: Pixels) -> bytes:
    return encode_image(picture, ".png")


def assert_same(result: dict[str, object], expected: Detections) -> None:
    assert {**expected.to_dict(), "name": result["name"]} == result


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_raw_picture_gives_what_the_library_gives(
    service: Service, detector: Detector, picture: Pixels, ending: str
) -> None:
    data = encode_image(picture, ending)
    answer = service.http.post(
        "/v1/detect", content=data, headers={"Content-Type": "application/octet-stream"}
    )
    assert answer.status_code == 200
    assert answer.json()["model"] == "base"
    assert_same(answer.json()["results"][0], detector.detect(data))


def test_multipart_keeps_order_and_names(
    service: Service, detector: Detector, png: bytes, picture: Pixels
) -> None:
    small = encode_image(picture[:200, :200], ".jpg")
    files = [("image", ("first.png", png)), ("image", ("zwei ü.jpg", small)), ("whatever", ("3", png))]
    results = service.http.post("/v1/detect", files=files).json()["results"]
    assert [result["name"] for result in results] == ["first.png", "zwei ü.jpg", "3"]
    for result, data in zip(results, [png, small, png], strict=True):
        assert_same(result, detector.detect(data))


def test_json_with_base64(service: Service, detector: Detector, png: bytes) -> None:
    wrapped = base64.encodebytes(png).decode()  # with line breaks, as the command base64 writes it
    answer = service.http.post("/v1/detect", json={"images": [wrapped, wrapped]})
    assert len(answer.json()["results"]) == 2
    assert_same(answer.json()["results"][1], detector.detect(png))


@pytest.mark.parametrize(
    "given",
    [
        {"confidence": 0.05},
        {"size": 320, "iou": 0.3},
        {"resize_scale": 0.5},
        {"turned": True},
        {"max_faces": 1},
        {"min_face": 80.0},
    ],
)
def test_parameters_are_the_librarys(
    service: Service, detector: Detector, png: bytes, given: dict[str, Any]
) -> None:
    answer = service.http.post("/v1/detect", content=png, headers=PNG, params=given)
    assert_same(answer.json()["results"][0], detector.detect(png, Options(**given)))


def test_background_of_transparent_pictures(service: Service) -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(clear, "PNG")
    address, headers = "/v1/detect?background=0080ff", {**PNG, "Accept": "image/png"}
    answer = service.http.post(address, content=clear.getvalue(), headers=headers)
    assert load_image(answer.content)[32, 32].tolist() == [255, 128, 0]


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ("confidence=2", "confidence"),
        ("confidence=nan", "confidence"),
        ("size=1", "size"),
        ("size=ten", "size"),
        ("max_faces=0", "max_faces"),
        ("resize_scale=-1", "resize_scale"),
        ("background=red", "background"),
        ("confidense=0.5", "there is no parameter 'confidense'"),
        ("model=huge", "there is no model 'huge'"),
    ],
)
def test_wrong_parameters_are_named(service: Service, png: bytes, parameter: str, named: str) -> None:
    answer = service.http.post(f"/v1/detect?{parameter}", content=png, headers=PNG)
    assert answer.status_code == 422
    assert named in answer.json()["error"]


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp"])
def test_annotated_picture_by_accept(
    service: Service, detector: Detector, png: bytes, picture: Pixels, kind: str
) -> None:
    answer = service.http.post("/v1/detect", content=png, headers={**PNG, "Accept": kind})
    assert answer.headers["content-type"] == kind
    drawn = load_image(answer.content)
    assert drawn.shape == picture.shape
    faces = detector.detect(png)
    assert answer.headers["x-faces"] == str(len(faces))
    x1, y1, x2, _ = faces.boxes[0].round().astype(int)  # as drawing rounds
    assert np.abs(drawn.astype(int) - picture).max(2)[y1, (x1 + x2) // 2] > 20  # the box's upper side


def test_large_jpeg_is_annotated_at_full_size(service: Service) -> None:
    large = draw_scene(1600, 1400, 5, faces=[(800, 700, 500)], style="cel").image
    headers = {"Content-Type": "image/jpeg", "Accept": "image/png"}
    answer = service.http.post("/v1/detect", content=encode_image(large, ".jpg"), headers=headers)
    assert load_image(answer.content).shape == large.shape


def test_annotated_pictures_come_one_at_a_time(service: Service, png: bytes) -> None:
    files = [("image", ("a", png)), ("image", ("b", png))]
    answer = service.http.post("/v1/detect", files=files, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert service.http.post("/v1/detect", files=files, headers={"Accept": "text/html"}).status_code == 406


def test_one_bad_picture_spoils_no_other(service: Service, detector: Detector, png: bytes) -> None:
    files = [
        ("image", (name, data)) for name, data in (("a", png[: len(png) // 2]), ("b", png), ("c", b"text"))
    ]
    answer = service.http.post("/v1/detect", files=files)
    assert answer.status_code == 200
    bad, good, worse = answer.json()["results"]
    assert "truncated" in bad["error"]
    assert_same(good, detector.detect(png))
    assert "none of the formats JPEG, PNG" in worse["error"]
    answer = service.http.post("/v1/detect", files=[files[0], files[2]])
    assert answer.status_code == 422
    assert "truncated" in answer.json()["error"] and "1 more" in answer.json()["error"]


def test_models_health_and_metrics(service: Service, png: bytes) -> None:
    offer = service.http.get("/v1/models").json()
    assert offer["default"] == "base" and offer["models"][0]["name"] == "base"
    assert service.http.get("/healthz").json() == {"status": "ok"}
    assert service.http.get("/readyz").json() == {"status": "ready"}

    def counted() -> float:
        lines = service.http.get("/metrics").text.splitlines()
        return sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith('lafd_pictures_total{outcome="found"}')
        )

    before = counted()
    service.http.post("/v1/detect", files=[("image", ("a", png)), ("image", ("b", png))])
    assert counted() == before + 2


def test_unknown_addresses_and_methods(service: Service) -> None:
    assert service.http.get("/v1/nothing").status_code == 404
    assert service.http.get("/../../etc/passwd").status_code == 404
    assert service.http.get("/%2e%2e/%2e%2e/pyproject.toml").status_code == 404
    assert service.http.delete("/v1/detect").status_code == 405
    assert set(service.http.get("/v1/nothing").json()) == {"error"}


def test_the_page_is_served_with_what_it_needs(service: Service) -> None:
    answer = service.http.get("/")
    assert answer.status_code == 200 and "<html" in answer.text
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert service.http.get("/models/base.onnx").content[:1] == b"\x08"  # a protobuf
    assert service.http.head("/").status_code == 200


def test_other_sites_may_not_read_answers(service: Service, png: bytes) -> None:
    answer = service.http.post("/v1/detect", content=png, headers={**PNG, "Origin": "https://example.com"})
    assert "access-control-allow-origin" not in answer.headers


def test_log_is_json_and_tells_nothing_of_the_picture(service: Service, png: bytes) -> None:
    answer = service.http.post("/v1/detect", files=[("image", ("secret-name.png", png))])
    record = service.record(answer.headers["x-request-id"])
    assert record["status"] == 200 and record["pictures"] == 1 and record["bytes"] == len(png)
    assert "secret-name" not in "".join(service.log)
    assert not any(r["level"] == "error" for r in service.records())
