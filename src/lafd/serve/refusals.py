"""Requests that get no result, and how each is answered: {"error": one sentence} with a fitting status."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lafd.serve.batching import BusyError


class RefusedError(Exception):
    """A request that is not answered with faces: the status and a sentence that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def answer_errors(app: FastAPI) -> None:
    """Makes the application answer every error in one form."""
    app.add_exception_handler(RefusedError, refused)
    app.add_exception_handler(BusyError, busy)
    app.add_exception_handler(ClientDisconnect, disconnected)
    app.add_exception_handler(HTTPException, http_failure)
    app.add_exception_handler(Exception, fault)


async def refused(request: Request, error: Exception) -> Response:
    """A request that is not answered."""
    assert isinstance(error, RefusedError)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(error.status)
    return JSONResponse({"error": str(error)}, error.status, headers)


async def busy(request: Request, error: Exception) -> Response:
    """No room now."""
    assert isinstance(error, BusyError)
    return JSONResponse({"error": str(error)}, 429, {"Retry-After": str(error.retry_after)})


async def http_failure(request: Request, error: Exception) -> Response:
    """Unknown paths and methods."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"{error.detail}."}, error.status_code, error.headers)


async def disconnected(request: Request, error: Exception) -> Response:
    """The client went away before its body was complete; nobody reads this."""
    return Response(status_code=400)


async def fault(request: Request, error: Exception) -> Response:
    """A fault of ours; the log has it."""
    return JSONResponse({"error": "the service failed; its log has the reason."}, 500)
