"""`lafd review`: the page on which a person corrects boxes, served on this computer."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
import webbrowser
from pathlib import Path

from lafd.annotations import FORMATS, check_output, guess_format
from lafd.cli.extras import need
from lafd.errors import UsageError
from lafd.review.sources import Output, Sources, find_annotations

HOST = "127.0.0.1"
_BY_ENDING = {".json": "coco", ".xml": "cvat"}
_ENDINGS = {"coco": ".json", "label-studio": ".json", "cvat": ".xml"}
_SHOWN_WARNINGS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of pictures, with its subfolders")
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="file or folder of their boxes (default: found in DIR)",
    )
    parser.add_argument(
        "--from", dest="source", choices=FORMATS, help="format of the boxes (default: by their content)"
    )
    parser.add_argument("--compare", type=Path, metavar="FILE", help="other annotations of the same pictures")
    parser.add_argument(
        "--order",
        type=Path,
        metavar="FILE",
        help="JSON lines that say which pictures are doubtful (default: order.jsonl beside the boxes)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="file or folder to write (default: NAME.reviewed beside the boxes)",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="format of OUT (default: by its ending, or as the boxes)"
    )
    parser.add_argument(
        "--port", type=int, default=8630, help="port of the page (default: 8630; 0: a free one)"
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def run(arguments: argparse.Namespace) -> int:
    """Serves until interrupted, then writes the annotations."""
    need("review")
    import uvicorn

    from lafd.review.app import create_app
    from lafd.review.export import export
    from lafd.review.journal import Journal
    from lafd.review.project import load
    from lafd.review.session import Session

    if not arguments.folder.is_dir():
        raise UsageError(f"{arguments.folder} is not a folder.")
    with listen(arguments.port) as listener:
        sources = find_sources(arguments)
        output = find_output(arguments, sources)
        project = load(sources)
        with contextlib.closing(Journal(output.path.with_name(f"{output.path.name}.journal"))) as journal:
            session = Session(project, journal)
            tell([*project.warnings, *session.problems])
            decided = sum(state.status in ("accepted", "rejected") for state in session.states)
            print(f"{len(session.states)} pictures, {decided} of them decided; {describe(sources)}")
            address = f"http://{HOST}:{listener.getsockname()[1]}/"
            print(f"the page is at {address} (Ctrl+C ends it and writes {output.path})", flush=True)
            if arguments.open:
                webbrowser.open(address)
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl+C does
            app = create_app(session, output)
            config = uvicorn.Config(
                app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=2
            )
            with contextlib.suppress(KeyboardInterrupt):  # how it is meant to end
                uvicorn.Server(config).run(sockets=[listener])
    if not session.exported:
        written = export(session, output)
        tell(written.left_out)
        print(f"{written.pictures} pictures with {written.boxes} boxes written to {written.path}")
    return 0


def listen(port: int) -> socket.socket:
    """A socket on this computer's loopback address; port 0 takes a free one.

    Raises:
        UsageError: The port is taken or not allowed.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"port must be between 0 and 65535, not {port}.")
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"port {port} cannot be used ({reason}); choose another with --port.") from None
    # connections inherit it; without it every answer waits 40 ms, as asyncio sets it only on sockets of its own
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def find_sources(arguments: argparse.Namespace) -> Sources:
    """Where everything comes from, the format of the boxes included."""
    path, format_name = arguments.annotations, arguments.source
    if path is None:
        found = find_annotations(arguments.folder)
        if found is None and format_name:
            raise UsageError(
                f"--from: there are no annotations in {arguments.folder}; name them with --annotations."
            )
        path, guessed = found or (None, None)
        format_name = format_name or guessed
    elif not path.exists():
        raise UsageError(f"{path} does not exist.")
    elif format_name is None:
        format_name = guess_format(path)
    return Sources(arguments.folder, path, format_name, arguments.compare, arguments.order)


def find_output(arguments: argparse.Namespace, sources: Sources) -> Output:
    """Where the annotations go, and in which format."""
    path = arguments.output
    by_ending = _BY_ENDING.get(path.suffix.lower()) if path else None
    format_name = arguments.format or by_ending or sources.format_name or "coco"
    if path is None:
        boxes = (sources.annotations or sources.folder / "faces").resolve()
        name = boxes.stem if boxes.is_file() else boxes.name
        path = boxes.with_name(f"{name}.reviewed{_ENDINGS.get(format_name, '')}")
    check_output(path, format_name)
    return Output(path, format_name)


def describe(sources: Sources) -> str:
    """Where the boxes come from."""
    if sources.annotations is None:
        return "no boxes yet (--annotations names a file of them)"
    return f"boxes of {sources.annotations} ({sources.format_name})"


def tell(warnings: list[str]) -> None:
    """Prints the first warnings, and how many there are; the page lists all."""
    for warning in warnings[:_SHOWN_WARNINGS]:
        print(f"lafd: {warning}", file=sys.stderr)
    if len(warnings) > _SHOWN_WARNINGS:
        print(f"lafd: and {len(warnings) - _SHOWN_WARNINGS} more, which the page lists", file=sys.stderr)
