"""A network with the layers of YOLOv8.

For speed only: it is written from the published description of the architecture (widths, depths, strides), has one
class, and finds nothing. The boxes' distributions are not decoded, which real exports do on top.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = (64, 128, 256, 512, 1024)
BACKBONE_BLOCKS = (1, 2, 2, 1)  # 3, 6, 6, 3 by a third
BINS = 16  # per side of a box


class Conv(nn.Module):
    """Convolution and SiLU, batch normalisation folded in."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Of maps (n, c, h, w)."""
        return functional.silu(self.conv(x))


class Split(nn.Module):
    """Half of the channels goes through a chain of two-convolution blocks; every stage of the chain is kept ("C2f")."""

    def __init__(self, inputs: int, outputs: int, blocks: int, shortcut: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.shortcut = shortcut
        self.enter = Conv(inputs, outputs, 1)
        self.blocks = nn.ModuleList(nn.Sequential(Conv(half, half), Conv(half, half)) for _ in range(blocks))
        self.leave = Conv((2 + blocks) * half, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Of maps (n, c, h, w)."""
        kept = list(self.enter(x).chunk(2, 1))
        for block in self.blocks:
            found = block(kept[-1])
            kept.append(kept[-1] + found if self.shortcut else found)
        return self.leave(torch.cat(kept, 1))


class Pyramid(nn.Module):
    """Three poolings in a row, each kept ("SPPF")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = Conv(channels, channels // 2, 1)
        self.leave = Conv(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Of maps (n, c, h, w)."""
        kept = [self.enter(x)]
        for _ in range(3):
            kept.append(functional.max_pool2d(kept[-1], 5, 1, 2))
        return self.leave(torch.cat(kept, 1))


class Yolo(nn.Module):
    """Backbone, a neck that goes down and up again, and a head per stride 8, 16, 32.

    Args:
        width: Share of the channels: 0.25 for n, 0.5 for s. Both have a third of the depth.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        c1, c2, c3, c4, c5 = (int(width * channels) for channels in CHANNELS)
        self.stem = Conv(3, c1, stride=2)
        levels = zip((c1, c2, c3, c4), (c2, c3, c4, c5), BACKBONE_BLOCKS, strict=True)
        self.stages = nn.ModuleList(
            nn.Sequential(Conv(i, o, stride=2), Split(o, o, blocks, shortcut=True)) for i, o, blocks in levels
        )
        self.pyramid = Pyramid(c5)
        self.top_down = nn.ModuleList([Split(c5 + c4, c4, 1, False), Split(c4 + c3, c3, 1, False)])
        self.down = nn.ModuleList([Conv(c3, c3, stride=2), Conv(c4, c4, stride=2)])
        self.bottom_up = nn.ModuleList([Split(c3 + c4, c4, 1, False), Split(c4 + c5, c5, 1, False)])
        boxes, scores = max(16, c3 // 4, 4 * BINS), max(c3, 1)
        self.boxes = nn.ModuleList(self.head(c, boxes, 4 * BINS) for c in (c3, c4, c5))
        self.scores = nn.ModuleList(self.head(c, scores, 1) for c in (c3, c4, c5))

    @staticmethod
    def head(inputs: int, middle: int, outputs: int) -> nn.Sequential:
        """Two 3x3 convolutions and the output."""
        return nn.Sequential(Conv(inputs, middle), Conv(middle, middle), nn.Conv2d(middle, outputs, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Of float (n, 3, h, w): what each cell says, (n, 65, k)."""
        x, features = self.stem(images / 255), []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        _, fine, middle, _ = features
        coarse = self.pyramid(x)
        middle = self.top_down[0](torch.cat([functional.interpolate(coarse, scale_factor=2.0), middle], 1))
        fine = self.top_down[1](torch.cat([functional.interpolate(middle, scale_factor=2.0), fine], 1))
        middle = self.bottom_up[0](torch.cat([self.down[0](fine), middle], 1))
        coarse = self.bottom_up[1](torch.cat([self.down[1](middle), coarse], 1))
        heads = zip(self.boxes, self.scores, (fine, middle, coarse), strict=True)
        maps = [torch.cat([boxes(f), scores(f).sigmoid()], 1) for boxes, scores, f in heads]
        return torch.cat([m.reshape(m.shape[0], 4 * BINS + 1, -1) for m in maps], 2)
