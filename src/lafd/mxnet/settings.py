"""The settings of an MXNet operation, which are text."""

from __future__ import annotations

import math
import re

from lafd.mxnet.symbol import Node

MAX_STEP = 64  # of strides, paddings, dilations and kernel sides; the family uses up to 3
HARMLESS = {"workspace", "cudnn_tune", "cudnn_off"}  # say how to compute, not what


class Settings:
    """A node's attributes; those that are not known are refused, for they change what is computed."""

    def __init__(self, node: Node, known: set[str]) -> None:
        unknown = {name for name in node.attributes if not name.startswith("__")} - known - HARMLESS
        if unknown:
            raise ValueError(f"has the unknown setting {min(unknown)[:40]}")
        self.attributes = node.attributes

    def only(self, name: str, default: str | None, allowed: set[str]) -> str:
        """A setting that must have one of a few values."""
        value = self.attributes.get(name, default)
        if value is None or value not in allowed:
            raise ValueError(f"has {name} = {str(value)[:40]}, not {' or '.join(sorted(allowed))}")
        return value

    def whole(self, name: str, default: int | None) -> int:
        """A whole number of at most six digits."""
        value = self.attributes.get(name, default if default is None else str(default))
        if value is None or not re.fullmatch(r"\d{1,6}", value, re.ASCII):
            raise ValueError(f"has {name} = {str(value)[:40]}, not a whole number")
        return int(value)

    def pair(self, name: str, default: int | None) -> int:
        """The number in "(3, 3)": both sides must be alike."""
        value = self.attributes.get(name, f"({default},{default})" if default is not None else "")
        match = re.fullmatch(r"[(\[](\d{1,3}), ?(\d{1,3})[)\]]", value, re.ASCII)
        if not match or match[1] != match[2] or int(match[1]) > MAX_STEP:
            raise ValueError(f"has {name} = {value[:40]}, not two equal numbers of at most {MAX_STEP}")
        return int(match[1])

    def number(self, name: str) -> float:
        """A number that float32 holds."""
        try:
            value = float(self.attributes.get(name, "nan"))
        except ValueError:
            value = math.nan
        if not abs(value) < 1e30:
            raise ValueError(f"has no usable {name}")
        return value
