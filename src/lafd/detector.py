"""The detector: an image goes in, faces come out, top to bottom in this file."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lafd import boxes as box_maths
from lafd import images, models, preprocess, slicing, turning
from lafd.detections import Detections
from lafd.errors import UsageError
from lafd.images import ImageSource, Picture
from lafd.pixels import WHITE, Colour, check_background
from lafd.runtime import load_runtime

MAX_CANDIDATES = 1000  # best boxes that go into non-maximum suppression
MAX_INPUT_PIXELS = 200_000_000  # of the network; beyond, memory runs out before a result comes
MAX_BATCH = 16  # images in one forward pass; larger ones fall out of the processor's caches


@dataclass(frozen=True)
class Options:
    """How to detect; None takes the model's default.

    Attributes:
        size: Longer side at which the network sees an image, in pixels; larger finds smaller faces and takes longer.
        resize_scale: Scales images by this factor instead of to `size`.
        slice: Looks also at overlapping tiles of so many pixels, each at `size`, for tiny faces in large images; "auto"
            at tiles of `size` pixels in images more than twice as large. Time grows with the number of tiles.
        turned: Looks also at the image turned by 90, 180 and 270 degrees, for faces that lie or hang. Takes more than
            four times as long and finds more that is no face.
        confidence: Least score, in [0, 1].
        iou: Of two boxes that overlap by more than this IoU, in [0, 1], only the better one stays.
        max_faces: Keeps only so many, the best.
        min_face: Drops faces whose longer side is shorter, in pixels of the image.
        background: RGB colour in [0, 255] that shows through transparent pixels.
        max_pixels: Files with more pixels are refused before they are decoded.

    Raises:
        UsageError: A value is out of its range.
    """

    size: int | None = None
    resize_scale: float | None = None
    slice: int | Literal["auto"] | None = None
    turned: bool = False
    confidence: float | None = None
    iou: float | None = None
    max_faces: int | None = None
    min_face: float | None = None
    background: Colour = WHITE
    max_pixels: int = images.DEFAULT_MAX_PIXELS

    def __post_init__(self) -> None:
        if self.size is not None and not 32 <= self.size <= 16384:
            raise UsageError(f"size must be between 32 and 16384 pixels, not {self.size}.")
        if self.resize_scale is not None and not (math.isfinite(self.resize_scale) and self.resize_scale > 0):
            raise UsageError(f"resize scale must be a positive number, not {self.resize_scale}.")
        if self.slice is not None and self.slice != "auto" and not 64 <= self.slice <= 16384:
            raise UsageError(f'slice must be "auto" or between 64 and 16384 pixels, not {self.slice}.')
        if self.slice is not None and self.resize_scale is not None:
            raise UsageError("slice and resize scale contradict each other: leave one out.")
        for name, value in (("confidence", self.confidence), ("iou", self.iou)):
            if value is not None and not 0 <= value <= 1:
                raise UsageError(f"{name} must be between 0 and 1, not {value}.")
        if self.max_faces is not None and self.max_faces < 1:
            raise UsageError(f"max faces must be at least 1, not {self.max_faces}.")
        if self.min_face is not None and not self.min_face >= 0:
            raise UsageError(f"min face must be at least 0 pixels, not {self.min_face}.")
        if self.max_pixels < 1:
            raise UsageError(f"max pixels must be at least 1, not {self.max_pixels}.")
        check_background(self.background)


class Detector:
    """Finds anime faces.

    One detector may be used by many threads at once, in a process that was forked after it was made, and pickled for
    another process, where it loads the same model again.

    Args:
        model: Name of a shipped model (`lafd models` lists them) or path of an .onnx file with its card beside it.
        device: "auto", "cpu", "cuda", "tensorrt", "coreml", "directml", "openvino" or
            "openvino-bf16".
        threads: Threads of one forward pass on a CPU; None uses every core, but one in a child of `multiprocessing`,
            of which there are usually as many as cores. Results do not depend on it.

    Raises:
        UsageError: Unknown model or device.
        ModelError: Damaged weights or card.

    Examples:
        >>> from lafd.drawing import demo_scene
        >>> faces = Detector().detect(demo_scene().image)
        >>> len(faces) > 0
        True
    """

    def __init__(
        self, model: str = models.DEFAULT_MODEL, *, device: str = "auto", threads: int | None = None
    ) -> None:
        if threads is not None and threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}.")
        weights = models.find_model(model)
        self.card = models.load_card(weights)
        self.runtime = load_runtime(weights, device, threads)
        own = model if model in models.shipped_models() else str(weights.resolve())
        self.recipe = functools.partial(Detector, own, device=device, threads=threads)

    def __reduce__(self) -> tuple[Callable[[], Detector], tuple[()]]:
        return self.recipe, ()

    def detect(self, image: ImageSource, options: Options | None = None, *, rgb: bool = False) -> Detections:
        """Finds the faces of one image.

        Args:
            image: uint8 array (h, w, 3), (h, w, 4) or (h, w), BGR order; or a path, encoded bytes, a binary file or
                a PIL image.
            options: How to detect.
            rgb: The array's channels are in RGB order.

        Raises:
            ImageError: The image cannot be read.
            UsageError: The array is of another type or shape.
        """
        return self.detect_batch([image], options, rgb=rgb)[0]

    def detect_batch(
        self, batch: Sequence[ImageSource], options: Options | None = None, *, rgb: bool = False
    ) -> list[Detections]:
        """Finds the faces of many images of any sizes; arguments and errors as of `detect`.

        Images that need the same padded input share a forward pass; results are those of one by one.
        """
        options = options or Options()
        pictures = [self.read(image, options, rgb) for image in batch]
        return self.detect_pictures(pictures, options)

    def read(self, image: ImageSource, options: Options, rgb: bool = False) -> Picture:
        """Reads an image, at a reduced scale where the file allows and the options do not need more."""
        if isinstance(image, np.ndarray):
            pixels = images.to_bgr(image, rgb=rgb, background=options.background)
            return Picture(pixels, pixels.shape[1], pixels.shape[0])
        shrinks = options.resize_scale is None and options.slice is None
        reduce_to = (options.size or self.card.size) if shrinks else None
        return images.read_image(
            image, reduce_to=reduce_to, background=options.background, max_pixels=options.max_pixels
        )

    def detect_pictures(self, pictures: Sequence[Picture], options: Options) -> list[Detections]:
        """Finds the faces of pictures that have been read."""
        if options.slice is not None:
            return [slicing.detect(self, picture, options) for picture in pictures]
        if options.turned:
            return [turning.detect(self, picture, options) for picture in pictures]
        views = [self.view(picture, options) for picture in pictures]
        groups: dict[tuple[int, int], list[int]] = {}
        for i, view in enumerate(views):
            groups.setdefault((view.padded_height, view.padded_width), []).append(i)
        results: dict[int, Detections] = {}
        for members in groups.values():
            for start in range(0, len(members), MAX_BATCH):
                part = members[start : start + MAX_BATCH]
                batch = preprocess.stack([pictures[i].pixels for i in part], [views[i] for i in part])
                boxes, scores = self.runtime.run(batch)
                for place, i in enumerate(part):
                    results[i] = self.keep(boxes[place], scores[place], pictures[i], views[i], options)
        return [results[i] for i in range(len(pictures))]

    def view(self, picture: Picture, options: Options) -> preprocess.Fit:
        """The network's view of a picture."""
        view = preprocess.fit(
            picture.height, picture.width, options.size or self.card.size, options.resize_scale
        )
        if view.padded_height * view.padded_width > MAX_INPUT_PIXELS:
            raise UsageError(
                f"a picture of {picture.width}x{picture.height} at this scale makes an input of "
                f"{view.width}x{view.height} pixels; choose a smaller resize scale."
            )
        return view

    def iou(self, options: Options) -> float:
        """The IoU over which the worse one of two boxes goes."""
        return self.card.iou if options.iou is None else options.iou

    def combine(
        self,
        parts: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
        picture: Picture,
        options: Options,
    ) -> Detections:
        """The faces of a picture, each once, from boxes (n, 4) and scores (n,) found in several views of it."""
        boxes, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        kept = box_maths.nms(boxes, scores, self.iou(options))[: options.max_faces]
        return Detections(boxes[kept], scores[kept], picture.width, picture.height)

    def keep(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        picture: Picture,
        view: preprocess.Fit,
        options: Options,
    ) -> Detections:
        """From every cell's box (k, 4) and score (k,) to the faces of one picture."""
        confidence = self.card.confidence if options.confidence is None else options.confidence
        least = max(confidence, 1e-6)
        (likely,) = (scores >= np.float32(box_maths.VOTER * least)).nonzero()
        if len(likely) > MAX_CANDIDATES:
            likely = likely[np.argpartition(-scores[likely], MAX_CANDIDATES)[:MAX_CANDIDATES]]
        found = preprocess.restore(boxes[likely], view, picture)
        found = box_maths.clip(found, picture.width, picture.height)
        found, found_scores = box_maths.select(found, scores[likely], least, self.iou(options))
        big_enough = (found[:, 2:] > found[:, :2]).all(1)
        if options.min_face:
            big_enough &= (found[:, 2:] - found[:, :2]).max(1) >= options.min_face
        if not big_enough.all():
            found, found_scores = found[big_enough], found_scores[big_enough]
        most = options.max_faces
        return Detections(found[:most], found_scores[:most], picture.width, picture.height)
