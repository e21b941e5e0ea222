"""A client of the service (`lafd serve`) whose methods are the detector's; needs the extra `client`."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from lafd import images
from lafd.detections import Detections
from lafd.detector import Options
from lafd.errors import ImageError, LafdError, UsageError
from lafd.images import ImageSource
from lafd.pixels import Colour

try:
    import httpx
except ImportError:
    raise UsageError("the client needs the package httpx: pip install 'lafd[client]'") from None

RETRIES = 5  # after "busy" answers
LONGEST_PAUSE = 30.0  # seconds between them
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


class ServiceError(LafdError):
    """The service cannot be reached or has refused a request.

    Attributes:
        status: Of the HTTP answer; None if there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """Detects faces with a service; may be used by many threads at once.

    Args:
        url: Address of the service.
        key: API key, if the service wants one.
        timeout: Seconds to wait for an answer.

    Examples:
        >>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
        ...     faces = client.detect("picture.png")
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", *, key: str | None = None, timeout: float = 60
    ) -> None:
        self.http = httpx.Client(base_url=url, headers=headers_for(key), timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *rest: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self.http.close()

    def detect(
        self, image: ImageSource, options: Options | None = None, *, model: str | None = None
    ) -> Detections:
        """Finds the faces of one image.

        Args:
            image: As of `Detector.detect`; arrays are in BGR order.
            options: How to detect.
            model: Name of one of the service's models; None takes its default.

        Raises:
            ImageError: The image cannot be read here, before it is sent.
            ServiceError: The service cannot be reached, refuses the request or cannot read the image.
        """
        return self.detect_batch([image], options, model=model)[0]

    def detect_batch(
        self, batch: Sequence[ImageSource], options: Options | None = None, *, model: str | None = None
    ) -> list[Detections]:
        """Finds the faces of several images in one request; arguments and errors as of `detect`."""
        request = self.http.build_request("POST", "/v1/detect", **form(batch, options, model))
        return detections(self.send(request))

    def annotate(self, image: ImageSource, options: Options | None = None, *, ending: str = ".png") -> bytes:
        """The image with its faces marked, encoded as PNG, JPEG or WebP; arguments and errors as of `detect`."""
        request = self.http.build_request("POST", "/v1/detect", **form([image], options, None, ending))
        return self.send(request).content

    def models(self) -> dict[str, Any]:
        """The service's models: {"default": name, "models": [{"name", "description", ...}, ...]}."""
        return cast("dict[str, Any]", self.send(self.http.build_request("GET", "/v1/models")).json())

    def send(self, request: httpx.Request) -> httpx.Response:
        """Sends a request, again after a pause while the service is busy."""
        for attempt in range(RETRIES + 1):
            try:
                response = self.http.send(request)
            except httpx.HTTPError as error:
                raise unreachable(request, error) from None
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS or attempt == RETRIES:
                break
            time.sleep(pause(response))
        return checked(response)


class AsyncClient:
    """`Client` for asyncio: the same methods, to be awaited.

    Examples:
        >>> async def main():
        ...     async with AsyncClient("http://127.0.0.1:8000") as client:
        ...         return await client.detect("picture.png")
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8000", *, key: str | None = None, timeout: float = 60
    ) -> None:
        self.http = httpx.AsyncClient(base_url=url, headers=headers_for(key), timeout=timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *rest: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self.http.aclose()

    async def detect(
        self, image: ImageSource, options: Options | None = None, *, model: str | None = None
    ) -> Detections:
        """See `Client.detect`."""
        return (await self.detect_batch([image], options, model=model))[0]

    async def detect_batch(
        self, batch: Sequence[ImageSource], options: Options | None = None, *, model: str | None = None
    ) -> list[Detections]:
        """See `Client.detect_batch`."""
        content = await asyncio.to_thread(form, batch, options, model)
        return detections(await self.send(self.http.build_request("POST", "/v1/detect", **content)))

    async def annotate(
        self, image: ImageSource, options: Options | None = None, *, ending: str = ".png"
    ) -> bytes:
        """See `Client.annotate`."""
        content = await asyncio.to_thread(form, [image], options, None, ending)
        return (await self.send(self.http.build_request("POST", "/v1/detect", **content))).content

    async def models(self) -> dict[str, Any]:
        """See `Client.models`."""
        return cast("dict[str, Any]", (await self.send(self.http.build_request("GET", "/v1/models"))).json())

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Sends a request, again after a pause while the service is busy."""
        for attempt in range(RETRIES + 1):
            try:
                response = await self.http.send(request)
            except httpx.HTTPError as error:
                raise unreachable(request, error) from None
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS or attempt == RETRIES:
                break
            await asyncio.sleep(pause(response))
        return checked(response)


