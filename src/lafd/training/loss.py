"""What the network is told: which cells answer for a face (assignment), and how wrong they are (loss)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CANDIDATES = 9  # cells per face, at most
RADIUS = 1.5  # strides; cells this near to a face's centre may answer even for a face smaller than a cell
NEAR, FAR = 1.0, 12.0  # a stride serves faces of 1 to 12 strides: its receptive field covers them
BOX_WEIGHT = 2.0


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes (..., m, 4) and (..., k, 4): (..., m, k)."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    sides = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    overlap = sides.prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return overlap / (areas - overlap).clamp(min=1e-6)


@torch.no_grad()
def assign(
    logits: Tensor, boxes: Tensor, faces: Tensor, centres: Tensor, strides: Tensor
) -> tuple[Tensor, Tensor]:
    """Task-aligned assignment (TOOD, arXiv 2108.07755, 3.2): cells that score and fit best answer for a face.

    Args:
        logits: (n, k), what the network says of every cell.
        boxes: (n, k, 4), xyxy in pixels, what the network says.
        faces: (n, m, 4), rows of zeros are padding.
        centres: (k, 2) of the cells, in pixels.
        strides: (k,) of the cells, in pixels.

    Returns:
        targets: (n, k) wanted scores, 0 for background.
        matched: (n, k) index of the face each cell answers for, meaningful where the target is positive.
    """
    iou = pairwise_iou(faces, boxes)
    sides = faces[..., 2:] - faces[..., :2]
    real = (sides > 0).all(-1)
    middle = (faces[..., :2] + faces[..., 2:]) / 2
    distance = (centres - middle[:, :, None]).abs()
    inside = (distance < sides[:, :, None] / 2).all(-1)
    near = (distance < RADIUS * strides[:, None]).all(-1)
    spans = sides.amax(-1)[..., None] / strides
    served = ((spans > NEAR) | (strides == strides.min())) & ((spans < FAR) | (strides == strides.max()))
    allowed = (inside | near) & served & real[..., None]
    alignment = logits.sigmoid()[:, None].sqrt() * iou**4
    # before the network knows anything, nearness to the centre decides
    alignment = (alignment + 1e-7 / (1 + distance.sum(-1) / strides)) * allowed
    best = alignment.topk(min(CANDIDATES, alignment.shape[-1]), -1)
    chosen = torch.zeros_like(alignment).scatter_(-1, best.indices, best.values)
    strongest, matched = chosen.max(1)
    mine = chosen * torch.zeros_like(chosen).scatter_(1, matched[:, None], 1.0)
    # scaled so that the best cell of each face is asked for as much as its box is worth
    top = mine.amax(-1, keepdim=True).clamp(min=1e-12)
    worth = (iou * (mine > 0)).amax(-1, keepdim=True).clamp(min=0.05)
    targets = (mine / top * worth).amax(1)
    return targets * (strongest > 0), matched


def giou_loss(boxes: Tensor, wanted: Tensor) -> Tensor:
    """1 - GIoU (arXiv 1902.09630) of boxes (n, 4) and (n, 4): (n,)."""
    overlap = (
        (torch.minimum(boxes[:, 2:], wanted[:, 2:]) - torch.maximum(boxes[:, :2], wanted[:, :2]))
        .clamp(min=0)
        .prod(-1)
    )
    union = (boxes[:, 2:] - boxes[:, :2]).prod(-1) + (wanted[:, 2:] - wanted[:, :2]).prod(-1) - overlap
    hull = (torch.maximum(boxes[:, 2:], wanted[:, 2:]) - torch.minimum(boxes[:, :2], wanted[:, :2])).prod(-1)
    return 1 - overlap / union.clamp(min=1e-6) + (hull - union) / hull.clamp(min=1e-6)


def detection_loss(
    output: tuple[Tensor, Tensor], boxes: Tensor, kinds: Tensor, cells: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Quality focal loss (arXiv 2006.04388, 3.1) of the scores and GIoU loss of the boxes.

    Args:
        output: Logits (n, k) and boxes (n, k, 4) of the network.
        boxes: (n, m, 4) labelled boxes, xyxy in pixels.
        kinds: (n, m), 1 for a face, 2 for an ignore region, 0 for padding.
        cells: Centres (2, k) and strides (k,), in pixels.

    Returns:
        The two losses, score and box, each per expected face quality.
    """
    logits, predicted = output
    centres, strides = cells[0].T, cells[1]
    faces = boxes * (kinds == 1)[..., None]
    targets, matched = assign(logits, predicted, faces, centres, strides)
    ignored = boxes * (kinds == 2)[..., None]
    in_ignored = ((centres > ignored[:, :, None, :2]) & (centres < ignored[:, :, None, 2:])).all(-1).any(1)
    weight = ((targets > 0) | ~in_ignored).float()
    score = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    score = score * (logits.sigmoid() - targets).square() * weight
    expected = targets.sum().clamp(min=1)
    image, cell = targets.nonzero(as_tuple=True)
    box = giou_loss(predicted[image, cell], faces[image, matched[image, cell]]) * targets[image, cell]
    return score.sum() / expected, BOX_WEIGHT * box.sum() / expected
