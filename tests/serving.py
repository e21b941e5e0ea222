"""Starting the real service for a test; every wait is long, for machines that have much else to do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

PATIENCE = 300  # seconds


class Service:
    """A running `lafd serve`.

    Attributes:
        url: Its address.
        process: Its supervisor.
        log: Lines of its log so far.
    """

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url, self.process = url, process
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        self.log: list[str] = []
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(iter(self.process.stderr.readline, ""))

    def records(self) -> list[dict[str, Any]]:
        """The log, parsed."""
        return [json.loads(line) for line in self.log]

    def record(self, request: str) -> dict[str, Any]:
        """The log's record of a request, which may be written after its answer."""
        deadline = time.monotonic() + PATIENCE
        while not (found := [record for record in self.records() if record.get("id") == request]):
            assert time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.02)
        return found[0]

    def workers(self) -> set[int]:
        """Process numbers of the workers that have started so far."""
        return {r["process"] for r in self.records() if r["message"] == "Application startup complete."}

    def connect(self) -> socket.socket:
        """A bare connection, for what no client would send."""
        port = int(self.url.rpartition(":")[2])
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def wait_until_ready(self) -> None:
        """Waits for an answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=PATIENCE).status_code == 200:
                    return
            assert self.process.poll() is None and time.monotonic() < deadline, "".join(self.log)
            time.sleep(0.1)

    def stop(self) -> int:
        """Ends it as an operator would; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status


@contextlib.contextmanager
def serving(*arguments: object, **environment: str) -> Iterator[Service]:
    """The service on a free port, for the length of a block."""
    command = [sys.executable, "-m", "lafd", "serve", "--port", "0", "--threads", "1", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "http://" in first, process.stderr and process.stderr.read()
        service = Service(first.split()[-1], process)
        try:
            service.wait_until_ready()
            yield service
        finally:
            service.http.close()
            service.stop()
