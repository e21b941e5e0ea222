"""The guard that keeps all other tests off the network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ELSEWHERE = "192.0.2.1"  # of the block for documentation, never routed


def attempts() -> str:
    """What was attempted so far; forgets it."""
    path = Path(os.environ["LAFD_ATTEMPTS"])
    text = path.read_text(encoding="utf-8")
    path.write_text("")
    return text


def test_a_connection_fails_and_is_reported() -> None:
    with pytest.raises(OSError, match="may not reach"):
        socket.create_connection((ELSEWHERE, 80), timeout=1)
    with (
        pytest.raises(OSError, match="may not reach"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telling,
    ):
        telling.sendto(b"", (ELSEWHERE, 53))
    assert "test_offline.py" in attempts()


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(OSError, match="may not reach"):
        socket.getaddrinfo("example.org", 443)
    assert "example.org" in attempts()


def test_a_child_that_hides_its_attempt_is_found() -> None:
    code = "import socket, sys\ntry: socket.create_connection((sys.argv[1], 80))\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", code, ELSEWHERE], check=True)
    assert ELSEWHERE in attempts()


def test_loopback_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    assert attempts() == ""
