"""`lafd crop`: one picture per face, or one well placed crop per picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from lafd.annotations import FORMATS, read_annotations
from lafd.cli import options
from lafd.cli.paths import given_paths
from lafd.crop import CropRule, check_aspect
from lafd.crop_files import AnnotatedSource, Cropper, DetectedSource, Shape, Source, crop_files
from lafd.crop_manifest import Manifest, Record
from lafd.crop_names import FIELDS, Template
from lafd.errors import UsageError
from lafd.files import make_folder
from lafd.pixels import Colour


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="picture, folder (recursive), glob, or - for a list on stdin"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the crops and their manifest",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the work of an earlier run in DIR")
    place = parser.add_argument_group("place")
    place.add_argument(
        "--margin",
        metavar="M",
        help="around the face, shares of its size: M or LEFT,TOP,RIGHT,BOTTOM (default: 0.25)",
    )
    place.add_argument(
        "--aspect",
        metavar="W:H",
        help="of the crops, such as 1:1; the shorter direction grows (default: free)",
    )
    place.add_argument(
        "--pad",
        metavar="COLOUR",
        help="keep faces in the middle at the picture's edge, and fill with #rrggbb or edge",
    )
    place.add_argument(
        "--frame", metavar="W:H", help="instead, one crop per picture that shows its faces well, such as 16:9"
    )
    choice = parser.add_argument_group("choice")
    choice.add_argument("--top", type=int, metavar="N", help="at most so many faces of a picture")
    choice.add_argument(
        "--by",
        choices=("score", "area"),
        default="score",
        help="what decides about the best (default: score)",
    )
    choice.add_argument(
        "--min-size",
        type=int,
        default=1,
        metavar="PX",
        help="no crops whose shorter side is shorter, before --resize",
    )
    choice.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="take the boxes of an annotation file instead of detecting",
    )
    choice.add_argument(
        "--from", dest="source", choices=FORMATS, help="format of --annotations (default: by its content)"
    )
    choice.add_argument("--images", type=Path, metavar="DIR", help="folder of the pictures of --annotations")
    file = parser.add_argument_group("file")
    file.add_argument("--resize", metavar="SIZE", help="longer side, or WIDTHxHEIGHT, in px")
    file.add_argument(
        "--name", metavar="TEMPLATE", help=f"fields {', '.join(FIELDS)} (default: {{stem}}-{{index:02d}})"
    )
    file.add_argument("--format", choices=("png", "jpg", "webp"), default="png", help="default: png")
    file.add_argument("--quality", type=int, default=95, help="of jpg and webp, 1 to 100 (default: 95)")
    options.add_reading_arguments(parser)
    options.add_sandbox_arguments(parser)
    options.add_detection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Crops, and returns 1 when a picture failed."""
    with options.sandbox(arguments):
        return crop(arguments)


def crop(arguments: argparse.Namespace) -> int:
    """The work itself."""
    wanted = shape(arguments)
    template = Template(
        arguments.name or ("{stem}" if arguments.frame else "{stem}-{index:02d}"), wanted.many
    )
    if not 1 <= arguments.quality <= 100:
        raise UsageError(f"quality must be between 1 and 100, not {arguments.quality}.")
    workers = options.worker_count(arguments)
    if workers < 1:
        raise UsageError(f"threads must be at least 1, not {workers}.")
    source, paths = find_source(arguments)
    make_folder(arguments.output)
    manifest = Manifest(arguments.output, arguments.resume)
    cropper = Cropper(arguments.output, template, wanted, (f".{arguments.format}", arguments.quality))
    done, crops, failures = 0, 0, []
    try:
        for record in progress(crop_files(source, paths, cropper, manifest, workers)):
            done += 1
            crops += len(record.get("crops", ()))
            if "error" in record:
                failures.append(record["error"])
    finally:
        manifest.close()
    for failure in failures:
        print(f"lafd: {failure}", file=sys.stderr)
    print(
        f"{done} pictures, {crops} crops, {len(failures)} failures; see {arguments.output}", file=sys.stderr
    )
    return 1 if failures else 0


