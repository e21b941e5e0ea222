"""A film that `lafd video` wrote plays in a browser: it loads, has its size and length, and can be searched."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("av")
pytest.importorskip("cjm_byte_track")

from films import drawn, moving, write_film
from lafd.cli import main

PAGE = b"""<!doctype html><video id="film" muted src="/film.mp4"></video><script>
const film = document.getElementById("film");
const tell = (text) => fetch("/told/" + encodeURIComponent(text));
film.onerror = () => tell("error " + film.error.message);
film.onloadeddata = () => { film.currentTime = film.duration / 2; };
film.onseeked = () => tell([film.videoWidth, film.videoHeight, film.duration.toFixed(2)].join(" "));
</script>"""

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Site:
    """Serves the page and the film, and hears what the page tells."""

    def __init__(self, film: Path) -> None:
        self.told = ""
        self.heard = threading.Event()
        site, content = self, film.read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/told/"):
                    site.told = unquote(self.path[6:])
                    site.heard.set()
                kind, body = ("video/mp4", content) if self.path == "/film.mp4" else ("text/html", PAGE)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    pictures = [picture for picture, _ in drawn(moving, 12)]
    film = write_film(tmp_path / "film.mp4", pictures, sound="aac")
    assert main(["video", str(film), "-o", str(tmp_path / "out.mp4"), "--size", "320", "--threads", "1"]) == 0
    site = Site(tmp_path / "out.mp4")
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")
def test_chromium_plays_what_is_written(site: Site, tmp_path: Path) -> None:
    assert BROWSER
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    browser = subprocess.Popen(
        [BROWSER, *options, f"http://127.0.0.1:{site.server.server_port}/"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert site.heard.wait(timeout=180)
    finally:
        browser.kill()
        browser.wait()
    width, height, seconds = site.told.split()
    assert (width, height) == ("320", "180")
    assert 0.4 < float(seconds) < 0.7
