from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mxnet_files

torch = pytest.importorskip("torch")

from lafd.mxnet.params import read_parameters  # noqa: E402
from lafd.networks.lffd import LAYOUTS, Layout, LffdNet, StageLayout  # noqa: E402
from lafd.training.loss import detection_loss  # noqa: E402

SMALL = Layout((4,), (StageLayout(4, 1, (1,)), StageLayout(4, 1, (1,))), (20, 40), head=4)


def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


# parameters as published (LFFD's repository); strides and receptive field centres as in its configurations
@pytest.mark.parametrize(
    ("name", "parameters", "strides"),
    [
        ("lffd", 1_520_606, (4, 8, 16, 32, 64)),
        ("lffd-face-v1", 2_290_608, (4, 4, 8, 8, 16, 32, 32, 32)),
        ("lffd-head", 1_027_544, (4, 8, 16, 32)),
        ("lffd-pedestrian", 1_818_648, (8, 16, 32, 64)),
        ("lffd-plate", 948_498, (16, 32, 64)),
        ("lffd-plate-small", 486_866, (16, 32, 64)),
    ],
)
def test_the_layouts_are_those_of_the_family(name: str, parameters: int, strides: tuple[int, ...]) -> None:
    network = LffdNet(LAYOUTS[name])
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert network.strides == strides
    side = 192
    with torch.inference_mode():
        logits, boxes = network(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    centres, cell_strides = network.cells_of(side, torch.device("cpu"))
    assert logits.shape == (1, centres.shape[1]) and boxes.shape == (1, centres.shape[1], 4)
    for stride in strides:
        assert centres[:, cell_strides == stride].min() == stride - 1
        assert centres[:, cell_strides == stride].max() < side


def test_an_original_network_gives_the_same_boxes_and_scores(tmp_path: Path) -> None:
    parameters, _, _ = mxnet_files.write(tmp_path)
    network = LffdNet(SMALL).eval()
    network.load_original(read_parameters(parameters))
    images = noise(2, 64, 96, 3)
    with torch.inference_mode():
        logits, boxes = network(torch.from_numpy(images))
    for i in range(2):
        maps = mxnet_files.evaluate(*mxnet_files.lffd(), images[i])
        wanted_boxes, wanted_scores = mxnet_files.decode(maps, mxnet_files.decoding(2))
        np.testing.assert_allclose(logits[i].sigmoid().numpy(), wanted_scores, atol=1e-5)
        np.testing.assert_allclose(boxes[i].numpy(), wanted_boxes, atol=1e-3)


def test_weights_that_do_not_fit_are_refused() -> None:
    _, parameters = mxnet_files.lffd()
    network = LffdNet(SMALL)
    with pytest.raises(ValueError, match="missing or surplus parameters: conv1_bias"):
        network.load_original({name: value for name, value in parameters.items() if name != "conv1_bias"})
    with pytest.raises(ValueError, match="conv1_bias has the shape"):
        network.load_original(parameters | {"conv1_bias": np.zeros(3, np.float32)})


def test_inputs_below_the_least_size_are_padded_with_black() -> None:
    network = LffdNet(LAYOUTS["lffd-head"]).eval()
    image = noise(1, 32, 64, 3)
    padded = np.zeros((1, 63, 64, 3), np.uint8)
    padded[:, :32] = image
    with torch.inference_mode():
        for found, wanted in zip(
            network(torch.from_numpy(image)), network(torch.from_numpy(padded)), strict=True
        ):
            torch.testing.assert_close(found, wanted)


def test_it_learns_with_our_loss() -> None:
    torch.set_num_threads(1)  # threads cost more than they save for so small a network
    torch.manual_seed(0)
    network = LffdNet(Layout((8,), (StageLayout(16, 1, (1,)), StageLayout(16, 1, (1,))), (20, 40), head=16))
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    cells = network.cells_of(64, torch.device("cpu"))
    image = np.full((1, 64, 64, 3), 110, np.uint8)
    image[0, 20:44, 16:40] = (40, 200, 250)
    face = torch.tensor([[[16.0, 20.0, 40.0, 44.0]]])
    for _ in range(100):
        score_loss, box_loss = detection_loss(network(torch.from_numpy(image)), face, torch.ones(1, 1), cells)
        optimiser.zero_grad()
        (score_loss + box_loss).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.inference_mode():
        logits, boxes = network(torch.from_numpy(image))
    best = logits[0].argmax()
    assert logits[0, best].sigmoid() > 0.5
    torch.testing.assert_close(boxes[0, best], face[0, 0], atol=3, rtol=0)
