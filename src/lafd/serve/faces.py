"""From an encoded picture to its faces, in a worker thread: every picture of the service goes through here."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lafd import images
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.draw import draw
from lafd.errors import ImageError, LafdError, UsageError
from lafd.images import Picture
from lafd.serve import metrics
from lafd.serve.settings import Settings

BATCH_PIXELS = 2**24  # decoded and network pixels that one thread gathers for a GPU before it detects

# The first bytes of what is decoded. Fewer decoders within a stranger's reach are fewer ways to do harm.
SERVED = "JPEG, PNG, GIF, WebP, AVIF, BMP, TIFF"
SIGNATURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|\0\0\0.ftypavi[fs]|BM|II\*\0|MM\0\*", re.DOTALL
)


@dataclass(frozen=True)
class Job:
    """One picture to look at.

    Attributes:
        data: The encoded picture.
        model: Name of the model.
        options: How to detect.
        drawn: Ending (".png") of the annotated picture that is wanted; None for the faces alone.
    """

    data: bytes
    model: str
    options: Options
    drawn: str | None = None


@dataclass(frozen=True)
class Found:
    """The faces of one picture, and the annotated picture if it was asked for."""

    faces: Detections
    drawing: bytes | None = None


class FaceFinder:
    """The models of a service, loaded and ready; used by many threads at once.

    Raises:
        UsageError: A model or the device does not exist, or two models have one name.
        ModelError: Damaged weights or card.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.detectors: dict[str, Detector] = {}
        for model in settings.models:
            detector = Detector(model, device=settings.device, threads=1)
            if detector.card.name in self.detectors:
                raise UsageError(f"two models are named {detector.card.name!r}; give each card its own name.")
            self.detectors[detector.card.name] = detector
            detector.detect(
                np.zeros((64, 64, 3), np.uint8)
            )  # the first pass allocates; no request should wait for that

    def find(self, jobs: Sequence[Job]) -> list[Found | Exception]:
        """Decodes and detects; one bad picture gives its own error and spoils no other."""
        results: dict[int, Found | Exception] = {}
        pictures: dict[int, Picture] = {}
        pixels = 0
        # a processor gains nothing by batches, and has a picture in its cache if it detects at once
        batches = any(self.detectors[job.model].runtime.batches for job in jobs)
        enough = BATCH_PIXELS if batches else 0
        for i, job in enumerate(jobs):
            try:
                pictures[i] = self.read(job)
                pixels += self.checked_pixels(pictures[i], job)
            except LafdError as error:
                pictures.pop(i, None)
                results[i] = error
            if pixels > enough:
                results |= self.detect(jobs, pictures)
                pictures, pixels = {}, 0
        results |= self.detect(jobs, pictures)
        return [results[i] for i in range(len(jobs))]

    def read(self, job: Job) -> Picture:
        """Decodes a picture, smaller than it is where that is enough."""
        with metrics.stage("decode"):
            if not SIGNATURES.match(job.data):
                raise ImageError(f"the picture is of none of the formats {SERVED}.")
            if job.drawn is None:
                return self.detectors[job.model].read(job.data, job.options)
            # what is drawn on is the picture as it is, not one reduced for the network
            return images.read_image(
                job.data, background=job.options.background, max_pixels=job.options.max_pixels
            )

    def checked_pixels(self, picture: Picture, job: Job) -> int:
        """Pixels of the picture and of the network's input for it, which must not be too large."""
        view = self.detectors[job.model].view(picture, job.options)
        if max(view.width, view.height) > self.settings.max_size:
            raise UsageError(
                f"a picture of {picture.width}x{picture.height} pixels at this scale makes an input of "
                f"{view.width}x{view.height}; this service allows {self.settings.max_size} on the longer side."
            )
        return int(picture.pixels.size) // 3 + view.padded_height * view.padded_width

    def detect(self, jobs: Sequence[Job], pictures: dict[int, Picture]) -> dict[int, Found | Exception]:
        """Detects in pictures (by the number of their job); those with equal options share forward passes."""
        groups: dict[tuple[str, Options], list[int]] = {}
        for i in pictures:
            groups.setdefault((jobs[i].model, jobs[i].options), []).append(i)
        results: dict[int, Found | Exception] = {}
        for (model, options), members in groups.items():
            started = time.perf_counter()
            found = self.detectors[model].detect_pictures([pictures[i] for i in members], options)
            metrics.STAGE.labels("detect").observe((time.perf_counter() - started) / len(members))
            for i, faces in zip(members, found, strict=True):
                results[i] = self.finished(jobs[i], pictures[i], faces)
        return results

    def finished(self, job: Job, picture: Picture, faces: Detections) -> Found | Exception:
        """The result in the form that was asked for."""
        if job.drawn is None:
            return Found(faces)
        try:
            with metrics.stage("draw"):
                return Found(faces, images.encode_image(draw(picture.pixels, faces), job.drawn))
        except LafdError as error:
            return error
