"""The documentation site, built as its readers' maintainers build it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; a broken link or an unknown name in the reference would have ended the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def page(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_every_page_of_the_documentation_is_in_the_navigation(site: Path) -> None:
    start = page(site, "index.html")
    for source in (ROOT / "docs").rglob("*.md"):
        name = source.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert (site / name).is_file() and f'href="{name}"' in start, name


def test_the_reference_comes_from_the_docstrings(site: Path) -> None:
    reference = page(site, "reference/lafd.html")
    for text in ("detect_batch", "Images that need the same padded input share a forward pass", "max_faces"):
        assert text in reference
    assert "--resize-scale" in page(site, "reference/command-line.html")


def test_a_reader_needs_no_other_host(site: Path) -> None:
    loading = re.compile(r'<(?:script|img|iframe)[^>]* src="?([^" >]+)|<link[^>]* href="?([^" >]+)')
    for path in set(site.rglob("*.html")) - {site / "404.html"}:  # whose addresses start at a host's root
        for groups in loading.findall(path.read_text(encoding="utf-8")):
            address = re.sub(r"[?#].*", "", "".join(groups))
            assert not re.match(r"(https?:)?//", address), f"{path.relative_to(site)}: {address}"
            assert address.startswith("data:") or (path.parent / address).exists(), f"{path.name}: {address}"
