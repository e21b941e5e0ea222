"""The graph of the original detector, for its speed alone: random weights, raw maps as outputs.

Layers as in LFFD (arXiv 1904.10633) version 2, 10_320_20L_5scales: no batch normalisation, unpadded stride-2
convolutions, residual sums before the activation, two 1x1 branches per scale.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = ((64, 3), (64, 1), (64, 1), (128, 1), (128, 1))
"""Channels and residual pairs of strides 4, 8, 16, 32 and 64."""


class LffdGraph(nn.Module):
    """uint8-valued float images (n, 3, h, w) in; score and box maps of five scales out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, 2)
        inputs = (64, *(channels for channels, _ in STAGES[:-1]))
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 3, 2) for i, (o, _) in zip(inputs, STAGES, strict=True))
        self.pairs = nn.ModuleList(
            nn.ModuleList(
                nn.ModuleList([nn.Conv2d(c, c, 3, 1, 1), nn.Conv2d(c, c, 3, 1, 1)]) for _ in range(n)
            )
            for c, n in STAGES
        )
        self.heads = nn.ModuleList(
            nn.ModuleList(
                nn.Conv2d(i, o, 1) for i, o in ((c, 128), (128, 128), (128, 2), (128, 128), (128, 4))
            )
            for c, _ in STAGES
        )

    def forward(self, data: Tensor) -> list[Tensor]:
        """Scores (n, 1, h', w') and boxes (n, 4, h', w') of each scale in turn."""
        x = functional.relu(self.stem((data - 127.5) / 127.5))
        outputs = []
        for down, pairs, head in zip(self.downs, self.pairs, self.heads, strict=True):
            x = down(x)
            for first, second in pairs:  # type: ignore[union-attr]
                x = x + second(functional.relu(first(functional.relu(x))))
            x = functional.relu(x)
            shared, score, score_out, box, box_out = head  # type: ignore[misc]
            y = functional.relu(shared(x))
            outputs.append(functional.softmax(score_out(functional.relu(score(y))), 1)[:, :1])
            outputs.append(box_out(functional.relu(box(y))))
        return outputs
