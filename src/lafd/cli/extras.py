"""Optional parts of the package, and what to type to get them."""

from __future__ import annotations

import importlib.util

from lafd.errors import UsageError


def need_training() -> None:
    """Checks that the extra `train` is installed.

    Raises:
        UsageError: A package of it is missing; the text has the command that installs it.
    """
    for package in ("torch", "onnx", "onnxscript", "onnxslim", "safetensors", "tensorboard"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"training needs the package {package}: pip install 'lafd[train]'")


def need_serving() -> None:
    """Checks that the extra `serve` is installed.

    Raises:
        UsageError: A package of it is missing; the text has the command that installs it.
    """
    for package in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"the service needs the package {package}: pip install 'lafd[serve]'")


def need_video() -> None:
    """Checks that the extra `video` is installed.

    Raises:
        UsageError: A package of it is missing; the text has the command that installs it.
    """
    for package in ("av", "cjm_byte_track", "scipy"):
        if importlib.util.find_spec(package) is None:
            raise UsageError(f"films need the package {package}: pip install 'lafd[video]'")
