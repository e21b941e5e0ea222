"""Average precision of a network in training, on whole pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lafd import boxes as box_maths
from lafd import preprocess
from lafd.evaluation.average_precision import Judged, average_precision, match
from lafd.images import read_image
from lafd.training.samples import Sample


@torch.inference_mode()
def evaluate(network: nn.Module, samples: Sequence[Sample], size: int) -> dict[str, float]:
    """AP50, AP75 and false positives per faceless picture (at score 0.5), longer side scaled to `size` pixels.

    Args:
        network: Takes uint8 (1, h, w, 3) BGR and returns logits (1, k) and boxes (1, k, 4).
        samples: The pictures to judge by.
        size: Longer side of the network's input, in pixels.
    """
    network.eval()
    device = next(network.parameters()).device
    judged = []
    for sample in samples:
        picture = read_image(sample.path)
        height, width = picture.height, picture.width
        view = preprocess.fit(height, width, size, None)
        canvas = np.empty((1, view.padded_height, view.padded_width, 3), np.uint8)
        preprocess.place(picture.pixels, view, canvas[0])
        logits, boxes = network(torch.from_numpy(canvas).to(device))
        scores = logits[0].sigmoid().cpu().numpy()
        likely = np.argsort(-scores)[:300]
        found = preprocess.restore(boxes[0].cpu().numpy()[likely], view, picture)
        found, scores = box_maths.select(box_maths.clip(found, width, height), scores[likely], 0.01, 0.5)
        judged.append(Judged(found, scores, sample.boxes, sample.ignore))
    faceless = [j for j in judged if not len(j.labels)]
    return {
        "ap50": average_precision(match(judged, 0.5)),
        "ap75": average_precision(match(judged, 0.75)),
        "false_positives": sum(int((j.scores > 0.5).sum()) for j in faceless) / max(1, len(faceless)),
    }
