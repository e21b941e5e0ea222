"""Our network: plain 3x3 convolutions, no anchors, four strides whose receptive fields follow the face size.

It keeps the idea of LFFD (arXiv 1904.10633): one output per cell, the receptive field is the anchor. It moves the
compute from stride 4, where LFFD spends 85 % of it, to strides 8 to 64, which a top-down path joins (FPN, arXiv
1612.03144).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32, 64)


@dataclass(frozen=True)
class Layout:
    """Channels of the stem (stride 4) and of strides 8, 16, 32, their residual blocks, and channels of the neck."""

    stem: int
    channels: tuple[int, int, int]
    blocks: tuple[int, int, int]
    neck: int


LAYOUTS = {
    "nano": Layout(16, (16, 32, 64), (1, 1, 1), 16),
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


class Head(nn.Module):
    """Score and box of every cell of one stride; a 5x5 depthwise layer widens the view at little cost."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial = convolution(channels, channels, 5, groups=channels)
        self.mix = convolution(channels, channels, 1)
        self.output = nn.Conv2d(channels, 5, 1)
        nn.init.constant_(self.output.bias[:1], -4.6)  # type: ignore[index]  # a prior of 1 % faces (arXiv 1708.02002, 4.1)
        nn.init.constant_(self.output.bias[1:], 0.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        """Applies the layers to maps (n, c, h, w)."""
        x = functional.relu(x + self.mix(functional.relu(self.spatial(x))))
        return self.output(x)  # type: ignore[no-any-return]


class FaceNet(nn.Module):
    """The detector's network.

    Args:
        layout: How wide and how deep it is.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        self.strides = STRIDES
        self.input_scale: float = 1 / 255  # export folds it into the stem
        self.stem = convolution(3, layout.stem, 5, 4)
        inputs = (layout.stem, *layout.channels[:2])
        self.stages = nn.ModuleList(
            Stage(i, o, n) for i, o, n in zip(inputs, layout.channels, layout.blocks, strict=True)
        )
        self.lateral = nn.ModuleList(convolution(c, layout.neck, 1) for c in layout.channels)
        self.down = convolution(layout.neck, layout.neck, stride=2)
        self.heads = nn.ModuleList(Head(layout.neck) for _ in STRIDES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Finds faces.

        Args:
            images: uint8 (n, h, w, 3), BGR, black where padded; h and w are multiples of 32.

        Returns:
            logits: float (n, k), one per cell of all strides; the sigmoid is the score.
            boxes: float (n, k, 4), xyxy in pixels of the input, not clipped.
        """
        x = images.permute(0, 3, 1, 2).float()
        if self.input_scale != 1:
            x = x * self.input_scale
        x = functional.relu(self.stem(x))
        features = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            features.append(functional.relu(lateral(x)))
        features[1] = features[1] + functional.interpolate(features[2], scale_factor=2.0)
        features[0] = features[0] + functional.interpolate(features[1], scale_factor=2.0)
        features.append(functional.relu(self.down(features[2])))
        outputs = [head(f).float() for head, f in zip(self.heads, features, strict=True)]
        return decode(outputs)

    def cells_of(self, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Centres (2, k) and strides (k,) of all cells of a square input of `side` pixels."""
        sides = [-(-side // stride) for stride in STRIDES]
        centres, strides = cells([torch.zeros(1, 1, n, n, device=device) for n in sides])
        return centres[0], strides[0, 0]


def decode(outputs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Turns the maps (n, 5, h, w) of each stride into logits (n, k) and xyxy boxes (n, k, 4) in input pixels.

    Channels are logit, offset of the box centre from the cell centre and log of the box sides, both in strides, as in
    YOLOX (arXiv 2107.08430): a face smaller than a cell keeps a valid target.
    """
    flat = torch.cat([o.flatten(2) for o in outputs], 2)
    centres, strides = cells(outputs)
    centre = centres + flat[:, 1:3] * strides
    half = flat[:, 3:5].clamp(max=6).exp() * (strides / 2)
    return flat[:, 0], torch.cat([centre - half, centre + half], 1).transpose(1, 2)


def cells(maps: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Centres (1, 2, k), x before y, and strides (1, 1, k) of all cells of maps (n, c, h, w), in input pixels.

    Counting by cumulative sums costs the exported graph a fraction of what ranges of dynamic length do.
    """
    centres, strides = [], []
    for stride, output in zip(STRIDES, maps, strict=True):
        step = torch.zeros_like(output[:1, :1]) + float(stride)
        centre = torch.cat([step.cumsum(3), step.cumsum(2)], 1) - stride / 2
        centres.append(centre.flatten(2))
        strides.append(step.flatten(2))
    return torch.cat(centres, 2), torch.cat(strides, 2)
