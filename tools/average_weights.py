"""Averages the weights of runs that began with the same weights, which is often better than any of them.

Usage: python tools/average_weights.py OUT.safetensors RUN.safetensors RUN.safetensors ...

After Model soups (arXiv 2203.05482, section 2), in equal shares, the statistics of batch normalisation too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open

from lafd.files import replacing
from lafd.networks import Network
from lafd.training.checkpoint import load_network


@torch.no_grad()
def average(networks: list[Network]) -> dict[str, torch.Tensor]:
    """The mean of each tensor, in its own type."""
    states = [network.state_dict() for network in networks]
    stacked = {key: torch.stack([state[key] for state in states]) for key in states[0]}
    return {key: tensors.double().mean(0).to(tensors.dtype) for key, tensors in stacked.items()}


def main(out: Path, runs: list[Path]) -> None:
    """Writes a checkpoint that `lafd export` and `--init` take."""
    models = {safe_open(run, "pt").metadata()["model"] for run in runs}
    if len(models) > 1:
        sys.exit(f"the runs are of different networks: {', '.join(sorted(models))}.")
    weights = average([load_network(run) for run in runs])
    with replacing(out) as temporary:
        safetensors.torch.save_file(weights, temporary, {"model": models.pop()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
