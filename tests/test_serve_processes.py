"""Starting, ending and losing the service's processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lafd.drawing import draw_scene
from lafd.images import encode_image

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
if os.name == "nt":
    pytest.skip("signals are those of POSIX", allow_module_level=True)

import httpx

from serving import PATIENCE, Service, serving

PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def png() -> bytes:
    return encode_image(draw_scene(400, 300, 1, faces=[(200, 150, 90)], style="cel").image, ".png")


def detect(service: Service, png: bytes, size: int = 640) -> httpx.Response:
    return httpx.post(f"{service.url}/v1/detect?size={size}", content=png, headers=PNG, timeout=PATIENCE)


def wait_for(condition: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_shutdown_finishes_what_it_took(png: bytes, number: signal.Signals) -> None:
    with serving() as service, ThreadPoolExecutor(1) as pool:
        files = [("image", (str(i), png)) for i in range(6)]
        address = f"{service.url}/v1/detect?size=2048"
        answer = pool.submit(lambda: httpx.post(address, files=files, timeout=PATIENCE))
        idle = "lafd_batch_pictures_count 0.0"
        wait_for(lambda: idle not in httpx.get(f"{service.url}/metrics", timeout=PATIENCE).text)
        service.process.send_signal(number)
        assert answer.result().status_code == 200
        assert len(answer.result().json()["results"]) == 6
        assert service.stop() == 0
        with pytest.raises(httpx.ConnectError):
            detect(service, png)


def test_upload_in_progress_is_finished_too(png: bytes) -> None:
    with serving() as service, service.connect() as connection:
        head = f"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {len(png)}\r\n\r\n"
        connection.sendall(head.encode() + png[:100])
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(png[100:])
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert service.stop() == 0


def test_killed_worker_is_replaced_and_others_go_on(png: bytes) -> None:
    with serving("--workers", 2) as service:
        wait_for(lambda: len(service.workers()) == 2)
        for _ in range(10):
            assert detect(service, png).status_code == 200
        counted = 'lafd_pictures_total{outcome="found"} 10.0'
        assert counted in httpx.get(f"{service.url}/metrics").text  # whichever worker answers
        victim = min(service.workers())
        os.kill(victim, signal.SIGKILL)
        lost = 0
        for _ in range(20):
            try:
                assert detect(service, png).status_code == 200
            except httpx.TransportError:
                lost += 1
        assert lost <= 1  # a connection that the victim had accepted
        wait_for(lambda: len(service.workers()) == 3)
        assert detect(service, png).status_code == 200
        assert service.stop() == 0


def test_single_worker_that_dies_is_replaced(png: bytes) -> None:
    with serving() as service:
        os.kill(min(service.workers()), signal.SIGKILL)
        wait_for(lambda: len(service.workers()) == 2)
        assert detect(service, png).status_code == 200


def test_workers_do_not_outlive_their_supervisor(png: bytes) -> None:
    with serving("--workers", 2) as service:
        wait_for(lambda: len(service.workers()) == 2)
        service.process.kill()

        def all_gone() -> bool:
            try:
                detect(service, png)
            except httpx.TransportError:
                return True
            return False

        wait_for(all_gone)


def lafd_serve(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lafd", "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = lafd_serve("--port", port)
    assert result.returncode == 2
    reason = f"cannot listen on 127.0.0.1 port {port} (Address already in use)"
    assert result.stderr == f"lafd: {reason}; choose another with --host or --port.\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--port", 70000), "70000"),
        (("--host", "192.0.2.1", "--port", 0), "192.0.2.1"),
        (("--workers", 0), "workers"),
        (("--threads", 0), "threads"),
        (("--model", "huge"), "'huge'"),
        (("--device", "abacus"), "'abacus'"),
        (("--timeout", "nan"), "timeout"),
        (("--latency-budget", 0), "latency budget"),
        (("--max-queue", 3), "max queue"),
        (("--max-body", -1), "max body"),
        (("--api-keys", "missing"), "missing"),
    ],
)
def test_wrong_arguments(arguments: tuple[object, ...], named: str) -> None:
    result = lafd_serve(*arguments)
    assert result.returncode == 2
    assert named in result.stderr and result.stderr.count("\n") == 1


def test_device_that_is_not_here() -> None:
    result = lafd_serve("--port", 0, "--device", "directml" if sys.platform != "win32" else "coreml")
    assert result.returncode == 1
    assert "needs an ONNX Runtime with" in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.endswith("lafd: the service could not start; the log has the reason.\n")


def test_weak_keys_are_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("secret\n")
    result = lafd_serve("--api-keys", tmp_path / "keys")
    assert result.returncode == 2 and "API key 1 must have at least 16" in result.stderr
    assert "secret" not in result.stderr.partition("make one with")[0]


def test_only_this_machine_by_default() -> None:
    with serving() as service:
        assert service.url.startswith("http://127.0.0.1:")
        port = int(service.url.rpartition(":")[2])
        with pytest.raises(
            OSError
        ):  # another address of this machine, as a listener on all of them would have
            socket.create_connection(("127.0.0.2", port), timeout=2).close()


def test_open_connections_do_not_hold_up_the_end() -> None:
    with serving() as service, httpx.Client(base_url=service.url) as idle:
        idle.get("/healthz", timeout=PATIENCE)
        with service.connect() as silent:
            silent.sendall(b"GET /hea")
            assert service.stop() == 0
        assert not [record for record in service.records() if record["level"] == "error"]
