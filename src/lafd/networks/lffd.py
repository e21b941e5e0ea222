"""The networks of LFFD (arXiv 1904.10633), layer for layer: what ours is compared with.

They have no batch normalisation, and their convolutions of stride 2 have no padding, so that the centre of every cell
is a whole pixel: stride - 1 for the first. A branch's receptive field is as large as the faces it is for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class StageLayout:
    """One resolution.

    Attributes:
        channels: Of its maps.
        pairs: Residual pairs of 3x3 convolutions.
        taps: Pairs, counted from 1, whose result a branch takes.
        middle: Channels between the two convolutions of a pair; None for `channels`.
    """

    channels: int
    pairs: int
    taps: tuple[int, ...]
    middle: int | None = None


@dataclass(frozen=True)
class Layout:
    """A member of the family.

    Attributes:
        stem: Channels of the 3x3 convolutions of stride 2 before the first stage; each stage begins with one more.
        stages: The stages, each at half the resolution of the one before.
        sizes: Longer side of the largest face of each branch, in input pixels.
        head: Channels inside the branches.
        smallest: Longer side of the smallest face of the first branch; each other begins where the one before ends.
    """

    stem: tuple[int, ...]
    stages: tuple[StageLayout, ...]
    sizes: tuple[int, ...]
    head: int = 128
    smallest: int = 10


V2 = (StageLayout(64, 3, (3,)), StageLayout(64, 1, (1,)), StageLayout(64, 1, (1,)), StageLayout(128, 1, (1,)))
V1 = (
    StageLayout(64, 4, (3, 4)),
    StageLayout(64, 2, (1, 2)),
    StageLayout(128, 1, (1,)),
    StageLayout(128, 3, (1, 2, 3)),
)
PEDESTRIAN = (StageLayout(64, 4, (4,)), *[StageLayout(128, 1, (1,))] * 3)
PLATE = (StageLayout(64, 3, (3,)), StageLayout(64, 1, (1,)), StageLayout(128, 1, (1,)))
PLATE_SMALL = (StageLayout(64, 3, (3,), 32), StageLayout(64, 1, (1,), 32), StageLayout(128, 1, (1,), 64))

LAYOUTS = {
    "lffd": Layout((64,), (*V2, StageLayout(128, 1, (1,))), (20, 40, 80, 160, 320)),
    "lffd-face-v1": Layout((64,), V1, (15, 20, 40, 70, 110, 250, 400, 560)),
    "lffd-head": Layout((64,), V2, (20, 40, 80, 160)),
    "lffd-pedestrian": Layout((64, 64), PEDESTRIAN, (60, 100, 180, 320), smallest=30),
    "lffd-plate": Layout((64, 64, 64), PLATE, (128, 256, 512), smallest=64),
    "lffd-plate-small": Layout((32, 32, 32), PLATE_SMALL, (128, 256, 512), head=64, smallest=64),
}

BRANCH_PARTS = ("1", "2_score", "3_score", "2_bbox", "3_bbox")  # the original's names


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution, padded unless it has a stride."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1 if stride == 1 else 0)


class Pair(nn.Module):
    """Two convolutions whose result is added to their input before its activation."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.first = convolution(channels, middle)
        self.second = convolution(middle, channels)

    def forward(self, total: Tensor) -> Tensor:
        """Applies the layers to maps (n, c, h, w) that have not been through an activation."""
        return total + self.second(functional.relu(self.first(functional.relu(total))))  # type: ignore[no-any-return]


