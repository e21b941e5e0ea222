"""The errors that lafd raises for causes outside its own code."""

from __future__ import annotations

LONGEST = 600  # characters; names in damaged files have thousands


class LafdError(Exception):
    """Something the user can mend; its text is one sentence that says what and how."""

    def __str__(self) -> str:
        text = super().__str__()
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


class UsageError(LafdError, ValueError):
    """An argument is outside its range or names something that does not exist (exit status 2)."""


class ImageError(LafdError, OSError):
    """A picture cannot be read; the text names the picture and the reason."""


class ModelError(LafdError, OSError):
    """Weights or their card are missing, damaged or do not fit together."""
