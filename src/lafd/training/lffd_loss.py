"""The loss of LFFD's paper (arXiv 1904.10633, 3.3 and 3.4), to train its networks in the way of their authors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lafd.networks.lffd import LffdNet

NEGATIVES = 10  # per positive cell, the hardest; the authors' code says 5
WITHOUT_POSITIVES = 0.1  # share of a branch's negatives that count in a batch where it has no positive
SMALLEST = 8.0  # px; the authors drop smaller faces
GREY = (
    0.9,
    1.1,
)  # of the smallest and largest face of a branch: what lies between is neither face nor background


class LffdLoss:
    """Cross entropy with hard negative mining of the scores and squared error of the edges, summed over the branches.

    A branch answers for the faces whose longer side is in its range, in all cells whose centre is inside exactly one of
    them. Cells in more than one, and in faces just out of the range ("grey scales"), are not judged.

    Args:
        network: Whose outputs are judged.
        side: Of its square inputs, in pixels.
        device: Where they are.
    """

    def __init__(self, network: LffdNet, side: int, device: torch.device) -> None:
        self.centres = network.cells_of(side, device)[0].T
        self.branches = network.branches_of(side, device)
        sizes = torch.tensor([network.layout.smallest, *network.layout.sizes], device=device).float()
        self.low, self.high = sizes[self.branches], sizes[self.branches + 1]

    def __call__(self, output: tuple[Tensor, Tensor], boxes: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """The two losses, score and box.

        Args:
            output: Logits (n, k) and boxes (n, k, 4) of the network.
            boxes: (n, m, 4) labelled boxes, xyxy in pixels.
            kinds: (n, m), 1 for a face, 2 for an ignore region, 0 for padding.
        """
        logits, predicted = output
        answering, owners, ignored = self.assign(boxes, kinds)
        target = answering.to(logits.dtype)
        # the difference of the network's two scores is the logit, so this is the cross entropy of their softmax
        costs = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        wanted = boxes.gather(1, owners[..., None].expand(-1, -1, 4))
        # both boxes are the centre less the offsets times half a size: the centre drops out of their difference
        errors = ((predicted - wanted) / (self.high[:, None] / 2)).square().mean(-1)
        score, box = logits.new_zeros(()), logits.new_zeros(())
        for branch in range(int(self.branches[-1]) + 1):
            here = self.branches == branch
            counted = selected(costs, answering & ~ignored & here, ~answering & ~ignored & here)
            score = score + counted.sum() / max(1, len(counted))
            box = box + errors[answering & here].sum() / (answering & here).sum().clamp(min=1)
        return score, box

    @torch.no_grad()
    def assign(self, boxes: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which cells (n, k) answer for a face, for which one, and whose scores are not judged."""
        centres = self.centres
        inside = ((centres > boxes[:, :, None, :2]) & (centres < boxes[:, :, None, 2:])).all(-1)
        longer = (boxes[..., 2:] - boxes[..., :2]).amax(-1)
        face = inside & ((kinds == 1) & (longer >= SMALLEST))[..., None]
        longer = longer[..., None]
        mine = face & (longer >= self.low) & (longer <= self.high)
        grey = (
            face & ~mine & (longer >= (GREY[0] * self.low).floor()) & (longer <= (GREY[1] * self.high).ceil())
        )
        grey |= inside & (kinds == 2)[..., None]
        count = mine.sum(1)
        return count == 1, mine.int().argmax(1), grey.any(1) | (count > 1)


def selected(costs: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Costs (s,) of the positive cells and of the hardest negative ones."""
    faces, background = costs[positive], costs[negative]
    wanted = NEGATIVES * len(faces) if len(faces) else round(WITHOUT_POSITIVES * len(background))
    return torch.cat([faces, background.topk(min(wanted, len(background))).values])
