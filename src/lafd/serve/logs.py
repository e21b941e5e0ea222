"""Logs and measurements of requests: one JSON object per line, never a picture, its name or a key."""

from __future__ import annotations

import json
import logging
import secrets
import time
from datetime import datetime, timezone
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lafd.serve import metrics

LOG = logging.getLogger("lafd.serve")
ROUTINE_PATHS = ("/healthz", "/readyz", "/metrics")  # asked every few seconds; only their failures are news
KNOWN_PATHS = ("/v1/detect", "/v1/models", "/openapi.json", "/", *ROUTINE_PATHS)

CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "lafd.serve.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"lafd.serve": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
}


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message, and what `extra={"fields": {...}}` adds."""

    def format(self, record: logging.LogRecord) -> str:  # noqa: D102
        entry = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


class Observed:
    """Around the whole application: gives every request a number, logs it and measures it.

    The application may put what is worth telling into `request.state.noted`, a dictionary.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, status, started = secrets.token_hex(8), 500, time.perf_counter()
        noted: dict[str, Any] = {}
        scope.setdefault("state", {})["noted"] = noted

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", number.encode())]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - started
            path = scope["path"] if scope["path"] in KNOWN_PATHS else "other"
            method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS") else "other"
            metrics.REQUESTS.labels(path, method, str(status)).inc()
            metrics.REQUEST.labels(path).observe(seconds)
            client = scope["client"][0] if scope.get("client") else None
            fields = {
                "id": number,
                "client": client,
                "method": method,
                "path": scope["path"][:200],
                "status": status,
            }
            level = logging.DEBUG if path in ROUTINE_PATHS and status == 200 else logging.INFO
            LOG.log(level, "request", extra={"fields": {**fields, "ms": round(seconds * 1000, 1), **noted}})
