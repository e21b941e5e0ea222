"""OpenCV, where it is installed: it scales pictures and decodes JPEG faster than what lafd brings along.

Results are the same with and without it, but for rounding. lafd does not install it by itself: its wheel is as large as
all the rest together, and of its four packages, which overwrite each other, many people have one already.
"""

from __future__ import annotations

from types import ModuleType

from lafd.errors import UsageError

__all__ = ["cv2", "limit_threads", "needed"]

try:
    import cv2
    from cv2 import resize as _  # noqa: F401 - what an uninstalled package leaves behind is importable, and empty
except ImportError:  # it is not there, or lacks a library of the system
    cv2 = None  # type: ignore[assignment]


def needed(purpose: str) -> ModuleType:
    """OpenCV, for what is made with nothing else.

    Raises:
        UsageError: It is not installed; the text has the command that installs it.
    """
    if cv2 is None:
        raise UsageError(f"{purpose} needs OpenCV: pip install 'lafd[opencv]'")
    return cv2


def limit_threads(count: int | None) -> None:
    """Lets OpenCV use so many threads for a picture; None leaves it to OpenCV."""
    if cv2 is not None:
        cv2.setNumThreads(count or -1)
