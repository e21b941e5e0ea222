"""The interface of light-anime-face-detector, for programs that were written for it; new ones use `lafd.Detector`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from lafd.detector import MAX_INPUT_PIXELS, Detector, Options
from lafd.draw import extent, frame, write
from lafd.errors import UsageError
from lafd.files import replacing
from lafd.images import ImageSource, load_image
from lafd.mxnet import export, strict
from lafd.mxnet.convert import Original, convert
from lafd.mxnet.symbol import read_json
from lafd.pixels import from_pillow, to_pillow
from lafd.runtime.onnxruntime import OnnxRuntime

PATHS = ("lffd_config_path", "model_path", "symbol_path")
EM = 30  # px; the height of a line at OpenCV's font scale 1
NUMBERS = ("size", "confidence_threshold", "nms_threshold")


class LFFDDetector:
    """The original's detector class, without MXNet and without its faults.

    Args:
        config: The original's configuration, such as its configs/anime.json: a path, or a dict with the keys
            lffd_config_path, model_path, symbol_path, size, confidence_threshold and nms_threshold. Paths are relative
            to the working directory or, where that has no such file, to the configuration file's folder or its parent.
            Without symbol_path, model_path is the name of a shipped model or the path of an .onnx file.
        use_gpu: Compute on an NVIDIA GPU; needs an ONNX Runtime that can.
        strict: Compute exactly what the original did, its faults included; uint8 (h, w, 3) BGR arrays only.

    Raises:
        UsageError: The configuration lacks something, a file does not exist, or no such GPU is there.
        ModelError: The model's files are damaged or do not fit together.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str | os.PathLike[str],
        use_gpu: bool = False,
        *,
        strict: bool = False,
    ) -> None:
        self.config = read_config(config)
        self.strict = strict
        device = "cuda" if use_gpu else "cpu"
        if "symbol_path" not in self.config:
            if strict:
                raise UsageError(
                    "strict needs the original's files: symbol_path and lffd_config_path are missing."
                )
            self.detector = Detector(self.config["model_path"], device=device)
            return
        decoding, parameters, symbol = (Path(self.config[name]) for name in PATHS)
        original = Original(parameters, symbol, decoding)
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "lffd.onnx"
            if strict:
                network, self.branches = original.read()
                with replacing(model) as temporary:
                    temporary.write_bytes(export.maps_model(network).SerializeToString())
                self.session = OnnxRuntime(model, device, None).session
            else:
                convert(original, model)
                self.detector = Detector(str(model), device=device)

    def detect(
        self,
        image: ImageSource,
        size: float | None = None,
        resize_scale: float | None = None,
        confidence_threshold: float | None = None,
        nms_threshold: float | None = None,
    ) -> list[dict[str, Any]]:
        """Finds the faces of one image.

        Args:
            image: uint8 (h, w, 3) BGR, or anything else that `lafd.load_image` reads.
            size: Longer side at which the network sees the image, in pixels; images are never enlarged to it. None
                takes the configuration's, here and below.
            resize_scale: Scales the image by this factor instead.
            confidence_threshold: Least score, in [0, 1].
            nms_threshold: Of two boxes that overlap by more than this IoU, in [0, 1], only the better one stays.

        Returns:
            A dict for each face, best first: xmin, ymin, xmax, ymax (int, pixels, right and bottom exclusive, inside
            the image) and confidence (float, in [0, 1]).

        Raises:
            UsageError: An argument is out of its range.
            ImageError: The image cannot be read.
        """
        if self.strict:
            return self.detect_strictly(image, size, resize_scale, (confidence_threshold, nms_threshold))
        pixels = load_image(image)
        if resize_scale is None:
            resize_scale = min(self.setting("size", size) / max(pixels.shape[:2]), 1)
        check("resize_scale", resize_scale, 1e9)
        least = check(
            "confidence_threshold", self.setting("confidence_threshold", confidence_threshold), 1, zero=True
        )
        overlap = check("nms_threshold", self.setting("nms_threshold", nms_threshold), 1, zero=True)
        faces = self.detector.detect(
            pixels, Options(resize_scale=resize_scale, confidence=least, iou=overlap)
        )
        return [as_dict([round(side) for side in face.box], face.score) for face in faces]

    def setting(self, name: str, given: float | None) -> float:
        """An argument, or the configuration's value for None."""
        value = float(self.config[name] if given is None else given)
        return check("size", value, 1e9) if name == "size" else value

    def detect_strictly(
        self,
        image: object,
        size: float | None,
        scale: float | None,
        thresholds: tuple[float | None, float | None],
    ) -> list[dict[str, Any]]:
        """What the original returned, with Python's numbers; zeros count as None, as they did there."""
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != np.uint8
            or image.shape[2:] != (3,)
            or not image.size
        ):
            raise UsageError(
                "strict takes a uint8 array of shape (h, w, 3) in BGR order, as cv2.imread returns it."
            )
        height, width = image.shape[:2]
        if scale is None:
            scale = min((size or self.config["size"]) / max(height, width), 1)
        scale = strict.network_scale(height, width, float(scale))
        if not height * width * scale**2 <= MAX_INPUT_PIXELS:
            raise UsageError(
                f"an image of {width}x{height} pixels makes too large an input at the scale {scale:g}."
            )
        least = float(thresholds[0] or self.config["confidence_threshold"])
        overlap = float(thresholds[1] or self.config["nms_threshold"])
        maps = self.session.run(None, {"data": strict.network_input(image, scale)})
        boxes = strict.candidates(maps, self.branches, (height, width), scale, least)
        kept = strict.suppress(boxes, overlap)
        return [as_dict([int(side) for side in row[:4]], float(row[4])) for row in kept]

    @staticmethod
    def draw(
        image: NDArray[np.uint8],
        boxes: Sequence[Mapping[str, Any]],
        color: tuple[int, int, int] = (0, 255, 0),
        font_scale: float = 0.3,
        thickness: int = 1,
    ) -> NDArray[np.uint8]:
        """Draws faces onto a copy of an image, each with its score in per cent in its lower left corner.

        Args:
            image: uint8 (h, w, 3), BGR; it stays as it is.
            boxes: What `detect` returned.
            color: BGR, each in [0, 255].
            font_scale: Size of the text; 1 is about 20 pixels high.
            thickness: Of the lines, in pixels.

        Raises:
            UsageError: The image is not such an array.
        """
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape[2:] != (3,):
            raise UsageError(
                "image must be a uint8 array of shape (h, w, 3) in BGR order, as cv2.imread returns it."
            )
        picture = to_pillow(image)
        pen = ImageDraw.Draw(picture)
        size = max(1, round(EM * font_scale))
        for box in boxes:
            frame(pen, (box["xmin"], box["ymin"], box["xmax"], box["ymax"]), color, thickness)
            text = f"{box['confidence'] * 100:.2f}%"
            width, height = extent(text, size)
            # the label stays inside the picture, where the original let it run out
            left = max(0, min(box["xmin"], picture.width - width))
            bottom = max(height, min(box["ymax"], picture.height))
            write(pen, text, (left, bottom - height), size, color)
        return from_pillow(picture)


