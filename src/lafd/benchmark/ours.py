"""Adapter (see `child.py`) of our detectors: MODEL DEVICE PART."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lafd import preprocess
from lafd.detector import Detector, Options
from lafd.images import Picture
from lafd.opencv import limit_threads

Prepare = Callable[[NDArray[np.uint8]], Callable[[], object]]


def contestant(arguments: Sequence[str], threads: int) -> Prepare:
    """Times `detect` of a picture at its own size, or the forward pass of the same input."""
    model, device, part = arguments
    limit_threads(threads)
    detector = Detector(model, device=device, threads=threads)
    options = Options(resize_scale=1.0)

    def network(image: NDArray[np.uint8]) -> Callable[[], object]:
        view = detector.view(Picture(image, image.shape[1], image.shape[0]), options)
        canvas = np.empty((1, view.padded_height, view.padded_width, 3), np.uint8)
        preprocess.place(image, view, canvas[0])
        return lambda: detector.runtime.run(canvas)

    def detect(image: NDArray[np.uint8]) -> Callable[[], object]:
        return lambda: detector.detect(image, options)

    return network if part == "network" else detect
