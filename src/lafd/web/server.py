"""A small server for the page alone, on this computer."""

from __future__ import annotations

import http.server
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from lafd import web
from lafd.errors import LafdError

HOST = "127.0.0.1"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD with the files of the page."""

    server_version = "lafd"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answers with a file and its content."""
        self.answer(with_content=True)

    def do_HEAD(self) -> None:
        """Answers with a file's headers."""
        self.answer(with_content=False)

    def answer(self, *, with_content: bool) -> None:
        """Answers with a file of the page, or with 404."""
        asset = web.read(unquote(urlsplit(self.path).path).removeprefix("/"))
        found = asset or web.Asset(b"There is no such file.\n", web.MEDIA_TYPES[".txt"])
        self.send_response(HTTPStatus.OK if asset else HTTPStatus.NOT_FOUND)
        headers = {"Content-Type": found.media_type, "Content-Length": str(len(found.content)), **web.HEADERS}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if with_content:
            self.wfile.write(found.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stays quiet."""


def make_server(port: int) -> http.server.ThreadingHTTPServer:
    """A server for the page on this computer's loopback address, not running yet; port 0 takes a free one.

    Raises:
        LafdError: The port is taken or not allowed.
    """
    try:
        return http.server.ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise LafdError(
            f"port {port} cannot be used ({error.strerror}); choose another with --port."
        ) from None
