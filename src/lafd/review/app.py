"""The routes of the review: the page, its pictures, and a small JSON API that scripts may use too."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lafd import web
from lafd.errors import ImageError, LafdError
from lafd.review import pictures
from lafd.review.export import export
from lafd.review.project import count_differences
from lafd.review.schema import State
from lafd.review.session import Session, StaleError
from lafd.review.sources import Output

PAGE = Path(__file__).parent / "page"
SHARED = ("icon.svg", "js/theme.js", "style/base.css")  # with the page of `lafd web`


class Put(State):
    """A new state, and the version of the one that it was made from; None overwrites any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[int | None, Field(ge=0)] = None


class Answer(Response):
    """JSON in ASCII, so that names of files that are not UTF-8 pass."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content, separators=(",", ":")).encode()


class Routes:
    """What the routes do.

    Args:
        session: The review.
        output: Where the annotations go.
    """

    def __init__(self, session: Session, output: Output) -> None:
        self.session, self.output = session, output
        self.project = session.project

    def review(self) -> Response:
        """All pictures in columns, so that 5,000 of them stay small."""
        states = self.session.states
        others = self.project.others
        body = {
            "id": self.session.identity,
            "output": str(self.output.path),
            "format": self.output.format_name,
            "category": self.project.dataset.categories[0],
            "warnings": [*self.project.warnings, *self.session.problems],
            "names": [image.name for image in self.project.dataset.images],
            "statuses": [state.status for state in states],
            "faces": [sum(not box.ignore for box in state.boxes) for state in states],
            "priorities": self.project.priorities,
            "differences": None if others is None else [self.differences(i) for i in range(len(states))],
        }
        return Answer(body)

    def picture(self, index: int) -> Response:
        """One picture: its state and all that the page must know to show it."""
        self.check(index)
        image, state = self.project.dataset.images[index], self.session.states[index]
        others = self.project.others
        theirs = others[index] if others is not None else None
        body = {
            "index": index,
            "name": image.name,
            "width": image.width,
            "height": image.height,
            "fault": self.project.faults.get(index),
            "version": self.session.versions[index],
            "differences": self.differences(index),
            "other": None if theirs is None else [box.model_dump() for box in theirs],
            **state.model_dump(),
        }
        return Answer(body)

    def put(self, index: int, body: Put) -> Response:
        """Sets the state of a picture; the answer is sent when it is on the disk."""
        self.check(index)
        try:
            self.session.put(index, State(status=body.status, boxes=body.boxes), body.version)
        except StaleError:
            raise HTTPException(409, "The picture was changed meanwhile; load it again") from None
        except ValueError as error:
            raise HTTPException(422, f"An attribute is not a JSON value ({error})") from None
        return self.picture(index)

    def undo(self) -> Response:
        """Takes the last change back, of whichever picture."""
        return self.moved(self.session.undo(), "There is nothing to undo")

    def redo(self) -> Response:
        """Does the change again that was taken back last."""
        return self.moved(self.session.redo(), "There is nothing to redo")

    def moved(self, index: int | None, otherwise: str) -> Response:
        """The picture that a step changed."""
        if index is None:
            raise HTTPException(404, otherwise)
        return self.picture(index)

    def export(self) -> Response:
        """Writes the annotations."""
        return Answer(asdict(export(self.session, self.output)))

    def pixels(self, index: int, side: Annotated[int, Query(ge=64, le=16384)] = 2048) -> Response:
        """The picture as a browser can show it."""
        self.check(index)
        path = self.project.dataset.path(self.project.dataset.images[index])
        try:
            content, media_type = pictures.for_browser(path, side)
        except ImageError as error:
            raise HTTPException(404, str(error).rstrip(".")) from None
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-store"})

    def differences(self, index: int) -> int:
        """How many boxes differ from the other annotations; 0 without them."""
        theirs = self.project.others[index] if self.project.others is not None else None
        return 0 if theirs is None else count_differences(self.session.states[index].boxes, theirs)

    def check(self, index: int) -> None:
        """Refuses an index that there is not."""
        if not 0 <= index < len(self.session.states):
            raise HTTPException(404, f"There is no picture {index}; there are {len(self.session.states)}")


def create_app(session: Session, output: Output) -> FastAPI:
    """The application."""
    app = FastAPI(title="lafd review", docs_url=None, redoc_url=None, openapi_url=None)
    routes = Routes(session, output)
    app.get("/api/review")(routes.review)
    app.get("/api/pictures/{index}")(routes.picture)
    app.put("/api/pictures/{index}")(routes.put)
    app.post("/api/undo")(routes.undo)
    app.post("/api/redo")(routes.redo)
    app.post("/api/export")(routes.export)
    app.get("/pictures/{index}")(routes.pixels)
    app.get("/{name:path}")(page)
    app.middleware("http")(guard)
    # a name that somebody else's server gave this computer is not ours: no other site gets in by such a name
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
    app.add_exception_handler(HTTPException, http_failure)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(LafdError, failure)
    return app


def page(name: str) -> Response:
    """A file of the page."""
    name = name or "index.html"
    own = {path.relative_to(PAGE).as_posix(): path for path in PAGE.rglob("*") if path.is_file()}
    files = own | {shared: web.PAGE / shared for shared in SHARED}
    if name not in files:
        raise HTTPException(404, "There is no such page")
    return Response(files[name].read_bytes(), media_type=web.MEDIA_TYPES[files[name].suffix])


async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Refuses what other sites send from the visitor's browser, and adds the headers of every answer."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method not in ("GET", "HEAD") and (foreign or kind != "application/json"):
        answer: Response = Answer({"error": "Changes need the content type application/json."}, 415)
        if foreign:
            answer = Answer({"error": "Changes are taken from this program's own page alone."}, 403)
    else:
        answer = await call_next(request)
    for name, value in web.HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


async def http_failure(request: Request, error: Exception) -> Response:
    """What cannot be answered."""
    assert isinstance(error, HTTPException)
    return Answer({"error": f"{error.detail}."}, error.status_code)


async def invalid(request: Request, error: Exception) -> Response:
    """A body or a parameter that is not as it should be."""
    assert isinstance(error, RequestValidationError)
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return Answer({"error": f"{where}: {fault['msg']}."}, 422)


async def failure(request: Request, error: Exception) -> Response:
    """A file that cannot be written."""
    return Answer({"error": str(error)}, 500)
