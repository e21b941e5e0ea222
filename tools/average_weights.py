"""Averages the weights of runs that began with the same weights, which is often better than any of them.

Usage: python tools/average_weights.py OUT.safetensors RUN.safetensors START.safetensors ...

After Model soups (arXiv 2203.05482, section 2), in equal shares, the statistics of batch normalisation too. What a run
began with may be among them (arXiv 2109.01903). If that is a smaller network, it is grown first, as `--init` does, and
takes the first run's weights in the channels that it lacks.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open

from lafd.files import replacing
from lafd.networks.lafd import FaceNet
from lafd.training.checkpoint import load_network
from lafd.training.widening import widen


def grown(network: FaceNet, like: FaceNet) -> FaceNet:
    """The network as one of the other's size that computes the same."""
    if network.layout == like.layout:
        return network
    large = copy.deepcopy(like)
    widen(network, large)
    return large


@torch.no_grad()
def average(networks: list[FaceNet]) -> dict[str, torch.Tensor]:
    """The mean of each tensor, in its own type."""
    states = [grown(network, networks[0]).state_dict() for network in networks]
    stacked = {key: torch.stack([state[key] for state in states]) for key in states[0]}
    return {key: tensors.double().mean(0).to(tensors.dtype) for key, tensors in stacked.items()}


def main(out: Path, runs: list[Path]) -> None:
    """Writes a checkpoint that `lafd export` and `--init` take."""
    weights = average([load_network(run) for run in runs])
    about = {"model": safe_open(runs[0], "pt").metadata()["model"]}
    with replacing(out) as temporary:
        safetensors.torch.save_file(weights, temporary, about)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
