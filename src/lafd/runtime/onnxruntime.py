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
AUTOMATIC = ("cuda", "directml", "cpu")  # fastest first; the others on request only


def automatic(path: Path, threads: int | None) -> OnnxRuntime:
    """The model on the first of `AUTOMATIC` that is there and starts; its name tells which did not.

    Raises:
        ModelError: The file is not a model that ONNX Runtime can run.
    """
    available, failed = onnxruntime.get_available_providers(), ""
    for device in AUTOMATIC[:-1]:
        if PROVIDERS[device] in available:
            try:
                return OnnxRuntime(path, device, threads)
            except UsageError:
                failed += f"; {device} could not start"
    runtime = OnnxRuntime(path, AUTOMATIC[-1], threads)
    runtime.name += failed
    return runtime


class OnnxRuntime:
    """A model in ONNX Runtime.

    Args:
        path: The .onnx file; it is not needed any more afterwards.
        device: A key of `PROVIDERS`.
        threads: Threads of one forward pass; None as of `PerProcess`.

    Raises:
        UsageError: The device's provider is not in the installed ONNX Runtime, or cannot start.
        ModelError: The file is not a model that ONNX Runtime can run.
    """

    def __init__(self, path: Path, device: str, threads: int | None) -> None:
        available = onnxruntime.get_available_providers()
        self.path, self.device = path, device
        if PROVIDERS[device] not in available:
            raise UsageError(
                f"device {device} needs an ONNX Runtime with {PROVIDERS[device]}; "
                f"the one installed has {', '.join(available)}."
            )
        self.model = path.read_bytes()
        self.sessions = PerProcess(self.start, threads)
        self.name = f"ONNX Runtime {onnxruntime.__version__}, {device}"
        self.batches = device != "cpu"

    def start(self, threads: int) -> onnxruntime.InferenceSession:
        """A session of this process."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # idle threads that spin steal the core from the thread that decodes the next picture
        options.add_session_config_entry("session.intra_op.allow_spinning", "0" if threads == 1 else "1")
        provider = PROVIDERS[self.device]
        providers = list(dict.fromkeys([provider, PROVIDERS["cpu"]]))  # what a GPU cannot do, the CPU does
        unusable = f"device {self.device} is not usable here: ONNX Runtime could not start {provider}"
        try:  # its own fallback to the CPU is off, it prints to standard output
            session = onnxruntime.InferenceSession(
                self.model, options, providers=providers, enable_fallback=0
            )
        except Exception as error:  # onnxruntime raises bare classes of its C++ side
            reason = str(error).splitlines()[0]
            if self.device != "cpu":
                raise UsageError(f"{unusable} ({reason}).") from None
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it ({reason}).") from None
        if provider not in session.get_providers():
            raise UsageError(f"{unusable}.")
        return session

    @property
    def session(self) -> onnxruntime.InferenceSession:
        """The session of this process."""
        return self.sessions.get()

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Runtime.run`."""
        return cast(Outputs, tuple(self.session.run(["boxes", "scores"], {"images": images})))
