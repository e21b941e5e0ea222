"""Learning from a larger network beside the labels: what it says of every cell is a target too."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lafd.errors import UsageError
from lafd.networks.lafd import FaceNet
from lafd.training.checkpoint import load_network
from lafd.training.loss import BOX_WEIGHT, giou_loss

SURE = 0.1  # score of the teacher from which its box counts


class Teacher:
    """A trained network of ours, which has the same cells whatever its width.

    Args:
        path: Its weights (.safetensors).
        device: Where it runs.

    Raises:
        LafdError: The file is not a checkpoint of ours.
        UsageError: It is of a network with other cells.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        network = load_network(path)
        if not isinstance(network, FaceNet):
            raise UsageError(
                f"{path}: a teacher must be one of our networks, its cells are not those of LFFD."
            )
        self.network = network.to(device)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (n, k) and boxes (n, k, 4), xyxy in pixels, for images uint8 (n, h, w, 3)."""
        logits, boxes = self.network(images)
        return logits.sigmoid(), boxes


def distillation_loss(output: tuple[Tensor, Tensor], taught: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Quality focal loss (arXiv 2006.04388, 3.1) with the teacher's scores as targets, and GIoU loss to its boxes.

    Scores are soft targets as in arXiv 1503.02531; boxes count by the teacher's score.

    Args:
        output: Logits (n, k) and boxes (n, k, 4) of the network that learns.
        taught: Scores (n, k) and boxes (n, k, 4) of the teacher.

    Returns:
        The two losses, score and box, each per expected face quality, as those of labels.
    """
    (logits, boxes), (wanted, wanted_boxes) = output, taught
    score = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    score = score * (logits.sigmoid() - wanted).square()
    sure = wanted > SURE
    box = giou_loss(boxes[sure], wanted_boxes[sure]) * wanted[sure]
    expected = wanted[sure].sum().clamp(min=1)
    return score.sum() / expected, BOX_WEIGHT * box.sum() / expected
