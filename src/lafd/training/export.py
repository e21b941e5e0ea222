"""From a checkpoint to the ONNX file that is shipped, with proof that both compute the same."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxslim
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lafd.compact import compact
from lafd.errors import LafdError
from lafd.networks import Network
from lafd.networks.lafd import FaceNet, Head, Pixels, Stem
from lafd.training.checkpoint import load_network

TOLERANCE = 1e-4  # of scores, and of boxes relative to the longer side of the input
SHAPES = ((1, 64, 96), (2, 320, 320), (1, 384, 640))


class Deployed(nn.Module):
    """The network as users run it: all that can be is folded into the convolutions, scores instead of logits."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network.eval()
        fold(self.network)
        if isinstance(network, FaceNet):
            assert isinstance(network.stem, Stem)
            network.stem = InterleavedStem(network.stem)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (n, k, 4) and scores (n, k) of uint8 images (n, h, w, 3)."""
        logits, boxes = self.network(images)
        return boxes, logits.sigmoid()


class InterleavedStem(nn.Module):
    """The first convolution on an image as it lies in memory, its colours side by side: nothing is transposed."""

    def __init__(self, stem: Stem) -> None:
        super().__init__()
        (old,) = stem
        assert isinstance(old, nn.Conv2d)
        size, stride, padding = old.kernel_size[0], old.stride[0], int(old.padding[0])
        self.conv = nn.Conv2d(
            1, old.out_channels, (size, 3 * size), (stride, 3 * stride), (padding, 3 * padding)
        )
        self.conv.weight.data = old.weight.data.permute(0, 2, 3, 1).flatten(2)[:, None] / 255
        self.conv.bias = old.bias

    def forward(self, images: Tensor) -> Tensor:
        """Applies it to uint8 (n, h, w, 3)."""
        return self.conv(images.float().flatten(2)[:, None])  # type: ignore[no-any-return]


@torch.no_grad()
def fold(module: nn.Module) -> None:
    """Folds batch normalisations and the scales of boxes into the convolutions before them, in place."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Sequential) and len(child) == 2 and isinstance(child[1], nn.BatchNorm2d):
            assert isinstance(child[0], nn.Conv2d)
            fused = fuse_conv_bn_eval(child[0], child[1])
            setattr(module, name, Stem(fused) if isinstance(child, Stem) else fused)
        elif isinstance(child, Head):
            fold(child)
            assert child.output.bias is not None and isinstance(child.pixels, Pixels)
            child.output.weight *= child.pixels.scale[..., None]
            child.output.bias.copy_(child.pixels(child.output.bias[:, None, None]).flatten())
            child.pixels = nn.Identity()
        else:
            fold(child)


def export(checkpoint: Path, out: Path, *, small: bool = False) -> Network:
    """Writes the ONNX file: `images` uint8 (n, h, w, 3) BGR in, `boxes` (n, k, 4) and `scores` (n, k) out.

    n, h and w are free; h and w must be multiples of 32. With `small` the weights are stored in 8 bits.

    Returns:
        The network of the checkpoint.

    Raises:
        LafdError: The checkpoint is unreadable, or the graph does not compute what the network does.
    """
    network = load_network(checkpoint)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        draft = Path(folder) / out.name
        rows, columns = Dim("rows", min=1, max=1024), Dim("columns", min=1, max=1024)
        shape = {0: Dim("n", min=1, max=4096), 1: 32 * rows, 2: 32 * columns}
        torch.onnx.export(
            Deployed(copy.deepcopy(network)).eval(),
            (torch.zeros(2, 128, 192, 3, dtype=torch.uint8),),
            draft,
            input_names=["images"],
            output_names=["boxes", "scores"],
            dynamic_shapes={"images": shape},
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        model = onnxslim.slim(onnx.load(draft))
        onnx.checker.check_model(model)
        onnx.save(model, draft)
        prove(network, draft)
        if small:
            compact(model.graph)
            onnx.checker.check_model(model)
            onnx.save(model, draft)
        draft.replace(out)
    return network


def prove(network: Network, path: Path) -> None:
    """Checks the graph against the network on random images of several shapes.

    Raises:
        LafdError: They differ by more than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    for n, height, width in SHAPES:
        images = random.integers(0, 256, (n, height, width, 3), np.uint8)
        boxes, scores = session.run(["boxes", "scores"], {"images": images})
        with torch.inference_mode():
            logits, wanted = network(torch.from_numpy(images))
        # boxes that nobody asks for may be a hundred times as large as the image
        size = np.maximum(np.abs(wanted.numpy()).max(-1, keepdims=True), max(height, width))
        box_error = (np.abs(boxes - wanted.numpy()) / size).max()
        score_error = np.abs(scores - logits.sigmoid().numpy()).max()
        if not max(box_error, score_error) <= TOLERANCE:
            raise LafdError(
                f"{path.name}: the exported graph is off by {score_error:.1e} in scores and {box_error:.1e} in boxes."
            )
