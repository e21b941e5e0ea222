"""The FaceBoxes network (arXiv 1708.05234) with the weights of WynMew/AnimeFaceBoxes.

python faceboxes.py anime_faceboxes.pth PICTURES... > faceboxes.jsonl
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from lines import Face, Prepare, parse_arguments, write_lines
from torch import Tensor, nn
from torch.nn import functional

MEAN = (104, 117, 123)  # BGR
# stride, and its anchors: side, and how many of them per stride and axis
ANCHORS = ((32, ((32, 4), (64, 2), (128, 1))), (64, ((256, 1),)), (128, ((512, 1),)))
VARIANCES = (0.1, 0.2)
LEAST_SCORE = 0.01
NMS_IOU = 0.3
CANDIDATES = 5000
CROWN = 0.2  # of a box's height; the authors' own script cuts it off the top, to turn heads into faces


class Conv(nn.Module):
    """Convolution, batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        return functional.relu(self.bn(self.conv(x)))


class CReLU(Conv):
    """The same with the negated output beside it: twice the channels."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, 2 * outputs, h / stride, w / stride)."""
        x = self.bn(self.conv(x))
        return functional.relu(torch.cat([x, -x], 1))


class Inception(nn.Module):
    """Four branches with growing receptive fields."""

    def __init__(self) -> None:
        super().__init__()
        self.branch1x1 = Conv(128, 32, 1)
        self.branch1x1_2 = Conv(128, 32, 1)
        self.branch3x3_reduce = Conv(128, 24, 1)
        self.branch3x3 = Conv(24, 32, 3)
        self.branch3x3_reduce_2 = Conv(128, 24, 1)
        self.branch3x3_2 = Conv(24, 32, 3)
        self.branch3x3_3 = Conv(32, 32, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 128, h, w) to the same."""
        pooled = self.branch1x1_2(functional.avg_pool2d(x, 3, 1, 1))
        one = self.branch3x3(self.branch3x3_reduce(x))
        two = self.branch3x3_3(self.branch3x3_2(self.branch3x3_reduce_2(x)))
        return torch.cat([self.branch1x1(x), pooled, one, two], 1)


class FaceBoxes(nn.Module):
    """The network; the names are those of the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = CReLU(3, 24, 7, 4), CReLU(48, 64, 5, 2)
        self.inception1, self.inception2, self.inception3 = Inception(), Inception(), Inception()
        self.conv3_1, self.conv3_2 = Conv(128, 128, 1), Conv(128, 256, 3, 2)
        self.conv4_1, self.conv4_2 = Conv(256, 128, 1), Conv(128, 256, 3, 2)
        self.loc = nn.ModuleList(
            nn.Conv2d(i, 4 * k, 3, padding=1) for i, k in ((128, 21), (256, 1), (256, 1))
        )
        self.conf = nn.ModuleList(
            nn.Conv2d(i, 2 * k, 3, padding=1) for i, k in ((128, 21), (256, 1), (256, 1))
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 3, h, w) to offsets (k, 4) and face scores (k,), in the order of `anchors`."""
        x = functional.max_pool2d(self.conv1(x), 3, 2, 1)
        x = functional.max_pool2d(self.conv2(x), 3, 2, 1)
        first = self.inception3(self.inception2(self.inception1(x)))
        second = self.conv3_2(self.conv3_1(first))
        maps = (first, second, self.conv4_2(self.conv4_1(second)))
        offsets = [head(m).permute(0, 2, 3, 1).reshape(-1, 4) for head, m in zip(self.loc, maps, strict=True)]
        classes = [
            head(m).permute(0, 2, 3, 1).reshape(-1, 2) for head, m in zip(self.conf, maps, strict=True)
        ]
        return torch.cat(offsets), torch.cat(classes).softmax(1)[:, 1]


def anchors(height: int, width: int) -> np.ndarray:
    """Centres and sides (k, 3) of the anchors, px."""
    found = []
    for stride, kinds in ANCHORS:
        rows, columns = math.ceil(height / stride), math.ceil(width / stride)
        for row, column in itertools.product(range(rows), range(columns)):
            for side, density in kinds:
                # one anchor sits in the middle of its cell, dense ones start at the cell's corner
                steps = [0.5] if density == 1 else [i / density for i in range(density)]
                found += [((column + x) * stride, (row + y) * stride, side) for y in steps for x in steps]
    return np.array(found, np.float32)


def find(network: FaceBoxes, picture: np.ndarray) -> Iterator[Face]:
    """The faces of a picture, uint8 (h, w, 3) BGR."""
    height, width = picture.shape[:2]
    pixels = torch.from_numpy(np.float32(picture) - np.float32(MEAN)).permute(2, 0, 1)[None]
    offsets, scores = (output.numpy() for output in network(pixels))
    likely = np.flatnonzero(scores > LEAST_SCORE)
    likely = likely[np.argsort(-scores[likely])[:CANDIDATES]]
    offsets, scores, prior = offsets[likely], scores[likely], anchors(height, width)[likely]
    centre = prior[:, :2] + offsets[:, :2] * VARIANCES[0] * prior[:, 2:]
    half = prior[:, 2:] * np.exp(offsets[:, 2:] * VARIANCES[1]) / 2
    boxes = np.clip(np.hstack([centre - half, centre + half]), 0, (width, height, width, height))
    corners = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    for i in cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), LEAST_SCORE, NMS_IOU):
        x1, y1, x2, y2 = boxes[i]
        yield x1, y1 + CROWN * (y2 - y1), x2, y2, scores[i]


def load(weights: str) -> FaceBoxes:
    """The network with the weights of a file."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    network = FaceBoxes().eval()
    network.load_state_dict({name.removeprefix("module."): value for name, value in state.items()})
    return network


def contestant(arguments: list[str], threads: int) -> Prepare:
    """Adapter of `lafd benchmark`. Argument: the weights."""
    torch.set_num_threads(threads)
    network = load(arguments[0])

    @torch.inference_mode()
    def detect(picture: np.ndarray) -> object:
        return list(find(network, picture))

    return lambda picture: lambda: detect(picture)


@torch.inference_mode()
def main() -> None:
    """Reads the command line."""
    arguments = parse_arguments(__doc__ or "", weights=True)
    torch.set_num_threads(1)
    network = load(arguments.weights)

    def detect(path: Path, scale: int) -> tuple[tuple[int, int], Iterator[Face]]:
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if picture is None:
            raise ValueError("cannot be read")
        enlarged = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        return (picture.shape[1], picture.shape[0]), find(network, enlarged)

    write_lines(arguments, detect)


if __name__ == "__main__":
    main()
