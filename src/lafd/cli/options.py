"""Arguments that several commands share, and what they mean."""

from __future__ import annotations

import argparse
import contextlib
from typing import Literal

from lafd import models
from lafd.detector import Detector, Options
from lafd.errors import UsageError
from lafd.images import DEFAULT_MAX_PIXELS
from lafd.opencv import limit_threads
from lafd.pixels import Colour
from lafd.runtime import DEVICES
from lafd.runtime.forking import usable_cores


def add_detection_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what decides about detection."""
    group = parser.add_argument_group("detection")
    group.add_argument(
        "--size", type=int, help="longer side at which the network sees a picture, px (default: the model's)"
    )
    group.add_argument(
        "--resize-scale", type=float, help="scale pictures by this factor instead of to --size"
    )
    group.add_argument(
        "--slice",
        default="off",
        metavar="PX",
        help="look also at overlapping tiles of PX, each at --size, for tiny faces; or auto (default: off)",
    )
    group.add_argument(
        "--turned",
        action="store_true",
        help="look also at pictures turned by 90, 180 and 270 degrees, for faces that lie or hang",
    )
    group.add_argument("--confidence", type=float, help="least score, 0 to 1 (default: the model's)")
    group.add_argument(
        "--iou", type=float, help="boxes that overlap a better one by more go, 0 to 1 (default: the model's)"
    )
    group.add_argument("--max-faces", type=int, help="at most so many faces per picture, the best ones")
    group.add_argument(
        "--min-face", type=float, help="drop faces whose longer side is shorter, px of the picture"
    )
    parser.set_defaults(background="ffffff", max_pixels=DEFAULT_MAX_PIXELS)
    add_model_arguments(parser)


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what decides how picture files are read."""
    reading = parser.add_argument_group("reading")
    reading.add_argument(
        "--background",
        default="ffffff",
        metavar="RRGGBB",
        help="colour behind transparent pixels (default: ffffff)",
    )
    reading.add_argument(
        "--max-pixels",
        type=int,
        default=DEFAULT_MAX_PIXELS,
        help="refuse larger files (default: %(default)s)",
    )


def add_sandbox_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what decides where picture files are decoded."""
    group = parser.add_argument_group("pictures of strangers")
    group.add_argument(
        "--sandbox",
        action="store_true",
        help="decode in processes of their own: what crashes or hangs one is one picture's error",
    )
    group.add_argument(
        "--sandbox-seconds",
        type=float,
        default=30,
        metavar="S",
        help="that a picture may take there (default: %(default)s)",
    )
    group.add_argument(
        "--sandbox-memory",
        type=int,
        default=4096,
        metavar="MIB",
        help="that a picture may take there (default: %(default)s)",
    )


def sandbox(arguments: argparse.Namespace) -> contextlib.AbstractContextManager[object]:
    """Where picture files are decoded inside the block."""
    if not arguments.sandbox:
        return contextlib.nullcontext()
    from lafd.sandbox import Sandbox

    return Sandbox(arguments.sandbox_seconds, arguments.sandbox_memory * 2**20)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what decides about the model and where it runs."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model", default=models.DEFAULT_MODEL, help="name (see lafd models) or path of an .onnx file"
    )
    group.add_argument(
        "--device", default="auto", metavar="DEVICE", help=f"one of {', '.join(DEVICES)} (default: auto)"
    )
    group.add_argument("--threads", type=int, help="processor threads to use (default: one per core)")


def detection_options(arguments: argparse.Namespace) -> Options:
    """The detection options that were given."""
    return Options(
        size=arguments.size,
        resize_scale=arguments.resize_scale,
        slice=slice_side(arguments.slice),
        turned=arguments.turned,
        confidence=arguments.confidence,
        iou=arguments.iou,
        max_faces=arguments.max_faces,
        min_face=arguments.min_face,
        background=colour(arguments.background),
        max_pixels=arguments.max_pixels,
    )


def slice_side(text: str) -> int | Literal["auto"] | None:
    """640 from "640", "auto" from "auto", None from "off"."""
    if text == "auto":
        return "auto"
    if not (text == "off" or text.isdecimal()):
        raise UsageError(f"slice must be off, auto or a number of pixels, not {text!r}.")
    return None if text == "off" else int(text)


def colour(text: str) -> Colour:
    """(255, 128, 0) from "ff8000" or "#ff8000"."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or not set(digits.lower()) <= set("0123456789abcdef"):
        raise UsageError(f"background must be six hexadecimal digits such as ffffff, not {text!r}.")
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def make_detector(arguments: argparse.Namespace, threads: int | None) -> Detector:
    """The detector that was asked for, scaling and computing one image with so many threads."""
    limit_threads(threads)  # else every thread of ours would start as many as there are cores
    return Detector(arguments.model, device=arguments.device, threads=threads)


def worker_count(arguments: argparse.Namespace) -> int:
    """Threads that were asked for, by default as many as there are cores for this process."""
    if arguments.threads is not None:
        if arguments.threads < 1:
            raise UsageError(f"threads must be at least 1, not {arguments.threads}.")
        return int(arguments.threads)
    return usable_cores()


def parse_sizes(text: str) -> list[int]:
    """Ascending sizes from "256,640"."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of sizes such as 256,640") from None
    if not 32 <= found[0] <= found[-1] <= 16384:
        raise argparse.ArgumentTypeError("sizes must be between 32 and 16384 pixels")
    return found
