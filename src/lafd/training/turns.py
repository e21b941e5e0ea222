"""Quarter turns of training pictures: the network that learns sees them turned, its teacher upright."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Turns:
    """How far the square pictures of a batch are turned.

    Attributes:
        quarters: Counterclockwise quarters of a circle, one number of 0 to 3 per picture.
        side: Of the pictures, in pixels.
    """

    quarters: Sequence[int]
    side: int

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, side: int, share: float) -> Turns:
        """One to three quarters for a share of the pictures, none for the others."""
        quarters = np.where(rng.random(count) < share, rng.integers(1, 4, count), 0)
        return cls(quarters.tolist(), side)

    def pictures(self, maps: Tensor) -> Tensor:
        """Pictures, or maps of a stride's cells, (n, h, h, ...), turned."""
        return torch.stack([one.rot90(k, (0, 1)) for one, k in zip(maps, self.quarters, strict=True)])

    def boxes(self, boxes: Tensor) -> Tensor:
        """Boxes (n, m, 4), xyxy in pixels of the pictures, in the turned ones."""
        x1, y1, x2, y2 = boxes.unbind(-1)
        x1_, y1_, x2_, y2_ = (self.side - edge for edge in (x1, y1, x2, y2))  # from the other side
        ways = torch.stack(
            [boxes, torch.stack([y1, x2_, y2, x1_], -1), torch.stack([x2_, y2_, x1_, y1_], -1),
             torch.stack([y2_, x1, y1_, x2], -1)]
        )  # fmt: skip
        return ways[self.quarters, range(len(boxes))]

    def cells(self, output: tuple[Tensor, Tensor], strides: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Scores (n, k) and boxes (n, k, 4) of a network that saw the pictures, as if it had seen them turned."""
        scores, boxes = output
        return self.in_order(scores, strides), self.in_order(self.boxes(boxes), strides)

    def in_order(self, values: Tensor, strides: Sequence[int]) -> Tensor:
        """Values (n, k, ...) of the cells of all strides, in the order of the cells of the turned pictures."""
        rows = [-(-self.side // stride) for stride in strides]
        maps = values.split([r * r for r in rows], 1)  # type: ignore[no-untyped-call]
        return torch.cat(
            [self.pictures(m.unflatten(1, (r, r))).flatten(1, 2) for m, r in zip(maps, rows, strict=True)], 1
        )
