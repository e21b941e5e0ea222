"""OpenVINO (extra `openvino`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lafd.errors import ModelError, UsageError
from lafd.runtime import Outputs
from lafd.runtime.forking import PerProcess

if TYPE_CHECKING:
    import openvino


class OpenVinoRuntime:
    """A model in OpenVINO on the CPU.

    Args:
        path: The .onnx file; it is not needed any more afterwards.
        precision: "f32", or "bf16" where the processor computes in it.
        threads: Threads of one forward pass; None as of `PerProcess`.

    Raises:
        UsageError: OpenVINO is not installed, or the processor lacks the precision.
        ModelError: The file is not a model that OpenVINO can run.
    """

    def __init__(self, path: Path, precision: str, threads: int | None) -> None:
        # OpenVINO reports its use over the network at import, unless this package of its own cannot be had
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        try:
            import openvino
        except ImportError:
            raise UsageError("device openvino needs OpenVINO: pip install 'lafd[openvino]'") from None
        self.path, self.model, self.precision = path, path.read_bytes(), precision
        self.compiled = PerProcess(self.start, threads)
        self.batches = False
        self.name = f"OpenVINO {openvino.__version__.split('-')[0]}, cpu, {precision}"

    def start(self, threads: int) -> openvino.CompiledModel:
        """The compiled model of this process."""
        import openvino

        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
            "INFERENCE_NUM_THREADS": threads,
        }
        core = openvino.Core()
        if self.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise UsageError(
                "device openvino-bf16: this processor does not compute in bfloat16; use openvino."
            )
        try:
            return core.compile_model(core.read_model(self.model, b""), "CPU", config)
        except RuntimeError as error:
            raise ModelError(
                f"{self.path}: OpenVINO cannot load it ({str(error).splitlines()[0]})."
            ) from None

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Runtime.run`; a request of its own per call keeps threads apart."""
        results = self.compiled.get().create_infer_request().infer({"images": images})
        return np.array(results["boxes"], np.float32), np.array(results["scores"], np.float32)