def as_dict(sides: Sequence[int], confidence: float) -> dict[str, Any]:
    """A face in the original's form."""
    xmin, ymin, xmax, ymax = sides
    return {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax, "confidence": confidence}


def check(name: str, value: float, most: float, *, zero: bool = False) -> float:
    """A number up to `most`, above 0 unless `zero` is allowed.

    Raises:
        UsageError: It is not.
    """
    if not 0 <= value <= most or (value == 0 and not zero):
        raise UsageError(
            f"{name} must be {'between 0 and 1' if most == 1 else 'a positive number'}, not {value:g}."
        )
    return value


def read_config(config: Mapping[str, Any] | str | os.PathLike[str]) -> dict[str, Any]:
    """The configuration with its paths found and its values checked.

    Raises:
        UsageError: Something is missing or of the wrong type.
    """
    if isinstance(config, Mapping):
        name, folders, values = "config", [Path()], dict(config)
    else:
        path = Path(config)
        name, folders, values = str(path), [Path(), path.parent, path.parent / ".."], read_json(path)
        if not isinstance(values, dict):
            raise UsageError(f"{name}: must be a JSON object.")
    paths = PATHS if "symbol_path" in values else ("model_path",)
    if missing := [key for key in (*paths, *NUMBERS) if key not in values]:
        raise UsageError(f"{name}: lacks {', '.join(missing)}.")
    for key in NUMBERS:
        if type(values[key]) not in (int, float):
            raise UsageError(f"{name}: {key} must be a number, not {values[key]!r}.")
    for key in paths:
        if not isinstance(values[key], (str, os.PathLike)):
            raise UsageError(f"{name}: {key} must be a path, not {values[key]!r}.")
        found = next(
            (folder / values[key] for folder in folders if (folder / values[key]).is_file()), values[key]
        )
        values[key] = str(found)
    return values
