"""Writes the graphs of other networks, with random weights, for speed only: python export_graphs.py FOLDER.

lffd.onnx is the original's network (10_320_20L_5scales); yolov8n.onnx and yolov8s.onnx have the layers of YOLOv8.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from yolov8 import Yolo

from lafd.networks.lffd import LAYOUTS, LffdNet


class Lffd(nn.Module):
    """The original's graph: maps of scores and boxes of every scale."""

    def __init__(self) -> None:
        super().__init__()
        self.network = LffdNet(LAYOUTS["lffd"])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Of float (n, 3, h, w)."""
        maps = self.network.maps(images)
        return [out for score, box in maps for out in (score.softmax(1)[:, :1], box)]


def export(network: nn.Module, path: Path, multiple: int) -> None:
    """Writes a graph of float images (1, 3, h, w) whose sides are multiples of `multiple`."""
    rows, columns = (
        torch.export.Dim(name, min=128 // multiple, max=8192 // multiple) for name in ("rows", "columns")
    )
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 3, 320, 448),),
        path,
        input_names=["images"],
        dynamic_shapes={"images": {2: multiple * rows, 3: multiple * columns}},
        external_data=False,
        verbose=False,
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    torch.manual_seed(0)
    export(Lffd(), folder / "lffd.onnx", 1)
    export(Yolo(width=0.25), folder / "yolov8n.onnx", 32)
    export(Yolo(width=0.5), folder / "yolov8s.onnx", 32)
