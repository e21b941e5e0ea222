"""The routes of the service."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
from fastapi import Depends, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse

from lafd import __version__, web
from lafd.errors import LafdError
from lafd.serve import metrics, schemas
from lafd.serve.access import need_key
from lafd.serve.batching import Batcher, BusyError
from lafd.serve.faces import FaceFinder, Found, Job
from lafd.serve.intake import Intake, Upload
from lafd.serve.logs import Observed
from lafd.serve.negotiation import choose
from lafd.serve.refusals import RefusedError, answer_errors
from lafd.serve.settings import Settings

JSON = "application/json"
DETECT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": schemas.DetectResponse,
        "description": "The faces; or, if `Accept` asks for an image type, the picture with its faces marked.",
        "content": {
            JSON: {"example": schemas.DETECT_EXAMPLE},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in schemas.PICTURE_TYPES},
        },
    },
    **schemas.failures(401, 406, 408, 413, 415, 422, 429, 503),
}


class Service:
    """What one worker process holds while it runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.finder = FaceFinder(settings)
        self.intake = Intake(settings)
        self.batcher: Batcher[Job, Found] = Batcher(
            self.finder.find,
            threads=settings.threads,
            max_queue=settings.max_queue,
            budget=settings.latency_budget,
            watch=self.measure,
        )

    @property
    def default_model(self) -> str:
        """Name of the model for requests that name none."""
        return next(iter(self.finder.detectors))

    def measure(self, size: int, waited: float) -> None:
        """Records what is known of a batch at its start."""
        metrics.BATCH.observe(size)
        metrics.STAGE.labels("wait").observe(waited)
        metrics.WAITING.set(len(self.batcher.queue))

    async def find(self, jobs: Sequence[Job]) -> list[Found | LafdError]:
        """Waits for the results of all jobs.

        Raises:
            BusyError: There is no room for them.
        """
        promises = [asyncio.wrap_future(promise) for promise in self.batcher.submit(jobs)]
        metrics.WAITING.set(len(self.batcher.queue))
        # cancelled, it cancels those that wait
        results = await asyncio.gather(*promises, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, LafdError):
                raise result
        return [result for result in results if isinstance(result, (Found, LafdError))]


def create_app(settings: Settings) -> FastAPI:
    """The application of one worker process, its models loaded.

    Raises:
        LafdError: A model cannot be loaded.
    """
    service = Service(settings)
    metrics.forget_dead_workers()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await anyio.to_thread.run_sync(service.batcher.close)

    app = FastAPI(
        title="lafd",
        version=__version__,
        summary="Finds faces in anime pictures.",
        lifespan=lifespan,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.service = service
    answer_errors(app)
    if settings.cors_origins:
        headers = ["Authorization", "Content-Type"]
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=headers,
        )
    app.add_middleware(Observed)
    guarded = [Depends(need_key)] if settings.key_digests else []
    app.post(
        "/v1/detect",
        dependencies=guarded,
        responses=DETECT_RESPONSES,
        openapi_extra={"parameters": schemas.QUERY, "requestBody": schemas.REQUEST_BODY},
        tags=["detection"],
    )(detect)
    app.get("/v1/models", dependencies=guarded, responses=schemas.failures(401), tags=["detection"])(models)
    app.get("/healthz", responses=schemas.failures(503), tags=["operation"])(healthz)
    app.get("/readyz", responses=schemas.failures(503), tags=["operation"])(readyz)
    app.get(
        "/metrics",
        dependencies=guarded,
        responses=schemas.failures(401),
        response_class=PlainTextResponse,
        tags=["operation"],
    )(exposition)
    app.api_route("/{name:path}", methods=["GET", "HEAD"], include_in_schema=False)(page)
    return app


