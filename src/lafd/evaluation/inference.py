"""Running a detector over annotated pictures: at any size, and on pictures turned by any angle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lafd import images, preprocess
from lafd.detections import Detections
from lafd.detector import Detector, Options
from lafd.errors import LafdError
from lafd.evaluation.average_precision import Judged
from lafd.opencv import needed
from lafd.pipeline import Work, detect_files
from lafd.training.geometry import map_boxes, rotation
from lafd.training.samples import Sample

LEAST_CONFIDENCE = 0.01  # low, so that the whole curve of precision over recall exists


def detect_samples(
    detector: Detector, samples: Sequence[Sample], size: int, workers: int
) -> Iterable[tuple[Detections, str | None]]:
    """Detects as `lafd detect` does, but keeps low scores.

    Args:
        detector: The detector.
        samples: The pictures.
        size: Longer side at which the network sees a picture, px.
        workers: Threads.

    Yields:
        For each picture its detections, and the error of one that cannot be read, which then has no detections.

    Raises:
        LafdError: A picture has not the annotated size.
    """
    options = Options(size=size, confidence=LEAST_CONFIDENCE)
    paths = (sample.path for sample in samples)
    results = detect_files(detector, paths, options, Work(workers))
    for sample, result in zip(samples, results, strict=True):
        if result.detections is None:
            yield nothing(sample.size), result.error
            continue
        size_now = (result.detections.width, result.detections.height)
        if size_now != sample.size:
            raise LafdError(
                f"{sample.path}: {size_now[0]}x{size_now[1]} pixels, annotated are {sample.size[0]}x{sample.size[1]}."
            )
        yield result.detections, None


def nothing(size: tuple[int, int]) -> Detections:
    """No faces in a picture of (width, height)."""
    return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), *size)


def judge(samples: Sequence[Sample], found: Sequence[Detections]) -> list[Judged]:
    """Detections beside the labels."""
    return [Judged(f.boxes, f.scores, s.boxes, s.ignore) for s, f in zip(samples, found, strict=True)]


def network_scale(sample: Sample, size: int) -> float:
    """Factor by which the network sees a picture enlarged."""
    width, height = sample.size
    return preprocess.fit(height, width, size, None).width / width


def judge_turned(
    detector: Detector,
    samples: Sequence[Sample],
    angle: float,
    view: tuple[int, int],
    turned: bool = False,
) -> Iterable[Judged]:
    """Turns pictures and detects in them; faces keep the size at which the network sees them upright.

    Args:
        detector: The detector.
        samples: The pictures; those that cannot be read are left out.
        angle: Degrees counter-clockwise.
        view: Longer side at which the network sees an upright picture, px, and threads.
        turned: Detect with `Options.turned`.
    """
    size, workers = view

    def work(sample: Sample) -> Judged | None:
        try:
            pixels = images.load_image(sample.path)
        except LafdError:
            return None
        matrix, canvas = turn(sample.size, angle)
        scale = network_scale(sample, size)
        options = Options(resize_scale=scale, turned=turned, confidence=LEAST_CONFIDENCE)
        found = detector.detect(warp(pixels, matrix, canvas), options)
        return Judged(found.boxes, found.scores, map_boxes(sample.boxes, matrix), sample.ignore)

    with ThreadPoolExecutor(workers) as pool:
        for judged in pool.map(work, samples):
            if judged is not None:
                yield judged


def turn(size: tuple[int, int], angle: float) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """How to turn a picture counter-clockwise.

    Args:
        size: (width, height) of the picture.
        angle: Degrees.

    Returns:
        The map (2, 3) of places in the picture, and the (width, height) that holds all of the turned picture.
    """
    linear = rotation(-angle)
    width, height = (np.abs(linear) @ size).tolist()
    canvas = math.ceil(width - 1e-6), math.ceil(height - 1e-6)
    shift = np.array(canvas) / 2 - linear @ (np.array(size) / 2)
    return np.hstack([linear, shift[:, None]]).astype(np.float32), canvas


def warp(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float32], canvas: tuple[int, int]
) -> NDArray[np.uint8]:
    """Applies a map of picture edges to pixels, uint8 (h, w, 3); black outside."""
    cv2 = needed("turning pictures by any angle")
    middles = matrix.copy()  # OpenCV counts from the middle of the first pixel
    middles[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5], np.float32) - 0.5
    return np.asarray(cv2.warpAffine(pixels, middles, canvas, flags=cv2.INTER_LINEAR), np.uint8)
