"""Optional parts of the package, and what to type to get them."""

from __future__ import annotations

import importlib.util

from lafd.errors import UsageError

NEEDS = {
    "train": ("training", ("torch", "cv2", "onnx", "onnxscript", "onnxslim", "safetensors", "tensorboard")),
    "review": ("the review", ("fastapi", "uvicorn", "defusedxml", "yaml")),
    "serve": ("the service", ("fastapi", "uvicorn", "python_multipart", "prometheus_client")),
    "parquet": ("Parquet files", ("pyarrow",)),
    "ray": ("the engine ray", ("ray", "pandas", "pyarrow")),
    "benchmark": ("the report of lafd benchmark", ("matplotlib", "onnx", "cv2")),
    "quantize": ("lafd quantize", ("onnx",)),
    "video": ("films", ("av", "cjm_byte_track", "scipy", "cv2")),
}
"""Of each extra: what needs it, and the modules that it brings."""


def need(extra: str) -> None:
    """Checks that an extra is installed.

    Raises:
        UsageError: A package of it is missing; the text has the command that installs it.
    """
    purpose, modules = NEEDS[extra]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            verb = "need" if purpose.endswith("s") else "needs"
            raise UsageError(f"{purpose} {verb} the package {module}: pip install 'lafd[{extra}]'")
