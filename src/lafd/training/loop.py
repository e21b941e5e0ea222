"""The training loop: from annotated pictures to a checkpoint, resumable to the step."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torch.utils.tensorboard import SummaryWriter

from lafd.errors import UsageError
from lafd.locks import lock
from lafd.networks import make_network
from lafd.networks.lafd import FaceNet
from lafd.networks.lffd import LffdNet
from lafd.training import checkpoint
from lafd.training.dataset import Batch, TrainingPictures, collate, compute_alone
from lafd.training.distillation import Teacher, distillation_loss
from lafd.training.evaluate import evaluate
from lafd.training.lffd_loss import LffdLoss
from lafd.training.loss import detection_loss
from lafd.training.samples import Sample
from lafd.training.turns import Turns
from lafd.training.widening import widen

Loss = Callable[[tuple[Tensor, Tensor], Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Recipe:
    """Every setting of a training run.

    Attributes:
        model: Layout of the network.
        loss: "lafd" for ours, "lffd" for that of LFFD's paper, with a network of its family.
        steps: Optimiser steps of the whole run; the learning rate falls along a cosine over them.
        batch: Pictures per step and process at the first of `sizes`; at others as many as have the same pixels.
        sizes: Sides of the training pictures, in pixels; steps take them in turn.
        plain: Share of pictures that are shown whole and mostly unchanged, as detection meets them.
        turned: Share of pictures that are turned by quarters of a circle at last; a teacher sees them upright.
        learning_rate: At its highest, after `warm_up` steps.
        weight_decay: Of convolution weights (AdamW, arXiv 1711.05101).
        averaging: Decay of the moving average of the weights, which is what is kept.
        seed: Decides the initial weights and every picture.
        validate_every: Steps between validations.
        save_every: Steps between checkpoints; a kill costs no more than these.
        validation_size: Longer side of validation pictures, in pixels.
        workers: Processes that prepare pictures; 0 prepares them in the training process.
        threads: Threads that compute, per process; 0 leaves it to torch.
    """

    model: str = "base"
    loss: str = "lafd"
    steps: int = 20_000
    batch: int = 16
    sizes: tuple[int, ...] = (320,)
    plain: float = 0.0
    turned: float = 0.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.05
    averaging: float = 0.999
    seed: int = 0
    warm_up: int = 300
    validate_every: int = 1000
    save_every: int = 250
    validation_size: int = 640
    workers: int = 0
    threads: int = 0

    def shapes(self) -> list[tuple[int, int]]:
        """Pictures per process and their side, of the steps that follow each other until all sizes had their turn."""
        return [(max(1, round(self.batch * (self.sizes[0] / side) ** 2)), side) for side in self.sizes]


@dataclass(frozen=True)
class Data:
    """What a run learns from and is judged by.

    Attributes:
        train: Pictures to learn from.
        validation: Pictures to be judged by.
        sprites: Characters to compose onto pictures.
        teacher: Weights (.safetensors) of a network to learn from beside the labels.
    """

    train: Sequence[Sample]
    validation: Sequence[Sample]
    sprites: Sequence[Sample]
    teacher: Path | None = None


class Run:
    """One training run in one folder: `last.safetensors` to go on from, `best.safetensors` to use, `events.*` to watch.

    Under `torchrun` every process works on its own pictures and gradients are averaged (DistributedDataParallel).

    Args:
        recipe: Every setting.
        data: What to learn from.
        out: The folder; a `last.safetensors` in it is continued.
        init: Weights (.safetensors) to start from instead of random ones; of the same network or a smaller one.

    Raises:
        LafdError: `init` or the teacher cannot be read, or another run is at work in the folder.
        UsageError: The network is unknown, or the loss, `init` or the teacher does not fit it.
    """

    def __init__(self, recipe: Recipe, data: Data, out: Path, init: Path | None = None) -> None:
        self.recipe, self.data, self.out = recipe, data, out
        self.rank, self.world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        gpu = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        self.device = torch.device(gpu if torch.cuda.is_available() else "cpu")
        if self.world > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.network = make_network(recipe.model).to(self.device)
        self.losses = [self.make_loss(side) for side in recipe.sizes]
        for parameter in self.network.parameters():  # the layout in which convolutions are fastest
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        if init:
            self.start_from(init)
        self.teacher = Teacher(data.teacher, self.device) if data.teacher else None
        if self.teacher and isinstance(self.network, LffdNet):
            raise UsageError(f"a teacher is for our networks, not for {recipe.model}: its cells are others.")
        decay = [p for p in self.network.parameters() if p.ndim > 1]
        rest = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [
            {"params": decay, "weight_decay": recipe.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.step, self.best = 0, -1.0
        self.networks = {"network": self.network, "average": self.average}
        if self.rank == 0:
            self.locked = (out / "lock").open("wb")
            lock(self.locked, out)
        self.last = out / "last.safetensors"
        if self.last.exists():
            self.step, self.best = checkpoint.load(self.last, self.networks, self.optimiser)

    def train(self) -> None:
        """Runs to the last step."""
        model: nn.Module = self.network
        if self.world > 1:
            model = DistributedDataParallel(self.network)
        pictures = TrainingPictures(self.data.train, self.data.sprites, self.recipe.seed, self.recipe.plain)
        writer = SummaryWriter(str(self.out)) if self.rank == 0 else None
        started, first, totals = time.monotonic(), self.step, torch.zeros(2)
        precision = bfloat16_is_fast(self.device)
        for batch in self.batches(pictures):
            upright, boxes, kinds = (t.to(self.device, non_blocking=True) for t in batch)
            turns = self.turns(upright)
            images, boxes = turns.pictures(upright), turns.boxes(boxes)
            self.network.train()
            rate = self.learning_rate()
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast(self.device.type, torch.bfloat16, enabled=precision):
                output = model(images)
                taught = self.teacher(upright) if self.teacher else None
            score_loss, box_loss = self.losses[self.step % len(self.losses)](output, boxes, kinds)
            if taught:
                more = distillation_loss(output, turns.cells(taught, self.network.strides))
                score_loss, box_loss = score_loss + more[0], box_loss + more[1]
            self.optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(score_loss + box_loss)
            nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
            self.optimiser.step()
            self.update_average()
            self.step += 1
            totals += torch.stack([score_loss, box_loss]).detach().cpu()
            if self.step % 50 == 0 and writer:
                speed = (self.step - first) / (time.monotonic() - started)
                left = (self.recipe.steps - self.step) / speed / 60
                score, box = (totals / 50).tolist()
                totals.zero_()
                print(f"step {self.step}/{self.recipe.steps}  score loss {score:.3f}  box loss {box:.3f}  "
                      f"{speed:.2f} steps/s  {left:.0f} min left", flush=True)  # fmt: skip
                writer.add_scalar("loss/score", score, self.step)
                writer.add_scalar("loss/box", box, self.step)
                writer.add_scalar("learning_rate", rate, self.step)
            last = self.step == self.recipe.steps
            if writer and (last or self.step % self.recipe.validate_every == 0):
                self.validate(writer)
            if writer and (last or self.step % self.recipe.save_every == 0):
                self.save()
            if self.world > 1 and (last or self.step % self.recipe.validate_every == 0):
                dist.barrier()
        if writer:
            writer.close()
            self.locked.close()

    def start_from(self, init: Path) -> None:
        """Takes weights of an earlier run, of the same network or of a smaller one."""
        earlier = checkpoint.load_network(init)
        try:
            if isinstance(earlier, FaceNet) and isinstance(self.network, FaceNet):
                widen(earlier, self.network)
            else:
                self.network.load_state_dict(earlier.state_dict())
        except (RuntimeError, ValueError):
            raise UsageError(
                f"{init} is of a larger or another network than {self.recipe.model}: choose its --model."
            ) from None

    def make_loss(self, side: int) -> Loss:
        """The loss of inputs of this side in pixels."""
        if self.recipe.loss == "lafd":
            return functools.partial(detection_loss, cells=self.network.cells_of(side, self.device))
        if not isinstance(self.network, LffdNet):
            raise UsageError(
                f"the loss lffd is for the networks of LFFD, not for {self.recipe.model}: use --model lffd."
            )
        return LffdLoss(self.network, side, self.device)

    def batches(self, pictures: TrainingPictures) -> DataLoader[Batch]:
        """The batches from this step on; picture numbers depend on step and process alone."""
        keys, number = [], 0
        for step, (count, side) in zip(
            range(self.recipe.steps), itertools.cycle(self.recipe.shapes()), strict=False
        ):
            if step >= self.step:
                first = number + self.rank * count
                keys.append([(i, side) for i in range(first, first + count)])
            number += self.world * count
        return DataLoader(
            pictures,
            batch_sampler=keys,
            collate_fn=collate,
            num_workers=self.recipe.workers,
            pin_memory=self.device.type == "cuda",
            worker_init_fn=compute_alone,
        )

    def turns(self, images: Tensor) -> Turns:
        """How the pictures (n, h, w, 3) of this step are turned; it depends on step and process alone."""
        rng = np.random.default_rng([self.recipe.seed, self.step, self.rank])
        return Turns.draw(rng, len(images), images.shape[1], self.recipe.turned)

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine down to one hundredth."""
        recipe = self.recipe
        if self.step < recipe.warm_up:
            return recipe.learning_rate * (self.step + 1) / recipe.warm_up
        done = (self.step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
        return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def update_average(self) -> None:
        """The moving average follows closely at first: early weights say nothing."""
        decay = min(self.recipe.averaging, (1 + self.step) / (10 + self.step))
        for kept, new in zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)

    def validate(self, writer: SummaryWriter) -> None:
        """Judges the averaged weights and keeps them when they are the best so far."""
        if not self.data.validation:
            self.keep()
            return
        metrics = evaluate(self.average, self.data.validation, self.recipe.validation_size)
        print("validation  " + "  ".join(f"{k} {v:.4f}" for k, v in metrics.items()), flush=True)
        for key, value in metrics.items():
            writer.add_scalar(f"validation/{key}", value, self.step)
        if metrics["ap50"] > self.best:
            self.best = metrics["ap50"]
            self.keep()

    def keep(self) -> None:
        """Writes the averaged weights."""
        weights = {k: v.contiguous() for k, v in self.average.state_dict().items()}
        temporary = self.out / "best.safetensors.tmp"
        safetensors.torch.save_file(weights, temporary, {"model": self.recipe.model, "step": str(self.step)})
        temporary.replace(self.out / "best.safetensors")

    def save(self) -> None:
        """Writes everything needed to go on, so that a kill at any moment costs only the steps since."""
        checkpoint.save(self.last, self.networks, self.optimiser, self.step, self.best)


def bfloat16_is_fast(device: torch.device) -> bool:
    """GPUs compute in bfloat16, and processors with instructions for it; others emulate it ten times slower."""
    features = torch.cpu.get_capabilities()
    return device.type == "cuda" or any(features.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
