"""What the service refuses, and that nothing takes it down."""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lafd.drawing import draw_scene
from lafd.images import encode_image

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from serving import PATIENCE, Service, serving

PNG = {"Content-Type": "image/png"}
KEY = "correct-horse-battery-staple"
MIB = 2**20


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    limits = ("--max-body", 1, "--max-pixels", 1_000_000, "--max-pictures", 4, "--max-queue", 4)
    with serving(*limits, "--max-size", 2048, "--timeout", PATIENCE) as running:
        yield running


@pytest.fixture(scope="module")
def impatient() -> Iterator[Service]:
    with serving("--timeout", 3) as running:
        yield running


@pytest.fixture(scope="module")
def png() -> bytes:
    return encode_image(draw_scene(400, 300, 1, faces=[(200, 150, 90)], style="cel").image, ".png")


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels and that has none of them."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def memory(service: Service) -> int:
    """Bytes that the youngest worker uses."""
    status = Path(f"/proc/{max(service.workers())}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def assert_alive(service: Service, png: bytes) -> None:
    answer = service.http.post("/v1/detect", content=png, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert len(service.workers()) == 1, "the worker died"
    assert not [r for r in service.records() if r["level"] in ("error", "critical")]


def test_large_bodies_are_refused(service: Service, png: bytes) -> None:
    exact = png + bytes(MIB - len(png))
    assert service.http.post("/v1/detect", content=exact, headers=PNG).status_code == 200
    answer = service.http.post("/v1/detect", content=exact + b"\0", headers=PNG)
    assert answer.status_code == 413 and str(MIB) in answer.json()["error"]
    assert_alive(service, png)


def test_endless_bodies_are_refused_before_they_fill_memory(service: Service, png: bytes) -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is measured through /proc")
    before = memory(service)

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(MIB)

    for kind in ("image/png", "application/json", "multipart/form-data; boundary=x"):
        with suppress(httpx.WriteError):
            answer = service.http.post("/v1/detect", content=endless(), headers={"Content-Type": kind})
            assert answer.status_code in (413, 422)
    assert memory(service) < before + 30 * MIB
    assert_alive(service, png)


def test_bombs_are_refused(service: Service, png: bytes) -> None:
    answer = service.http.post("/v1/detect", content=png_of(50_000, 50_000), headers=PNG)
    assert answer.status_code == 422 and "over the limit of 1000000" in answer.json()["error"]
    answer = service.http.post("/v1/detect?resize_scale=10", content=png, headers=PNG)
    assert answer.status_code == 422 and "2048" in answer.json()["error"]
    assert service.http.post("/v1/detect?resize_scale=1e9", content=png, headers=PNG).status_code == 422
    assert service.http.post("/v1/detect?size=4000", content=png, headers=PNG).status_code in (200, 422)
    assert_alive(service, png)


def test_too_many_pictures(service: Service, png: bytes) -> None:
    files = [("image", (str(i), png)) for i in range(5)]
    answer = service.http.post("/v1/detect", files=files)
    assert answer.status_code == 413 and "at most 4 pictures" in answer.json()["error"]
    assert service.http.post("/v1/detect", json={"images": [""] * 5}).status_code == 413
    assert service.http.post("/v1/detect", files=files[:4]).status_code == 200


def test_thousands_of_parts(service: Service, png: bytes) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n\r\n'
    field = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for body, status in ((part * 10_000, 413), (field * 15_000, 422)):
        assert service.http.post("/v1/detect", content=body + b"--x--", headers=headers).status_code == status
    assert_alive(service, png)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=x", b"--y\r\nnothing"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 500_000),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n--x--",
        ),
        ("multipart/form-data; boundary=x; charset=\xff", b"--x--"),
        ("multipart/form-data; boundary=x", b"\r" * 1_000_000),
        ("application/json", b""),
        ("application/json", b"[" * 500_000),
        ("application/json", b'{"images": 7}'),
        ("application/json", b'{"images": ["&&&"]}'),
        ("application/json", b'{"images": ["\xff"]}'),
        ("application/json", b'{"images": []}'),
        ("application/json", b'{"images": ["aGFsbG8="], "more": 1}'),
        ("image/png", b""),
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", b"\xff\xd8\xff" + b"\0" * 1000),
        ("image/gif", b"GIF89a" + b"\xff" * 1000),
        ("image/tiff", b"II*\0" + b"\xff" * 1000),
        ("image/bmp", b"BM" + b"\xff" * 1000),
        ("image/avif", b"\0\0\0\x20ftypavif" + b"\xff" * 1000),
        ("image/webp", b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\xff" * 1000),
    ],
)
def test_malformed_bodies(service: Service, png: bytes, kind: str, body: bytes) -> None:
    answer = service.http.post("/v1/detect", content=body, headers={b"Content-Type": kind.encode("latin-1")})
    assert answer.status_code == 422, answer.text
    assert len(answer.json()["error"]) < 500
    assert_alive(service, png)


