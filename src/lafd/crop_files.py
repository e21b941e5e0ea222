"""Cropping many files: find the boxes, cut, write, record; several pictures at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths
from lafd import images
from lafd.annotations import AnnotatedImage, Dataset
from lafd.crop import CropRule, Region, cut, face_region, frame_region, resized
from lafd.crop_manifest import Manifest, Record
from lafd.crop_names import Names, Template
from lafd.detector import Detector, Options
from lafd.errors import ImageError, LafdError
from lafd.files import make_folder
from lafd.pixels import Colour, Pixels


@dataclass(frozen=True, eq=False)
class Faces:
    """The faces of one picture.

    Attributes:
        boxes: float32 (n, 4), xyxy in pixels of the picture.
        scores: float32 (n,), in [0, 1]; NaN where there is none.
        tilts: float32 (n,), degrees clockwise.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        pixels: uint8 (height, width, 3), BGR; None where the picture is not decoded in full yet.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    tilts: NDArray[np.float32]
    width: int
    height: int
    pixels: Pixels | None = None


class Source(Protocol):
    """Where the boxes of a picture come from."""

    def find(self, path: Path) -> Faces:
        """The faces of a picture; raises LafdError if there is a reason that they cannot be had."""


class DetectedSource:
    """Faces that a detector finds."""

    def __init__(self, detector: Detector, options: Options) -> None:
        self.detector, self.options = detector, options

    def find(self, path: Path) -> Faces:  # noqa: D102
        picture = self.detector.read(path, self.options)
        found = self.detector.detect_pictures([picture], self.options)[0]
        whole = picture.pixels.shape[:2] == (picture.height, picture.width)
        tilts = np.zeros(len(found), np.float32)
        return Faces(
            found.boxes, found.scores, tilts, found.width, found.height, picture.pixels if whole else None
        )


class AnnotatedSource:
    """Faces of an annotation file, without its ignore regions."""

    def __init__(self, dataset: Dataset) -> None:
        self.images: dict[Path, AnnotatedImage] = {}
        for image in dataset.images:  # a file may name a picture twice
            path = dataset.path(image)
            earlier = self.images[path].annotations if path in self.images else ()
            self.images[path] = replace(image, annotations=earlier + image.annotations)

    def find(self, path: Path) -> Faces:  # noqa: D102
        image, pixels = self.images[path], images.load_image(path)
        height, width = pixels.shape[:2]
        if (width, height) != (image.width, image.height):
            stated = f"{image.width} x {image.height}"
            raise ImageError(f"{path} has {width} x {height} pixels, its annotations say {stated}.")
        tilts = np.array([a.tilt for a in image.annotations], np.float32)
        visible = box_maths.area(box_maths.clip(image.boxes, width, height)) > 0
        kept = ~image.ignore & visible
        return Faces(image.boxes[kept], image.scores[kept], tilts[kept], width, height, pixels)


@dataclass(frozen=True)
class Shape:
    """What crops are wanted.

    Attributes:
        rule: Where the crop of a face lies.
        fill: RGB colour outside the picture; None repeats its edge.
        frame: Aspect of one crop per picture, instead of one per face.
        frame_margin: Of that crop, in heights of the main face; None takes the largest one.
        size: (longer side,) or (width, height) of the written crops, in pixels; None keeps the picture's scale.
        top: Only so many faces of a picture.
        by_area: Whether the largest faces come first, instead of those of the best score.
        min_size: Least shorter side of a crop in pixels of the picture.
    """

    rule: CropRule
    fill: Colour | None = None
    frame: float | None = None
    frame_margin: float | None = None
    size: tuple[int, ...] | None = None
    top: int | None = None
    by_area: bool = False
    min_size: int = 1

    @property
    def many(self) -> bool:
        """Whether a picture may give several crops."""
        return self.frame is None and self.top != 1


