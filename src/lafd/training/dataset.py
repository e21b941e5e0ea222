"""Training pictures: the picture with number i is the same on every machine and in every run with the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from lafd.images import load_image
from lafd.opencv import limit_threads
from lafd.pixels import Pixels
from lafd.training import appearance, geometry
from lafd.training.geometry import Boxes, Labels
from lafd.training.samples import Sample

CACHE_BYTES = 4_000_000_000
PLAIN_LOOKS = 0.6  # of the whole pictures keep their look
WHOLE_MOSAICS = 0.25  # of the views of whole pictures show several: faces as a small network input has them
LEAST_WHOLE = 160  # px, sides of the pictures in these
Batch = tuple[Tensor, Tensor, Tensor]
Chooser = Callable[[np.random.Generator, Sample, tuple[int, int]], NDArray[np.float32]]


class TrainingPictures(Dataset[Any]):
    """An endless, seeded stream of augmented square pictures, indexed by number and side in pixels.

    Args:
        samples: Annotated pictures.
        sprites: Characters with transparency, composed onto faceless pictures; may be empty.
        seed: Decides everything.
        plain: Share of pictures that are shown whole and mostly unchanged, as detection meets them.
    """

    def __init__(
        self, samples: Sequence[Sample], sprites: Sequence[Sample], seed: int, plain: float = 0.0
    ) -> None:
        self.samples, self.sprites, self.seed, self.plain = samples, sprites, seed, plain
        self.faceless = [s for s in samples if not len(s.boxes)]
        self.cache: dict[Path, Pixels] = {}
        self.cached_bytes = 0

    def __getitem__(self, key: tuple[int, int]) -> tuple[Pixels, Boxes, NDArray[np.bool_]]:
        number, side = key
        rng = np.random.default_rng([self.seed, number])
        shape = (side, side)
        if rng.random() < self.plain:
            if side >= 2 * LEAST_WHOLE and rng.random() < WHOLE_MOSAICS:
                count = int(rng.integers(2, side // LEAST_WHOLE + 1))
                picture, labels = self.mosaic(rng, shape, count, geometry.whole_view)
            else:
                picture, labels = self.view(rng, self.pick(number), shape, geometry.whole_view)
            if rng.random() < PLAIN_LOOKS:
                return picture, *labels
        elif (kind := rng.random()) < 0.12 and self.sprites:
            picture, labels = self.sprite_scene(rng, shape)
        elif kind < 0.4:
            picture, labels = self.mosaic(rng, shape, int(rng.integers(2, 5)))
        else:
            picture, labels = self.view(rng, self.pick(number), shape)
        for box, ignored in zip(*labels, strict=True):
            if not ignored and rng.random() < 0.08:
                appearance.cut_out(rng, picture, box)
        return appearance.change_appearance(rng, picture), *labels

    def pick(self, number: int) -> Sample:
        """Every sample once per epoch, in an order of its own."""
        epoch, place = divmod(number, len(self.samples))
        order = np.random.default_rng([self.seed, 1, epoch]).permutation(len(self.samples))
        return self.samples[int(order[place])]

    def view(
        self,
        rng: np.random.Generator,
        sample: Sample,
        shape: tuple[int, int],
        choose: Chooser = geometry.random_view,
    ) -> tuple[Pixels, Labels]:
        """A random view of one picture."""
        matrix = choose(rng, sample, shape)
        picture = geometry.warp(rng, self.pixels(sample.path), matrix, shape)
        boxes = geometry.map_boxes(sample.boxes, matrix)
        return picture, geometry.labels_in_view(boxes, sample.ignore, shape)

    def mosaic(
        self,
        rng: np.random.Generator,
        shape: tuple[int, int],
        count: int,
        choose: Chooser = geometry.random_view,
    ) -> tuple[Pixels, Labels]:
        """Views of `count` rows of `count` pictures (YOLOv4, arXiv 2004.10934, 3.3): where small faces come from."""
        picture = np.empty((*shape, 3), np.uint8)
        parts: list[Labels] = []
        for rows in random_parts(rng, shape[0], count):
            for columns in random_parts(rng, shape[1], count):
                part = (rows.stop - rows.start, columns.stop - columns.start)
                sample = self.samples[int(rng.integers(len(self.samples)))]
                picture[rows, columns], (boxes, ignore) = self.view(rng, sample, part, choose)
                corner = [columns.start, rows.start]
                parts.append((boxes + np.array(corner * 2, np.float32), ignore))
        return picture, join(parts)

    def sprite_scene(self, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Pixels, Labels]:
        """One to five characters before a faceless background, nearer ones covering the others."""
        if self.faceless and rng.random() < 0.8:
            picture, labels = self.view(rng, self.faceless[int(rng.integers(len(self.faceless)))], shape)
        else:
            picture = np.full((*shape, 3), rng.integers(0, 256, 3), np.uint8)
            labels = (np.empty((0, 4), np.float32), np.empty(0, bool))
        for _ in range(rng.integers(1, 6)):
            sprite = self.sprites[int(rng.integers(len(self.sprites)))]
            sides = sprite.boxes[0, 2:] - sprite.boxes[0, :2]
            wanted = np.exp(rng.uniform(np.log(10), np.log(0.8 * min(shape))))
            middle = (sprite.boxes[0, :2] + sprite.boxes[0, 2:]) / 2
            target = rng.uniform(0.05, 0.95, 2) * shape[::-1]
            scale = min(wanted / max(sides), geometry.MAX_ENLARGEMENT)
            matrix = geometry.affine(rng, scale, middle, target)
            layer = geometry.warp(rng, self.pixels(sprite.path, transparent=True), matrix, shape)
            alpha = layer[..., 3:].astype(np.float32) / np.float32(255)
            picture = (picture + alpha * (layer[..., :3].astype(np.float32) - picture)).astype(np.uint8)
            boxes = geometry.map_boxes(sprite.boxes, matrix)
            labels = join([hide(labels, alpha[..., 0]), geometry.labels_in_view(boxes, sprite.ignore, shape)])
        return picture, labels

    def pixels(self, path: Path, transparent: bool = False) -> Pixels:
        """The decoded picture, BGR or BGRA; kept in memory while there is room."""
        if (picture := self.cache.get(path)) is not None:
            return picture
        if transparent:
            with Image.open(path) as sprite:
                picture = np.ascontiguousarray(np.asarray(sprite.convert("RGBA"))[..., [2, 1, 0, 3]])
        else:
            picture = load_image(path)
        if self.cached_bytes < CACHE_BYTES:
            self.cache[path] = picture
            self.cached_bytes += picture.nbytes
        return picture


def compute_alone(worker: int) -> None:
    """One thread per process that prepares pictures: together they use every core already."""
    limit_threads(1)


def random_parts(rng: np.random.Generator, side: int, count: int) -> list[slice]:
    """Cuts a side into parts whose lengths differ by up to a factor of about two."""
    inner = (np.arange(1, count) + rng.uniform(-0.17, 0.17, count - 1)) * side / count
    edges = [0, *inner.astype(int).tolist(), side]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def hide(labels: Labels, alpha: NDArray[np.float32]) -> Labels:
    """Faces that a new layer covers for the most part become ignore regions."""
    boxes, ignore = labels
    covered = np.zeros(len(boxes), bool)
    for i, (x1, y1, x2, y2) in enumerate(boxes.round().astype(int)):
        part = alpha[y1:y2, x1:x2]
        covered[i] = part.size > 0 and part.mean() > 1 - geometry.MIN_VISIBLE
    return boxes, ignore | covered


def join(parts: Sequence[Labels]) -> Labels:
    """All labels of the parts."""
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def collate(items: list[tuple[Pixels, Boxes, NDArray[np.bool_]]]) -> Batch:
    """Images (n, h, w, 3), boxes (n, m, 4) and kinds (n, m): 1 for a face, 2 to ignore, 0 for padding."""
    images = torch.from_numpy(np.stack([item[0] for item in items]))
    most = max(1, *(len(item[1]) for item in items))
    boxes, kinds = torch.zeros(len(items), most, 4), torch.zeros(len(items), most, dtype=torch.int8)
    for i, (_, item_boxes, ignore) in enumerate(items):
        boxes[i, : len(item_boxes)] = torch.from_numpy(item_boxes)
        kinds[i, : len(ignore)] = torch.from_numpy(np.where(ignore, 2, 1).astype(np.int8))
    return images, boxes, kinds
