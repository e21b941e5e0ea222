"""ONNX Runtime, the default engine, with its execution providers for GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lafd.errors import ModelError, UsageError
from lafd.runtime import Outputs
from lafd.runtime.forking import PerProcess

PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
AUTOMATIC = (
    "cuda",
    "directml",
    "cpu",
)  # the first that this build of ONNX Runtime has; the others on request only


class OnnxRuntime:
    """A model in ONNX Runtime.

    Args:
        path: The .onnx file; it is not needed any more afterwards.
        device: A key of `PROVIDERS`, or "auto".
        threads: Threads of one forward pass; None as of `PerProcess`.

    Raises:
        UsageError: The device's provider is not in the installed ONNX Runtime, or cannot start.
        ModelError: The file is not a model that ONNX Runtime can run.
    """

    def __init__(self, path: Path, device: str, threads: int | None) -> None:
        available = onnxruntime.get_available_providers()
        if device == "auto":
            device = next(d for d in AUTOMATIC if PROVIDERS[d] in available)
        self.path, self.device = path, device
        if PROVIDERS[device] not in available:
            raise UsageError(
                f"device {device} needs an ONNX Runtime with {PROVIDERS[device]}; "
                f"the one installed has {', '.join(available)}."
            )
        self.model = path.read_bytes()
        self.sessions = PerProcess(self.start, threads)
        self.name = f"ONNX Runtime {onnxruntime.__version__}, {device}"

    def start(self, threads: int) -> onnxruntime.InferenceSession:
        """A session of this process."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # idle threads that spin steal the core from the thread that decodes the next picture
        options.add_session_config_entry("session.intra_op.allow_spinning", "0" if threads == 1 else "1")
        provider = PROVIDERS[self.device]
        try:
            providers = list(
                dict.fromkeys([provider, PROVIDERS["cpu"]])
            )  # what a GPU cannot do, the CPU does
            session = onnxruntime.InferenceSession(self.model, options, providers=providers)
        except Exception as error:  # onnxruntime raises bare classes of its C++ side
            raise ModelError(
                f"{self.path}: ONNX Runtime cannot load it ({str(error).splitlines()[0]})."
            ) from None
        if provider not in session.get_providers():
            raise UsageError(
                f"device {self.device} is not usable here: ONNX Runtime could not start {provider}."
            )
        return session

    @property
    def session(self) -> onnxruntime.InferenceSession:
        """The session of this process."""
        return self.sessions.get()

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Runtime.run`."""
        return cast(Outputs, tuple(self.session.run(["boxes", "scores"], {"images": images})))
