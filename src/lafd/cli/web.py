"""`lafd web`: the page that finds faces in the browser, served here or written as plain files."""

from __future__ import annotations

import argparse
import contextlib
import webbrowser
from pathlib import Path

from lafd import web
from lafd.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "--port", type=int, default=8620, help="port of the page (default: 8620; 0: a free one)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the page as plain files instead")


def run(arguments: argparse.Namespace) -> int:
    """Serves until interrupted, or writes the files."""
    if arguments.export is not None:
        count = web.export(arguments.export)
        print(f"{count} files in {arguments.export}")
        return 0
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"port must be between 0 and 65535, not {arguments.port}.")
    from lafd.web.server import make_server

    with make_server(arguments.port) as server:
        address = f"http://{server.server_address[0]!s}:{server.server_port}/"
        print(f"the page is at {address} (Ctrl+C ends it)", flush=True)
        if arguments.open:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):  # how it is meant to end
            server.serve_forever()
    return 0
