"""A wider or deeper network that begins as the smaller one that it grew from, so that nothing is learnt twice.

As in Net2Net (arXiv 1511.05641, section 2.2) the function stays the same. Unlike there, new channels are no copies:
their own weights are random and what reads them begins at zero, so that they need no noise to become different.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lafd.networks.lafd import FaceNet, Residual


@torch.no_grad()
def widen(small: FaceNet, large: FaceNet) -> None:
    """Makes `large`, a network with random weights, compute what `small` does.

    Raises:
        ValueError: `large` is narrower or less deep somewhere.
    """
    grown = large.state_dict()
    for name, tensor in small.state_dict().items():
        if name not in grown or any(s > g for s, g in zip(tensor.shape, grown[name].shape, strict=True)):
            raise ValueError(f"{name} does not fit in.")
        place(tensor, grown[name])
    common = dict(small.named_modules())
    for name, module in large.named_modules():
        if isinstance(module, Residual) and name not in common:
            module.second[1].weight.zero_()  # type: ignore[operator]  # an added block changes nothing yet


def place(tensor: Tensor, grown: Tensor) -> None:
    """Puts a tensor into the first places of a larger one; old outputs do not read new inputs."""
    if tensor.ndim == 4:
        grown[: len(tensor)] = 0
    grown[tuple(slice(side) for side in tensor.shape)] = tensor