def test_other_types_of_bodies(service: Service, png: bytes) -> None:
    for headers in ({}, {"Content-Type": "text/plain"}, {**PNG, "Content-Encoding": "gzip"}):
        assert service.http.post("/v1/detect", content=png, headers=headers).status_code == 415


def test_fetches_nothing(service: Service) -> None:
    answer = service.http.post("/v1/detect", json={"images": ["http://127.0.0.1/picture.png"]})
    assert answer.status_code == 422


def test_bodies_that_end_early_or_never(impatient: Service, png: bytes) -> None:
    head = b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 5000\r\n\r\n"
    with impatient.connect() as gone:
        gone.sendall(head + png[:100])
    with impatient.connect() as silent:
        started = time.monotonic()
        silent.sendall(head + png[:100])
        assert b" 408 " in silent.recv(100)
        assert time.monotonic() - started > 2
    assert impatient.http.get("/healthz").status_code == 200


def test_slow_senders_do_not_block_others(service: Service, png: bytes) -> None:
    head = b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 5000\r\n\r\n"
    connections = [service.connect() for _ in range(100)]
    for connection in connections:
        connection.sendall(head + b"\x89")
    assert_alive(service, png)
    for connection in connections:
        connection.close()
    assert_alive(service, png)


@pytest.mark.parametrize("start", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_requests_that_do_not_begin_are_cut_off(impatient: Service, start: bytes) -> None:
    with impatient.connect() as connection:
        connection.settimeout(0.5)
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            try:
                if start:  # going on byte by byte does not help
                    connection.sendall(start[:1])
                    start = start[1:] + b"a"
                assert not connection.recv(100)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert 2 < time.monotonic() - started < PATIENCE


def test_answers_that_nobody_reads_are_dropped(impatient: Service) -> None:
    request = b"GET /models/base.onnx HTTP/1.1\r\nHost: x\r\n\r\n"
    with impatient.connect() as lazy:
        lazy.sendall(50 * request)  # more than the system keeps on the way
        time.sleep(10)
        received = 0
        with suppress(ConnectionError):
            while chunk := lazy.recv(1 << 20):
                received += len(chunk)
        assert received < 50 * len(impatient.http.get("/models/base.onnx").content)


def test_no_http_at_all(service: Service, png: bytes) -> None:
    for noise in (
        b"\x16\x03\x01\x02\x00\x01" + os.urandom(200),
        b"GET / HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
    ):
        with service.connect() as connection, suppress(OSError):
            connection.sendall(noise + b"\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert_alive(service, png)


def test_overload_is_turned_away_and_nothing_else_fails(png: bytes) -> None:
    with serving("--max-queue", 4, "--max-pictures", 4) as service:

        def send(_: int) -> httpx.Response:
            return httpx.post(
                f"{service.url}/v1/detect?size=1024", content=png, headers=PNG, timeout=PATIENCE
            )

        with ThreadPoolExecutor(30) as pool:
            answers = list(pool.map(send, range(90)))
        assert_alive(service, png)
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all(
        int(a.headers["retry-after"]) >= 1 and "busy" in a.json()["error"]
        for a in answers
        if a.status_code == 429
    )


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit of memory is Linux's")
def test_a_sandbox_decodes_for_the_service(service: Service, png: bytes) -> None:
    """Its memory holds a picture of 400 x 300 and not one of 32 megapixels, which the worker itself would read."""
    large = encode_image(np.zeros((4000, 8000, 3), np.uint8), ".png")
    with serving("--sandbox", "--sandbox-memory", 60) as running:
        answer = running.http.post("/v1/detect", content=png, headers=PNG)
        assert answer.json() == service.http.post("/v1/detect", content=png, headers=PNG).json()
        (worker,) = running.workers()
        readers = reader_processes(worker)
        assert len(readers) == 1
        refused = running.http.post("/v1/detect", content=large, headers=PNG)
        assert "not enough memory" in refused.text
        assert_alive(running, png)
        assert running.stop() == 0
    assert not Path(f"/proc/{readers[0]}").exists()


def reader_processes(worker: int) -> list[str]:
    """The processes of a worker's sandbox, each started by one of its threads."""
    return [
        child
        for task in Path(f"/proc/{worker}/task").glob("*/children")
        for child in task.read_text().split()
    ]


def test_keys(tmp_path: Path, png: bytes) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# team\n{KEY}\nanother-key-of-the-team\n")
    with serving("--api-keys", file, "--cors-origin", "https://example.com") as service:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}):
            answer = service.http.post("/v1/detect", content=png, headers={**PNG, **headers})
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert service.http.get("/metrics", headers=headers).status_code == 401
            assert service.http.get("/v1/models", headers=headers).status_code == 401
        for key in (KEY, "another-key-of-the-team"):
            headers = {**PNG, "Authorization": f"Bearer {key}", "Origin": "https://example.com"}
            answer = service.http.post("/v1/detect", content=png, headers=headers)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == "https://example.com"
        assert service.http.get("/readyz").status_code == 200
        assert service.http.get("/").status_code == 200
        assert KEY not in json.dumps(service.log)