def find_source(arguments: argparse.Namespace) -> tuple[Source, Iterator[Path]]:
    """Where boxes come from, and the pictures.

    Raises:
        UsageError: Neither or both of pictures and annotations are given.
    """
    if bool(arguments.paths) == bool(arguments.annotations):
        raise UsageError("give pictures and folders, or --annotations FILE, one of the two.")
    if arguments.annotations is None:
        detector = options.make_detector(arguments, 1)
        return DetectedSource(detector, options.detection_options(arguments)), given_paths(arguments.paths)
    dataset = read_annotations(arguments.annotations, arguments.source, arguments.images)
    for problem in dataset.problems:
        print(f"lafd: {problem}", file=sys.stderr)
    source = AnnotatedSource(dataset)
    return source, iter(source.images)


def shape(arguments: argparse.Namespace) -> Shape:
    """What the crops are to be.

    Raises:
        UsageError: An argument is out of range, or two do not go together.
    """
    size = sizes(arguments.resize) if arguments.resize else None
    exact = size is not None and len(size) == 2
    frame = ratio(arguments.frame, "--frame") if arguments.frame else None
    aspect = ratio(arguments.aspect, "--aspect") if arguments.aspect else None
    if frame and (aspect or arguments.pad or arguments.top):
        raise UsageError("--frame makes one crop per picture: leave --aspect, --pad and --top out.")
    if arguments.top is not None and arguments.top < 1:
        raise UsageError(f"top must be at least 1, not {arguments.top}.")
    if exact and size:
        given, other = size[0] / size[1], frame or aspect
        if other and abs(given / other - 1) > 0.02:
            raise UsageError(
                f"--resize {arguments.resize} has another aspect than the one asked for; give one of the two."
            )
        aspect = None if frame else aspect or given
    margin = margins(arguments.margin) if arguments.margin else None
    if frame and margin and len(set(margin)) > 1:
        raise UsageError("--frame takes one margin, not four.")
    rule = CropRule(margin or CropRule.margin, aspect, pad=bool(arguments.pad))
    fill = colour(arguments.pad) if arguments.pad else None
    frame_margin = margin[0] if frame and margin else None
    return Shape(
        rule, fill, frame, frame_margin, size, arguments.top, arguments.by == "area", arguments.min_size
    )


def ratio(text: str, name: str) -> float:
    """Width / height of "W:H"."""
    try:
        width, height = (float(side) for side in text.split(":"))
        value = width / height
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name} must be like 16:9, not {text!r}.") from None
    check_aspect(value)
    return value


def margins(text: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of "M" or "L,T,R,B"."""
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 4):
        raise UsageError(f"--margin must be one number, or four with commas, not {text!r}.")
    left, top, right, bottom = values * (4 // len(values))
    return left, top, right, bottom


def sizes(text: str) -> tuple[int, ...]:
    """The longer side of "N", or width and height of "WxH"."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and 1 <= int(part) <= 16384 for part in parts):
        raise UsageError(f"--resize must be a longer side or WIDTHxHEIGHT up to 16384 px, not {text!r}.")
    return tuple(int(part) for part in parts)


def colour(text: str) -> Colour | None:
    """RGB of "#rrggbb"; None for "edge"."""
    digits = text.removeprefix("#")
    try:
        values = bytes.fromhex(digits)
    except ValueError:
        values = b""
    if text != "edge" and len(values) != 3:
        raise UsageError(f"--pad must be edge or a colour like #ffffff, not {text!r}.")
    return None if text == "edge" else (values[0], values[1], values[2])


def progress(records: Iterator[Record]) -> Iterator[Record]:
    """A progress bar on a terminal."""
    return iter(
        tqdm(records, unit=" pictures", file=sys.stderr, disable=not sys.stderr.isatty(), dynamic_ncols=True)
    )
