"""What is timed: our models and engines on drawn pictures, and the original LFFD graph beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from lafd.benchmark.timing import Case
from lafd.detector import Detector, Options
from lafd.drawing import draw_scene
from lafd.images import Picture

SHAPES = ((384, 259), (384, 216), (276, 384), (640, 480), (1280, 720), (1920, 1080))
"""(width, height); the first three are those of the original's table."""


def detector_cases(detector: Detector, shape: tuple[int, int]) -> Iterator[Case]:
    """`detect` on a picture of this shape at its own size, and the network's forward pass of the same input."""
    width, height = shape
    image = draw_scene(width, height, 0, faces=3).image
    options = Options(resize_scale=1.0)
    view = detector.view(Picture(image, width, height), options)
    canvas = np.zeros((1, view.padded_height, view.padded_width, 3), np.uint8)
    name = f"{detector.card.name}, {detector.runtime.name}"
    yield Case(name, "detect", width, height, lambda: detector.detect(image, options))
    yield Case(name, "network", width, height, lambda: detector.runtime.run(canvas))


def lffd_forward(threads: int) -> Callable[[tuple[int, int]], Case]:
    """The forward pass of the original's network (10_320_20L_5scales), random weights, in ONNX Runtime.

    Returns:
        A function that makes the case of a shape (width, height). The time does not depend on the weights.
    """
    import onnxruntime
    import torch

    from lafd.networks.lffd import LAYOUTS, LffdNet

    class Forward(torch.nn.Module):
        """The original's graph: maps of scores and boxes of every scale."""

        def __init__(self) -> None:
            super().__init__()
            self.network = LffdNet(LAYOUTS["lffd"])

        def forward(self, data: torch.Tensor) -> list[torch.Tensor]:
            maps = self.network.maps(data)
            return [out for score, box in maps for out in (score.softmax(1)[:, :1], box)]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lffd.onnx"
        free = {
            "data": {2: torch.export.Dim("h", min=128, max=8192), 3: torch.export.Dim("w", min=128, max=8192)}
        }
        torch.onnx.export(
            Forward().eval(),
            (torch.zeros(1, 3, 320, 448),),
            path,
            input_names=["data"],
            dynamic_shapes=free,
            external_data=False,
            verbose=False,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def case(shape: tuple[int, int]) -> Case:
        width, height = shape
        data = np.random.default_rng(0).integers(0, 256, (1, 3, height, width)).astype(np.float32)
        name = f"LFFD 10_320_20L_5scales, ONNX Runtime {onnxruntime.__version__}, cpu"
        return Case(name, "network", width, height, lambda: session.run(None, {"data": data}))

    return case
