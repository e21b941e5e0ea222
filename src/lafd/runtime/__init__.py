"""Engines that run a model: one small protocol, one file per engine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lafd.errors import UsageError

DEVICES = ("auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino", "openvino-bf16")

Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]


class Runtime(Protocol):
    """A loaded model."""

    name: str
    """Engine and device that were picked, for people."""

    batches: bool
    """Whether many images at once take less time than one by one, as on GPUs."""

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """Runs the network; may be called by many threads at once.

        Args:
            images: uint8 (n, h, w, 3), BGR, h and w multiples of 32.

        Returns:
            Boxes float32 (n, k, 4), xyxy in input pixels, and scores float32 (n, k) in [0, 1].
        """
        ...


def load_runtime(path: Path, device: str, threads: int | None) -> Runtime:
    """Loads an ONNX model on a device.

    Args:
        path: The .onnx file.
        device: One of `DEVICES`; "auto" takes a GPU that the installed ONNX Runtime can use, else the CPU in ONNX
            Runtime, which is faster than OpenVINO there.
        threads: Threads of one forward pass on a CPU; None as of `Detector`.

    Raises:
        UsageError: The device is unknown or not available here.
    """
    if device not in DEVICES:
        raise UsageError(f"unknown device {device!r}: choose one of {', '.join(DEVICES)}.")
    if device.startswith("openvino"):
        from lafd.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(path, "bf16" if device.endswith("bf16") else "f32", threads)
    from lafd.runtime.onnxruntime import OnnxRuntime, automatic

    return automatic(path, threads) if device == "auto" else OnnxRuntime(path, device, threads)
