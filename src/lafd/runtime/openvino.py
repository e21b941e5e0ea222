"""OpenVINO (extra `openvino`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lafd.errors import ModelError, UsageError
from lafd.runtime import Outputs


class OpenVinoRuntime:
    """A model in OpenVINO on the CPU, computed in float32.

    Args:
        path: The .onnx file.
        threads: Threads of one forward pass; None leaves it to OpenVINO.

    Raises:
        UsageError: OpenVINO is not installed.
        ModelError: The file is not a model that OpenVINO can run.
    """

    def __init__(self, path: Path, threads: int | None) -> None:
        try:
            import openvino
        except ImportError:
            raise UsageError("device openvino needs OpenVINO: pip install 'lafd[openvino]'") from None
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        try:
            self.model = openvino.Core().compile_model(str(path), "CPU", config)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot load it ({str(error).splitlines()[0]}).") from None
        self.name = f"OpenVINO {openvino.__version__.split('-')[0]}, cpu"

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Runtime.run`; a request of its own per call keeps threads apart."""
        results = self.model.create_infer_request().infer({"images": images})
        return np.array(results["boxes"], np.float32), np.array(results["scores"], np.float32)
