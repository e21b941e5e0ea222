"""The page as files: what is served and written, without a browser."""

from __future__ import annotations

import gzip
import json
import re
import urllib.request
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import RunLafd
from lafd import models, web
from lafd.web.server import make_server
from webpage import running


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(make_server(0)) as address:
        yield address


def test_export_writes_what_the_server_serves(address: str, lafd: RunLafd, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("stays")
    assert lafd("web", "--export", tmp_path / "site").returncode == 0
    written = {
        p.relative_to(tmp_path / "site").as_posix() for p in (tmp_path / "site").rglob("*") if p.is_file()
    }
    assert written == {*web.names(), "mine.txt"}
    for name in web.names():
        with urllib.request.urlopen(address + name) as response:
            assert response.read() == (tmp_path / "site" / name).read_bytes(), name


def test_every_reference_is_relative_and_there() -> None:
    names = set(web.names())
    for name in names:
        if not name.endswith((".html", ".js", ".css")):
            continue
        asset = web.read(name)
        assert asset is not None
        text = asset.content.decode()
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), name
        folder = Path(name).parent
        for reference in re.findall(r"""(?:src|href)="([^"#]+)|(?:from |import |import\()'([^']+)'""", text):
            assert _resolved(folder / next(filter(None, reference))) in names, (name, reference)


def _resolved(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def test_the_list_of_models_is_that_of_the_package() -> None:
    asset = web.read("models.json")
    assert asset is not None
    assert [model["name"] for model in json.loads(asset.content)] == models.shipped_models()


def test_headers_allow_threads_and_nothing_foreign(address: str) -> None:
    with urllib.request.urlopen(address) as response:
        headers = response.headers
    assert headers["Content-Type"].startswith("text/html")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "connect-src 'self'" in headers["Content-Security-Policy"]


def test_the_page_itself_carries_the_policy() -> None:
    asset = web.read("index.html")
    assert asset is not None
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', asset.content.decode())
    assert policy is not None
    # a browser ignores frame-ancestors in a page
    assert web.HEADERS["Content-Security-Policy"] == f"{policy[1]}; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "path", ["nothing", "../__init__.py", "%2e%2e/__init__.py", "models/../server.py", "js"]
)
def test_other_paths_are_not_served(address: str, path: str) -> None:
    connection = HTTPConnection(urlsplit(address).netloc)
    connection.request("GET", f"/{path}")  # as it is: urllib would tidy the path
    assert connection.getresponse().status == 404
    connection.close()


def test_the_page_is_small_enough_for_the_wheel() -> None:
    total = sum(len(zlib.compress(path.read_bytes(), 6)) for path in web.PAGE.rglob("*") if path.is_file())
    assert total < 5_300_000


def test_programs_are_gzipped_for_the_browser() -> None:
    programs = [name for name in web.names() if name.endswith(".gz")]
    assert [Path(name).name for name in programs] == [
        "ort-wasm-simd-threaded.jspi.wasm.gz",
        "ort-wasm-simd-threaded.wasm.gz",
    ]
    for name in programs:
        asset = web.read(name)
        assert asset is not None
        assert gzip.decompress(asset.content)[:4] == b"\0asm"


def test_wrong_usage_is_one_sentence(address: str, lafd: RunLafd, tmp_path: Path) -> None:
    result = lafd("web", "--port", "70000")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    result = lafd("web", "--port", urlsplit(address).port)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    (tmp_path / "file").write_text("in the way")
    result = lafd("web", "--export", tmp_path / "file")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