class Cropper:
    """Cuts and writes the crops of one picture after the other; many threads may do this at once.

    Args:
        folder: Where the crops go.
        template: Their names.
        shape: What they are.
        encoding: Their ending, such as ".png", and their quality in [1, 100].
    """

    def __init__(self, folder: Path, template: Template, shape: Shape, encoding: tuple[str, int]) -> None:
        self.folder, self.template, self.shape = folder, template, shape
        self.ending, self.quality = encoding
        self.stems, self.names = Names(), Names()

    def crop(self, path: Path, stem: str, faces: Faces) -> Record:
        """Writes the crops of a picture and returns its record.

        Raises:
            LafdError: A crop cannot be made or written.
        """
        plan = [p for p in self.plan(faces) if min(p[0].width, p[0].height) >= self.shape.min_size]
        pixels = faces.pixels
        if pixels is None and plan:
            pixels = images.load_image(path)
        entries = [
            self.entry(path, stem, i, (region, faces, members)) for i, (region, members) in enumerate(plan, 1)
        ]
        self.names.claim_all([entry["file"] for entry in entries])
        for entry, (region, _) in zip(entries, plan, strict=True):
            assert pixels is not None
            target = self.folder / entry["file"]
            make_folder(target.parent)
            crop = resized(cut(pixels, region, self.shape.fill), (entry["width"], entry["height"]))
            images.save_image(target, crop, self.quality)
        return {"path": str(path), "width": faces.width, "height": faces.height, "crops": entries}

    def plan(self, faces: Faces) -> list[tuple[Region, list[int]]]:
        """The regions of a picture, each with the faces that it is for, best first."""
        picture = (faces.width, faces.height)
        if self.shape.frame is not None:
            region = frame_region(faces.boxes, picture, self.shape.frame, self.shape.frame_margin)
            x1, y1, x2, y2 = region.box
            centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
            shown = ((centres >= (x1, y1)) & (centres < (x2, y2))).all(1)
            return [(region, np.flatnonzero(shown).tolist())]
        worth = box_maths.area(faces.boxes) if self.shape.by_area else np.nan_to_num(faces.scores, nan=-1)
        order = np.argsort(-worth, kind="stable")[: self.shape.top].tolist()
        rule, tilts = self.shape.rule, faces.tilts.tolist()
        return [(face_region(faces.boxes[i], picture, rule, tilts[i]), [i]) for i in order]

    def entry(
        self, path: Path, stem: str, index: int, crop: tuple[Region, Faces, list[int]]
    ) -> dict[str, Any]:
        """The record of one crop."""
        region, faces, members = crop
        width, height = self.target_size(region)
        boxes, scores = faces.boxes.tolist(), faces.scores.tolist()
        sides = [round(side) for side in (boxes[members[0]] if members else region.box)]
        fields = {
            "stem": stem,
            "folder": path.absolute().parent.name,
            "index": index,
            "score": scores[members[0]] if members else 0.0,
            "width": width,
            "height": height,
            **dict(zip(("x1", "y1", "x2", "y2"), sides, strict=True)),
        }
        name = self.template.name(fields)
        return {
            "file": f"{name}{self.ending}",
            "region": [round(side, 2) for side in region.box],
            "tilt": round(region.tilt, 2),
            "width": width,
            "height": height,
            "faces": [
                {
                    "box": [round(side, 2) for side in boxes[i]],
                    "score": None if np.isnan(scores[i]) else round(scores[i], 4),
                }
                for i in members
            ],
        }

    def target_size(self, region: Region) -> tuple[int, int]:
        """Width and height of the written crop in pixels."""
        width, height = max(round(region.width), 1), max(round(region.height), 1)
        if self.shape.size is None:
            return width, height
        if len(self.shape.size) == 2:
            return self.shape.size[0], self.shape.size[1]
        scale = self.shape.size[0] / max(width, height)
        return max(round(width * scale), 1), max(round(height * scale), 1)


def crop_files(
    source: Source, paths: Iterable[Path], cropper: Cropper, manifest: Manifest, workers: int
) -> Iterator[Record]:
    """Crops files that the manifest does not have yet, and records them in their order.

    A picture that fails gives a record with an error and stops nothing.
    """

    def work(path: Path, stem: str) -> Record:
        try:
            return cropper.crop(path, stem, source.find(path))
        except LafdError as error:
            return {"path": str(path), "error": str(error)}

    with ThreadPoolExecutor(workers, "lafd") as pool:
        waiting: deque[Future[Record]] = deque()
        try:
            for path in paths:
                stem = cropper.stems.stem(
                    path
                )  # claimed in the order of the paths, so that a later run finds the same
                if path in manifest:
                    continue
                waiting.append(pool.submit(work, path, stem))
                if len(waiting) >= 2 * workers:
                    yield recorded(waiting.popleft().result(), manifest)
            while waiting:
                yield recorded(waiting.popleft().result(), manifest)
        finally:
            for future in waiting:
                future.cancel()


def recorded(record: Record, manifest: Manifest) -> Record:
    """The record, after it is in the manifest."""
    manifest.add(record)
    return record
