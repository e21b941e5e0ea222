"""The loss of LFFD's paper: who answers for a face, what is not judged, and that the network learns from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from lafd.errors import UsageError  # noqa: E402
from lafd.networks.lffd import Layout, LffdNet, StageLayout  # noqa: E402
from lafd.training import lffd_loss  # noqa: E402
from lafd.training.lffd_loss import LffdLoss  # noqa: E402
from lafd.training.loop import Data, Recipe, Run  # noqa: E402

CPU = torch.device("cpu")
# branches for faces of 10 to 20 px at stride 4 and of 20 to 40 px at stride 8
TWO_BRANCHES = Layout((8,), (StageLayout(16, 1, (1,)), StageLayout(16, 1, (1,))), (20, 40), head=16)


@pytest.fixture
def network() -> LffdNet:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return LffdNet(TWO_BRANCHES)


@pytest.fixture
def loss(network: LffdNet) -> LffdLoss:
    return LffdLoss(network, 64, CPU)


def labels(*boxes: tuple[float, float, float, float], kind: int = 1) -> tuple[Tensor, Tensor]:
    return torch.tensor([boxes], dtype=torch.float32), torch.full((1, len(boxes)), kind)


def answers(loss: LffdLoss, boxes: Tensor, kinds: Tensor) -> tuple[list[int], list[int], Tensor, Tensor]:
    """How many cells of each branch answer, and are not judged; the centres of both."""
    answering, _, ignored = (part[0] for part in loss.assign(boxes, kinds))
    numbers = [[int((part & (loss.branches == b)).sum()) for b in range(2)] for part in (answering, ignored)]
    return numbers[0], numbers[1], loss.centres[answering], loss.centres[ignored]


def test_a_face_belongs_to_the_branch_of_its_size_and_to_the_cells_within(loss: LffdLoss) -> None:
    answering, ignored, centres, _ = answers(loss, *labels((10, 12, 26, 28)))
    assert answering == [16, 0] and ignored == [0, 0]
    assert centres.amin(0).tolist() == [11, 15] and centres.amax(0).tolist() == [23, 27]
    assert answers(loss, *labels((8, 8, 40, 32)))[0] == [0, 12]
    assert answers(loss, *labels((10, 10, 30, 30)))[0] == [25, 4]  # 20 px is in both ranges
    assert answers(loss, *labels((2, 2, 62, 62)))[:2] == ([0, 0], [0, 0])  # larger than any branch is for


def test_faces_just_out_of_range_overlaps_and_ignore_regions_are_not_judged(loss: LffdLoss) -> None:
    assert answers(loss, *labels((8, 8, 29, 29)))[:2] == ([0, 4], [25, 0])  # 21 px is grey for 10 to 20
    answering, ignored, _, shared = answers(loss, *labels((8, 8, 26, 26), (20, 8, 38, 26)))
    assert ignored == [4, 6] and answering == [24, 0]  # 18 px is grey for 20 to 40
    assert shared[:4, 0].tolist() == [23] * 4
    assert answers(loss, *labels((8, 8, 26, 26), kind=2))[:2] == ([0, 0], [16, 4])
    assert answers(loss, *labels((8, 8, 26, 26), kind=0))[:2] == ([0, 0], [0, 0])


def judged(loss: LffdLoss, boxes: Tensor, kinds: Tensor) -> list[int]:
    """Cells of each branch whose score is counted."""
    count = len(loss.centres)
    logits = torch.linspace(-1, 1, count)[None].requires_grad_()
    score, _ = loss((logits, torch.zeros(1, count, 4)), boxes, kinds)
    (gradient,) = torch.autograd.grad(score, logits)
    return [int((gradient[0, loss.branches == b] != 0).sum()) for b in range(2)]


def test_the_hardest_negatives_count(loss: LffdLoss) -> None:
    negatives = [int((loss.branches == b).sum()) for b in range(2)]
    few = judged(loss, *labels((20, 20, 29, 30)))
    assert few[0] == 4 * (1 + lffd_loss.NEGATIVES)
    assert few[1] == round(negatives[1] * lffd_loss.WITHOUT_POSITIVES)
    costs = torch.tensor([3.0, 1.0, 9.0, 2.0, 0.5])
    positive = torch.tensor([True, False, False, False, False])
    assert len(lffd_loss.selected(costs, positive, ~positive)) == 5
    kept = lffd_loss.selected(torch.arange(100.0), torch.zeros(100).bool(), torch.ones(100).bool())
    assert sorted(kept.tolist()) == list(range(90, 100))


def test_boxes_cost_the_square_of_their_error_in_half_sizes(loss: LffdLoss) -> None:
    boxes, kinds = labels((10, 12, 26, 28))
    count = len(loss.centres)
    for shift, cost in ((0.0, 0.0), (5.0, 0.25)):
        _, box = loss((torch.zeros(1, count), (boxes + shift).expand(1, count, 4)), boxes, kinds)
        assert box.item() == pytest.approx(cost)


def test_a_network_learns_a_face(network: LffdNet, loss: LffdLoss) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    image = np.full((1, 64, 64, 3), 110, np.uint8)
    image[0, 20:44, 16:40] = (40, 200, 250)
    boxes, kinds = labels((16, 20, 40, 44))
    for _ in range(60):
        score_loss, box_loss = loss(network(torch.from_numpy(image)), boxes, kinds)
        optimiser.zero_grad()
        torch.autograd.backward(score_loss + box_loss)
        optimiser.step()
    with torch.inference_mode():
        logits, found = network(torch.from_numpy(image))
    best = logits[0].argmax()
    assert logits[0, best].sigmoid() > 0.5
    torch.testing.assert_close(found[0, best], boxes[0, 0], atol=3, rtol=0)


def test_pictures_without_faces_give_a_loss(network: LffdNet, loss: LffdLoss) -> None:
    score, box = loss(
        network(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)), torch.zeros(2, 1, 4), torch.zeros(2, 1)
    )
    assert score.isfinite() and score > 0 and box == 0
    torch.autograd.backward(score + box)


def test_it_is_for_networks_of_the_family_alone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model lffd"):
        Run(Recipe("nano", "lffd"), Data([], [], []), tmp_path)
