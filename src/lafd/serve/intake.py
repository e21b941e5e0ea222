"""Reading request bodies: multipart, raw or JSON, counted while they come in and never longer than allowed."""

from __future__ import annotations

import base64
import binascii
import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from anyio import to_thread
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lafd.serve import metrics
from lafd.serve.batching import BusyError
from lafd.serve.refusals import RefusedError
from lafd.serve.schemas import Base64Images
from lafd.serve.settings import Settings

RAW_TYPES = ("application/octet-stream", "image/")
ACCEPTED = "multipart/form-data, application/json, application/octet-stream or an image type"


@dataclass(frozen=True)
class Upload:
    """One encoded picture and the name that its sender gave it."""

    data: bytes
    name: str | None = None


class InMemoryParser(MultiPartParser):
    """Keeps files in memory, where the limits of the body hold them, instead of on the disk."""

    spool_max_size = sys.maxsize


class Intake:
    """Reads the pictures out of requests, within the settings' limits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.held = 0

    @contextlib.asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[list[Upload]]:
        """The pictures of a request; their bytes count as held until the block ends.

        Raises:
            RefusedError: The body is too large, of an unknown type or malformed.
            BusyError: The bodies of other requests leave no room for this one.
        """
        body = Body(request, self)
        try:
            uploads = await self.parse(request, body)
            if not uploads:
                raise RefusedError(422, "the request has no picture; send at least one.")
            if len(uploads) > self.settings.max_pictures:
                raise self.too_many()
            body.received = bytearray()
            yield uploads
        finally:
            self.hold(-body.size)

    async def parse(self, request: Request, body: Body) -> list[Upload]:
        """The pictures, as the content type says."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RefusedError(415, "compressed bodies are not accepted; send the body as it is.")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return await self.parse_multipart(request, body)
        if kind == "application/json":
            return await to_thread.run_sync(self.parse_json, await body.all())
        if kind.startswith(RAW_TYPES):
            data = bytes(await body.all())
            return [Upload(data)] if data else []
        raise RefusedError(415, f"the content type {kind[:100]!r} is not accepted; send {ACCEPTED}.")

    async def parse_multipart(self, request: Request, body: Body) -> list[Upload]:
        """Every part is a file."""
        files = self.settings.max_pictures
        parser = InMemoryParser(request.headers, body.chunks(), max_files=files, max_fields=0)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            if error.message.startswith("Too many files"):
                raise self.too_many() from None
            is_field = error.message.startswith("Too many fields")
            raise RefusedError(
                422, not_multipart("a part is not a file" if is_field else error.message)
            ) from None
        except ValueError as error:  # of the parser, or of an absurd boundary or character set
            raise RefusedError(422, not_multipart(str(error))) from None
        uploads = []
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(form.close)
            for _, file in form.multi_items():
                if isinstance(file, UploadFile):
                    uploads.append(Upload(await file.read(), file.filename or None))
        return uploads

    def parse_json(self, body: bytearray) -> list[Upload]:
        """{"images": [base64, ...]}; runs in a thread, because it takes a while."""
        try:
            images = Base64Images.model_validate_json(bytes(body)).images
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RefusedError(
                422, f"the JSON body is wrong at {place or 'its start'}: {first['msg']}."
            ) from None
        if len(images) > self.settings.max_pictures:
            raise self.too_many()
        try:
            return [Upload(base64.b64decode("".join(text.split()), validate=True)) for text in images]
        except (binascii.Error, ValueError):
            raise RefusedError(422, "an image of the JSON body is not base64.") from None

    def hold(self, size: int) -> None:
        """Counts bytes in memory, or out of it."""
        self.held += size
        metrics.UPLOADS.set(self.held)

    def too_many(self) -> RefusedError:
        """The refusal of a request with too many pictures."""
        return RefusedError(413, f"a request may have at most {self.settings.max_pictures} pictures.")


class Body:
    """The body of one request while it is received."""

    def __init__(self, request: Request, intake: Intake) -> None:
        self.request, self.intake = request, intake
        self.received = bytearray()
        self.size = 0
        declared = request.headers.get("content-length", "")
        if declared.isdecimal():
            self.check(int(declared))

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body piece by piece; each piece is counted before it is kept."""
        async for chunk in self.request.stream():
            self.check(self.size + len(chunk))
            self.size += len(chunk)
            self.intake.hold(len(chunk))
            if self.intake.held > self.intake.settings.max_upload_memory:
                raise BusyError(1)
            yield chunk

    async def all(self) -> bytearray:
        """The whole body."""
        async for chunk in self.chunks():
            self.received += chunk
        return self.received

    def check(self, size: int) -> None:
        """Refuses a body of so many bytes if it is too large."""
        limit = self.intake.settings.max_body
        if size > limit:
            raise RefusedError(413, f"the body is larger than the {limit} bytes that this service takes.")


def not_multipart(reason: str) -> str:
    """What to do about a multipart body that cannot be read."""
    return (
        f"the multipart body cannot be read ({reason.rstrip('.')}); send every picture as a file part, "
        "as curl -F image=@picture.png does, and the parameters in the address."
    )
