"""The Dockerfile: what a linter says of it, and what the documentation promises of its image."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINTER = ROOT / "build" / "node_modules" / ".bin" / "dockerfilelint"


def test_a_linter_finds_nothing() -> None:
    if not LINTER.exists():
        pytest.skip("needs dockerfilelint: npm install --prefix build dockerfilelint@1.8.0")
    result = subprocess.run([LINTER, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_image_runs_without_rights() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
    user = re.search(r"^USER (\d+):(\d+)$", image, re.MULTILINE)
    assert user is not None and "0" not in user.groups()
    assert "RUN" not in image[user.end() :]  # nothing is written as that user, so the image may be read-only


def test_what_is_copied_is_there() -> None:
    ignored, *kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored == "*"
    for line in kept:
        assert not line.startswith("!") or (ROOT / line[1:]).exists(), line
