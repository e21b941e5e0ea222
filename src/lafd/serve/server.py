"""The processes of the service: one that holds the port, and workers that answer."""

from __future__ import annotations

import functools
import logging.config
import os
import signal
import socket
import sys
import tempfile
import threading
from asyncio import AbstractEventLoop, BaseTransport, TimerHandle
from multiprocessing import connection, parent_process
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from lafd.errors import LafdError, UsageError
from lafd.serve import logs
from lafd.serve.settings import Settings
from lafd.serve.supervisor import STARTUP_FAILURE, supervise

IDLE_SECONDS = (
    30.0  # to send a request's head, to read an answer to its end, or to stop sending after a refusal
)
MAX_CONNECTIONS = 900  # of one process; systems commonly allow it 1024 open files
GRACE_SECONDS = 5  # beyond a request's own time limit, until a process that shuts down gives up


class PatientConnection(H11Protocol):
    """A connection that waits for its client, but not for ever: uvicorn alone limits only silence between requests.

    Args:
        config: Of uvicorn, as the next three.
        server_state: What the connections share.
        app_state: What the application shares.
        _loop: The event loop.
        patience: Seconds that it has to send a request's head, to read an answer, or to stop sending after a refusal.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
        *,
        patience: float,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.patience = patience
        self.deadline: TimerHandle | None = None

    def connection_made(self, transport: BaseTransport) -> None:  # noqa: D102
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > MAX_CONNECTIONS:
            self.transport.abort()
        self.watch()

    def data_received(self, data: bytes) -> None:  # noqa: D102
        super().data_received(data)
        self.watch()

    def on_response_complete(self) -> None:  # noqa: D102
        super().on_response_complete()
        self.watch()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        self.unwatch()
        super().connection_lost(exc)

    def pause_writing(self) -> None:  # noqa: D102
        super().pause_writing()
        self.watch()

    def resume_writing(self) -> None:  # noqa: D102
        super().resume_writing()
        self.watch()

    def watch(self) -> None:
        """Runs the clock while it is the client's turn, and stops it while it is ours."""
        our_turn = self.cycle is not None and not self.cycle.response_complete and not self.flow.write_paused
        if our_turn:
            self.unwatch()
        elif self.deadline is None:
            self.deadline = self.loop.call_later(self.patience, self.transport.abort)

    def unwatch(self) -> None:
        """Stops the clock."""
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serves until a signal ends it; requests in hand are finished.

    Args:
        settings: Of every worker process.
        host: Address to listen on.
        port: 0 picks a free one.
        workers: Processes that share the port.

    Raises:
        UsageError: The address cannot be used.
        LafdError: A worker cannot start.
    """
    logging.config.dictConfig(logs.CONFIG)
    with listen(host, port) as listener, tempfile.TemporaryDirectory(prefix="lafd-") as folder:
        if workers > 1:
            # inherited by the workers, which measure together
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        shown = f"[{host}]" if ":" in host else host
        print(f"lafd: listening on http://{shown}:{listener.getsockname()[1]}", flush=True)
        supervise(functools.partial(work, settings, listener), workers, settings.timeout + 2 * GRACE_SECONDS)


def work(settings: Settings, listener: socket.socket) -> None:
    """What a worker process does, from its start to its end."""
    threading.Thread(target=follow_parent, daemon=True).start()
    logging.config.dictConfig(logs.CONFIG)
    logging.captureWarnings(True)
    try:
        from lafd.serve.app import create_app  # here, so that the supervisor does not load the metrics

        app = create_app(settings)
    except LafdError as error:
        logs.LOG.error("%s", error)
        sys.exit(STARTUP_FAILURE)
    except Exception:
        logs.LOG.exception("the worker cannot start")
        sys.exit(STARTUP_FAILURE)
    config = uvicorn.Config(
        app,
        http=cast(type[PatientConnection], functools.partial(PatientConnection, patience=settings.timeout)),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.timeout) + GRACE_SECONDS,
    )
    # uvicorn passes the signal on when it is done; by default that would end this process inside the block
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with settings.sandbox:
        uvicorn.Server(config).run(sockets=[listener])


def follow_parent() -> None:
    """Ends this process when its supervisor is gone, which could otherwise be killed without its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """A socket on the address, inherited by worker processes.

    Raises:
        UsageError: The address is unknown, not of this machine, in use or not allowed.
    """
    if not 0 <= port <= 65535:
        raise UsageError(f"port must be between 0 and 65535, not {port}.")
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        # connections inherit it; without it every answer waits 40 ms, as asyncio sets it only on sockets of its own
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if os.name != "nt":  # there it would let two services share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot listen on {host} port {port} ({reason}); choose another with --host or --port."
        ) from None
    listener.set_inheritable(True)
    return listener