class Stage(nn.Module):
    """Halves the resolution, then refines; gives the sum for the next stage and what the branches take."""

    def __init__(self, inputs: int, layout: StageLayout) -> None:
        super().__init__()
        self.taps = layout.taps
        self.down = convolution(inputs, layout.channels, stride=2)
        middle = layout.middle or layout.channels
        self.pairs = nn.ModuleList(Pair(layout.channels, middle) for _ in range(layout.pairs))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Applies the layers to maps (n, c, h, w)."""
        total, features = self.down(x), []
        for number, pair in enumerate(self.pairs, 1):
            total = pair(total)
            if number in self.taps:
                features.append(functional.relu(total))
        return functional.relu(total), features


class Branch(nn.Module):
    """Scores of face and background, and the box, of every cell of one map."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(inputs, channels, 1)
        self.score_hidden = nn.Conv2d(channels, channels, 1)
        self.score = nn.Conv2d(channels, 2, 1)
        self.box_hidden = nn.Conv2d(channels, channels, 1)
        self.box = nn.Conv2d(channels, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Applies the layers to maps (n, c, h, w); gives maps of 2 and 4 channels."""
        x = functional.relu(self.shared(x))
        score = self.score(functional.relu(self.score_hidden(x)))
        box = self.box(functional.relu(self.box_hidden(x)))
        return score.float(), box.float()


class LffdNet(nn.Module):
    """A network of the family, with the interface of `lafd.networks.lafd.FaceNet`.

    Args:
        layout: Which member.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.layout = layout
        widths = (3, *layout.stem)
        self.stem = nn.ModuleList(convolution(i, o, stride=2) for i, o in itertools.pairwise(widths))
        channels = (layout.stem[-1], *(stage.channels for stage in layout.stages))
        self.stages = nn.ModuleList(map(Stage, channels, layout.stages))
        strides = [2 ** (len(layout.stem) + 1 + i) for i in range(len(layout.stages))]
        self.strides = tuple(s for s, stage in zip(strides, layout.stages, strict=True) for _ in stage.taps)
        self.need = 2 * strides[-1] - 1  # px, the smallest input that has a cell in every map
        taps = [stage.channels for stage in layout.stages for _ in stage.taps]
        self.branches = nn.ModuleList(Branch(c, layout.head) for c in taps)
        self.apply(initialise)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Finds faces.

        Args:
            images: uint8 (n, h, w, 3), BGR, black where padded; too small ones are padded further.

        Returns:
            logits: float (n, k), one per cell of all branches; the sigmoid is the score.
            boxes: float (n, k, 4), xyxy in pixels of the input, not clipped.
        """
        x = images.permute(0, 3, 1, 2).float()
        lacking = [torch.sym_max(self.need - side, 0) for side in (x.shape[3], x.shape[2])]  # type: ignore[no-untyped-call]
        x = functional.pad(x, (0, lacking[0], 0, lacking[1]))
        maps = self.maps(x)
        logits = torch.cat([(score[:, 0] - score[:, 1]).flatten(1) for score, _ in maps], 1)
        offsets = torch.cat(
            [box.flatten(2) * (size / 2) for (_, box), size in zip(maps, self.layout.sizes, strict=True)], 2
        )
        centres, _ = self.cells([score for score, _ in maps])
        return logits, (torch.cat([centres, centres], 1) - offsets).transpose(1, 2)

    def maps(self, images: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The maps of each branch: (face, background) before the softmax, (n, 2, h, w), and offsets (n, 4, h, w).

        Args:
            images: float (n, 3, h, w), BGR, 0 to 255.
        """
        x = (images - 127.5) / 127.5
        for layer in self.stem:
            x = functional.relu(layer(x))
        features: list[Tensor] = []
        for stage in self.stages:
            x, taken = stage(x)
            features += taken
        return [branch(feature) for branch, feature in zip(self.branches, features, strict=True)]

    def cells(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Centres (1, 2, k), x before y, and strides (1, 1, k) of all cells of maps (n, c, h, w), in input pixels."""
        centres, strides = [], []
        for stride, output in zip(self.strides, maps, strict=True):
            step = torch.zeros_like(output[:1, :1]) + float(stride)
            centres.append((torch.cat([step.cumsum(3), step.cumsum(2)], 1) - 1).flatten(2))
            strides.append(step.flatten(2))
        return torch.cat(centres, 2), torch.cat(strides, 2)

    def cells_of(self, side: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Centres (2, k) and strides (k,) of all cells of a square input of `side` pixels."""
        sides = self.map_sides(side)
        centres, strides = self.cells([torch.zeros(1, 1, n, n, device=device) for n in sides])
        return centres[0], strides[0, 0]

    def branches_of(self, side: int, device: torch.device) -> Tensor:
        """Number (k,) of the branch, from 0, of all cells of a square input of `side` pixels."""
        counts = torch.tensor([n * n for n in self.map_sides(side)], device=device)
        return torch.arange(len(counts), device=device).repeat_interleave(counts)

    def map_sides(self, side: int) -> list[int]:
        """Sides of the maps of a square input of `side` pixels."""
        return [(max(side, self.need) - 2 * stride + 1) // stride + 1 for stride in self.strides]

    def named_convolutions(self) -> Iterator[tuple[str, nn.Conv2d]]:
        """Every convolution with its name in the original's files."""
        for number, layer in enumerate([*convolutions(self.stem), *convolutions(self.stages)], 1):
            yield f"conv{number}", layer
        taps, done = [], len(self.layout.stem)
        for stage in self.layout.stages:
            taps += [done + 1 + 2 * tap for tap in stage.taps]
            done += 1 + 2 * stage.pairs
        for tap, branch in zip(taps, self.branches, strict=True):
            for part, layer in zip(BRANCH_PARTS, convolutions(branch), strict=True):
                yield f"conv{tap}_{part}", layer

    @torch.no_grad()
    def load_original(self, parameters: Mapping[str, NDArray[np.float32]]) -> None:
        """Takes the weights of the original, as `lafd.mxnet.params.read_parameters` gives them.

        Raises:
            ValueError: A parameter is missing, surplus, or of another shape.
        """
        own = {
            f"{name}_{kind}": getattr(conv, kind)
            for name, conv in self.named_convolutions()
            for kind in ("weight", "bias")
        }
        if wrong := sorted(own.keys() ^ parameters.keys()):
            raise ValueError(f"missing or surplus parameters: {', '.join(wrong[:6])}")
        for name, tensor in own.items():
            if tuple(tensor.shape) != parameters[name].shape:
                raise ValueError(f"{name} has the shape {parameters[name].shape}, not {tuple(tensor.shape)}")
            tensor.copy_(torch.from_numpy(parameters[name].copy()))


def convolutions(module: nn.Module) -> list[nn.Conv2d]:
    """The convolutions in a module, in the order in which they were made."""
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def initialise(module: nn.Module) -> None:
    """Xavier as in the paper; branches begin with a prior of 1 % faces and boxes of half their largest face."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
    if isinstance(module, Branch):
        assert module.score.bias is not None and module.box.bias is not None
        with torch.no_grad():
            module.score.bias.copy_(torch.tensor([-2.3, 2.3]))
            module.box.bias.copy_(torch.tensor([0.5, 0.5, -0.5, -0.5]))
