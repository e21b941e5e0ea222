"""Networks, and what a stopped run goes on from, as safetensors files: nothing in them could run code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor, nn

from lafd.errors import LafdError
from lafd.networks import Network, make_network


def save(
    path: Path, networks: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer, step: int, best: float
) -> None:
    """Writes the weights of networks, the optimiser's state, the step and the best metric so far."""
    tensors = {f"{name}.{key}": t for name, net in networks.items() for key, t in net.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": tensor for key, tensor in state.items()}
    temporary = path.with_name(f"{path.name}.tmp")
    contiguous = {key: tensor.contiguous() for key, tensor in tensors.items()}
    safetensors.torch.save_file(contiguous, temporary, {"step": str(step), "best": repr(best)})
    temporary.replace(path)


def load(
    path: Path, networks: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """Fills networks and an optimiser made as those that were saved; returns the step and the best metric."""
    parts: dict[str, dict[str, Tensor]] = {}
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        for name in file.keys():  # noqa: SIM118 (the file is no dictionary)
            part, _, key = name.partition(".")
            parts.setdefault(part, {})[key] = file.get_tensor(name)
    for name, network in networks.items():
        network.load_state_dict(parts[name])
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts.get("optimiser", {}).items():
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        same = (
            tensor.shape == like.shape
        )  # then also in the parameter's layout, so that results stay equal to the bit
        state.setdefault(int(index), {})[key] = torch.empty_like(like).copy_(tensor) if same else tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(about["step"]), float(about["best"])


def load_network(path: Path) -> Network:
    """The network of a .safetensors file that training wrote, ready to be used.

    Raises:
        LafdError: The file is not a checkpoint of ours.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        network = make_network(metadata["model"])
        network.load_state_dict(safetensors.torch.load_file(path))
    except (OSError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise LafdError(f"{path}: not a checkpoint of lafd train ({error}).") from None
    return network.eval()
