"""Our network: plain 3x3 convolutions, no anchors, four strides whose receptive fields follow the face size.

It keeps the idea of LFFD (arXiv 1904.10633): one output per cell, the receptive field is the anchor. It moves the
compute from stride 4, where LFFD spends 85 % of it, to strides 8 to 64, which a top-down path joins (FPN, arXiv
1612.03144).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32, 64)
MAX_LOG_SIDE = 9.0  # of half a box in pixels; more overflows


@dataclass(frozen=True)
class Layout:
    """Channels of the stem (stride 4) and of strides 8, 16, 32, their residual blocks, and channels of the neck."""

    stem: int
    channels: tuple[int, int, int]
    blocks: tuple[int, int, int]
    neck: int


LAYOUTS = {
    "nano": Layout(16, (16, 32, 64), (1, 1, 2), 32),
    "base": Layout(32, (32, 64, 128), (1, 1, 1), 32),
    "accurate": Layout(32, (64, 96, 160), (1, 2, 2), 64),
}


def convolution(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias, then batch normalisation (folded into the convolution at export)."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., arXiv 1512.03385, section 3.2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Applies the layers to maps (n, c, h, w)."""
        return functional.relu(x + self.second(functional.relu(self.first(x))))


class Stage(nn.Module):
    """Halves the resolution, then refines."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        self.down = convolution(inputs, outputs, stride=2)
        self.blocks = nn.Sequential(*[Residual(outputs) for _ in range(blocks)])

    def forward(self, x: Tensor) -> Tensor:
        """Applies the layers to maps (n, c, h, w)."""
        return self.blocks(functional.relu(self.down(x)))  # type: ignore[no-any-return]


class Stem(nn.Sequential):
    """The first convolution, on images as they come: uint8 (n, h, w, 3)."""

    def forward(self, images: Tensor) -> Tensor:
        """Applies the layers; export replaces this by a faster equal."""
        return super().forward(images.permute(0, 3, 1, 2).float() / 255)  # type: ignore[no-any-return, no-untyped-call]


class Pixels(nn.Module):
    """Boxes of one stride's cells from strides to pixels; export folds it into the convolution before it."""

    scale: Tensor
    shift: Tensor

    def __init__(self, stride: int) -> None:
        super().__init__()
        half = stride / 2
        scale, shift = [1, stride, stride, 1, 1], [0, half, half, math.log(half), math.log(half)]
        self.register_buffer(
            "scale", torch.tensor(scale, dtype=torch.float32)[:, None, None], persistent=False
        )
        self.register_buffer(
            "shift", torch.tensor(shift, dtype=torch.float32)[:, None, None], persistent=False
        )

    def forward(self, output: Tensor) -> Tensor:
        """From (logit, offset of the centre in strides, log of the sides in strides) to what `decode` takes."""
        return output.float() * self.scale + self.shift


class Head(nn.Module):
    """Score and box of every cell of one stride; a 5x5 depthwise layer widens the view at little cost.

    Offsets of the box centre and log of the box sides are in strides, as in YOLOX (arXiv 2107.08430): a face smaller
    than a cell keeps a valid target.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.spatial = convolution(channels, channels, 5, groups=channels)
        self.mix = convolution(channels, channels, 1)
        self.output = nn.Conv2d(channels, 5, 1)
        self.pixels: nn.Module = Pixels(stride)
        nn.init.constant_(self.output.bias[:1], -4.6)  # type: ignore[index]  # a prior of 1 % faces (arXiv 1708.02002, 4.1)
        nn.init.constant_(self.output.bias[1:], 0.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        """Applies the layers to maps (n, c, h, w)."""
        with torch.autocast(x.device.type, enabled=False):  # processors are slow at its bfloat16 gradient
            wide = self.spatial(x.float())
        x = functional.relu(x + self.mix(functional.relu(wide)))
        return self.pixels(self.output(x))  # type: ignore[no-any-return]


class FaceNet(nn.Module):
    """The detector's network.

    Args:
        layout: How wide and how deep it is.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.strides = STRIDES
        self.stem: nn.Module = Stem(*convolution(3, layout.stem, 5, 4))
        inputs = (layout.stem, *layout.channels[:2])
        self.stages = nn.ModuleList(
            Stage(i, o, n) for i, o, n in zip(inputs, layout.channels, layout.blocks, strict=True)
        )
        self.lateral = nn.ModuleList(convolution(c, layout.neck, 1) for c in layout.channels)
        self.down = convolution(layout.neck, layout.neck, stride=2)
        self.heads = nn.ModuleList(Head(layout.neck, stride) for stride in STRIDES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Finds faces.

        Args:
            images: uint8 (n, h, w, 3), BGR, black where padded; h and w are multiples of 32.

        Returns:
            logits: float (n, k), one per cell of all strides; the sigmoid is the score.
            boxes: float (n, k, 4), xyxy in pixels of the input, not clipped.
        """
        x = functional.relu(self.stem(images))
        features = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            features.append(functional.relu(lateral(x)))
        features[1] = features[1] + functional.interpolate(features[2], scale_factor=2.0)
        features[0] = features[0] + functional.interpolate(features[1], scale_factor=2.0)
        features.append(functional.relu(self.down(features[2])))
        return decode([head(f) for head, f in zip(self.heads, features, strict=True)])

    def cells_of(self, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Centres (2, k), x before y, and strides (k,) of all cells of a square input of `side` pixels."""
        centres, strides = [], []
        for stride in STRIDES:
            steps = (torch.arange(-(-side // stride), device=device) + 0.5) * stride
            centres.append(torch.stack(torch.meshgrid(steps, steps, indexing="xy")).flatten(1))
            strides.append(torch.full_like(centres[-1][0], stride))
        return torch.cat(centres, 1), torch.cat(strides)


def decode(maps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Turns the maps (n, 5, h, w) of each stride into logits (n, k) and xyxy boxes (n, k, 4) in input pixels.

    Channels are the logit, the box centre from the cell's corner and the log of half the box sides, in pixels. It is
    written for the exported graph, where small nodes add up: few of them, and no lengths that have to be computed.
    """
    flat = torch.cat([m.reshape(m.shape[0], 5, -1) for m in maps], 2)
    logits, offset, log_half = flat.split((1, 2, 2), 1)  # type: ignore[no-untyped-call]
    centre, half = corners(maps[0]) + offset, log_half.clamp(max=MAX_LOG_SIDE).exp()
    return logits.squeeze(1), torch.cat([centre - half, centre + half], 1).transpose(1, 2)


def corners(finest: Tensor) -> Tensor:
    """Top left corners (1, 2, k), x before y, of the cells of all strides, from the map of the first."""
    step = torch.full_like(finest[:1, :1], STRIDES[0])  # cumulative sums need no range of dynamic length
    grid = torch.cat([step.cumsum(3), step.cumsum(2)], 1) - STRIDES[0]
    every = [stride // STRIDES[0] for stride in STRIDES]
    return torch.cat([grid[..., ::n, ::n].reshape(1, 2, -1) for n in every], 2)
