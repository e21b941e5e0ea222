"""Adapter of `lafd benchmark`: the forward pass of an ONNX graph. Arguments: the file, and what sides are padded to.

The graph takes float32 (1, 3, h, w).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import onnxruntime
from lines import Prepare


def contestant(arguments: list[str], threads: int) -> Prepare:
    """Times the graph alone."""
    path, multiple = arguments[0], int(arguments[1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def prepare(image: np.ndarray) -> Callable[[], object]:
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % multiple, 0, -width % multiple, cv2.BORDER_CONSTANT)
        data = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
        return lambda: session.run(None, {"images": data})

    return prepare