async def detect(request: Request) -> Response:
    """Finds the faces of the pictures in the body.

    The body is one picture as it is, several as files of a multipart form, or JSON with base64. A picture that
    cannot be read has an `error` in its place; if none can be read, the status is 422.
    """
    service: Service = request.app.state.service
    if service.batcher.full():  # before the body is read
        raise BusyError(service.batcher.retry_after())
    parameters = schemas.Parameters.of(request)
    model = parameters.model or service.default_model
    if model not in service.finder.detectors:
        raise RefusedError(
            422, f"there is no model {model[:100]!r}; choose one of {', '.join(service.finder.detectors)}."
        )
    try:
        options = parameters.options(service.settings.max_pixels)
    except LafdError as error:
        raise RefusedError(422, str(error)) from None
    form = choose(request.headers.get("accept", ""), (JSON, *schemas.PICTURE_TYPES))
    if form is None:
        raise RefusedError(406, f"answers are {JSON}, {', '.join(schemas.PICTURE_TYPES)}.")
    ending = schemas.PICTURE_TYPES.get(form)
    noted, complete = request.state.noted, False
    try:
        with anyio.fail_after(service.settings.timeout):
            async with service.intake.read(request) as uploads:
                complete = True
                if ending is not None and len(uploads) > 1:
                    raise RefusedError(
                        406, "an annotated picture is the answer to one picture; ask for JSON."
                    )
                noted.update(pictures=len(uploads), bytes=sum(len(upload.data) for upload in uploads))
                results = await service.find([Job(upload.data, model, options, ending) for upload in uploads])
    except TimeoutError:
        if complete:
            raise RefusedError(503, f"the pictures took more than {service.settings.timeout:g} s.") from None
        raise RefusedError(408, f"the body took more than {service.settings.timeout:g} s to come.") from None
    noted["faces"] = counted(results)
    return answer(model, form, uploads, results)


def counted(results: Sequence[Found | LafdError]) -> int:
    """Measures what became of pictures; returns the number of faces."""
    faces = sum(len(result.faces) for result in results if isinstance(result, Found))
    failed = sum(isinstance(result, LafdError) for result in results)
    metrics.FACES.inc(faces)
    metrics.PICTURES.labels("found").inc(len(results) - failed)
    metrics.PICTURES.labels("unreadable").inc(failed)
    return faces


def answer(
    model: str, form: str, uploads: Sequence[Upload], results: Sequence[Found | LafdError]
) -> Response:
    """The results in the form that was asked for."""
    errors = [result for result in results if isinstance(result, LafdError)]
    if len(errors) == len(results):
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise RefusedError(422, f"{errors[0]}{more}")
    if isinstance(results[0], Found) and results[0].drawing is not None:
        return Response(results[0].drawing, media_type=form, headers={"X-Faces": str(len(results[0].faces))})
    entries = [
        {
            "name": upload.name,
            **(result.faces.to_dict() if isinstance(result, Found) else {"error": str(result)}),
        }
        for upload, result in zip(uploads, results, strict=True)
    ]
    return JSONResponse({"model": model, "results": entries})


async def models(request: Request) -> schemas.ModelsResponse:
    """The models on offer and their defaults."""
    service: Service = request.app.state.service
    cards = [dataclasses.asdict(detector.card) for detector in service.finder.detectors.values()]
    return schemas.ModelsResponse(
        default=service.default_model, models=[schemas.ModelOut(**card) for card in cards]
    )


async def healthz(request: Request) -> schemas.Health:
    """Whether the process does its work; if not, it should be restarted."""
    service: Service = request.app.state.service
    if service.batcher.stuck(2 * service.settings.timeout):
        raise RefusedError(503, "every thread has been at one picture for too long.")
    return schemas.Health(status="ok")


async def readyz(request: Request) -> schemas.Health:
    """Whether a request would be taken now."""
    if request.app.state.service.batcher.full():
        raise RefusedError(503, "the queue is full.")
    return schemas.Health(status="ready")


async def exposition() -> Response:
    """Measurements for Prometheus."""
    return Response(await anyio.to_thread.run_sync(metrics.exposition), media_type=metrics.CONTENT_TYPE)


def page(name: str) -> Response:
    """A file of the page that detects in the browser; open to everybody, because it uses nothing of this service."""
    asset = web.read(name)
    if asset is None:
        raise RefusedError(404, "there is no such page.")
    return Response(asset.content, media_type=asset.media_type, headers=web.HEADERS)
