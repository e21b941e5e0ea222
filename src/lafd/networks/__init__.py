"""What the networks are, in torch (extra `train`); inference needs none of this."""

from __future__ import annotations

from typing import TypeAlias

from lafd.errors import UsageError
from lafd.networks import lafd, lffd
from lafd.networks.lafd import FaceNet
from lafd.networks.lffd import LffdNet

Network: TypeAlias = FaceNet | LffdNet
LAYOUTS = (*lafd.LAYOUTS, *lffd.LAYOUTS)


def make_network(name: str) -> Network:
    """A network with random weights by the name of its layout.

    Raises:
        UsageError: There is no such layout.
    """
    if name in lafd.LAYOUTS:
        return FaceNet(lafd.LAYOUTS[name])
    if name in lffd.LAYOUTS:
        return LffdNet(lffd.LAYOUTS[name])
    raise UsageError(f"unknown network {name!r}: choose one of {', '.join(LAYOUTS)}.")