def headers_for(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    return {"Authorization": f"Bearer {key}"} if key else {}


def form(
    batch: Sequence[ImageSource], options: Options | None, model: str | None, ending: str | None = None
) -> dict[str, Any]:
    """The request for a batch: its files, parameters and the wanted form of the answer."""
    if not batch:
        raise UsageError("the batch is empty: give at least one image.")
    if ending is not None and ending.lower() not in MEDIA_TYPES:
        raise UsageError(f"cannot ask for a picture as {ending!r}: use {', '.join(MEDIA_TYPES)}.")
    options = options or Options()
    pictures = [encoded(image, options.background) for image in batch]
    return {
        "files": [("image", (str(i), data, "application/octet-stream")) for i, data in enumerate(pictures)],
        "params": parameters(options, model),
        "headers": {"Accept": "application/json" if ending is None else MEDIA_TYPES[ending.lower()]},
    }


def parameters(options: Options, model: str | None) -> dict[str, Any]:
    """Options as parameters of the address; the limit of pixels is the service's own."""
    given = {**dataclasses.asdict(options), "background": bytes(options.background).hex(), "model": model}
    del given["max_pixels"]
    return {name: value for name, value in given.items() if value is not None}


def encoded(image: ImageSource, background: Colour) -> bytes:
    """An image as the bytes of a picture file; what is not encoded yet becomes PNG.

    Raises:
        ImageError: The file cannot be read.
        UsageError: This is no image.
    """
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, (str, os.PathLike)):
        try:
            return Path(image).read_bytes()
        except OSError as error:
            raise ImageError(f"cannot read {os.fspath(image)}: {error.strerror or error}.") from None
    if isinstance(image, (np.ndarray, Image.Image)):
        return images.encode_image(images.load_image(image, background=background), ".png")
    if hasattr(image, "read"):
        return image.read()
    raise UsageError(
        f"a {type(image).__name__} is not a picture: give a path, bytes, a binary file or an array."
    )


def detections(response: httpx.Response) -> list[Detections]:
    """The results of an answer; the first picture that failed raises its error."""
    found = []
    results = response.json()["results"]
    for number, result in enumerate(results, 1):
        if "error" in result:
            raise ServiceError(f"picture {number} of {len(results)}: {result['error']}", response.status_code)
        boxes = np.array([face["box"] for face in result["faces"]], np.float32).reshape(-1, 4)
        scores = np.array([face["score"] for face in result["faces"]], np.float32)
        found.append(Detections(boxes, scores, result["width"], result["height"]))
    return found


def checked(response: httpx.Response) -> httpx.Response:
    """The answer if it is a success.

    Raises:
        ServiceError: It is not.
    """
    if response.is_success:
        return response
    try:
        reason = str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        reason = f"{response.reason_phrase}; is this the address of lafd serve?"
    raise ServiceError(f"the service answers {response.status_code}: {reason}", response.status_code)


def unreachable(request: httpx.Request, error: httpx.HTTPError) -> ServiceError:
    """The error of a request without an answer."""
    where = request.url.copy_with(path="/", query=None)
    return ServiceError(f"no answer from {where} ({str(error) or type(error).__name__}).")


def pause(response: httpx.Response) -> float:
    """Seconds to wait before the next attempt."""
    wanted = response.headers.get("Retry-After", "1")
    return min(float(wanted) if wanted.isdecimal() else 1.0, LONGEST_PAUSE)
