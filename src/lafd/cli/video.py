"""`lafd video`: faces in films, streams and webcams."""

from __future__ import annotations

import argparse
import signal
import sys
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tqdm import tqdm

from lafd.cli import extras, options
from lafd.errors import UsageError

if TYPE_CHECKING:
    from lafd.video.codecs import Encoding
    from lafd.video.film import Output, Summary
    from lafd.video.pipeline import FacesInFilm, Work
    from lafd.video.sink import Sink


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("film", metavar="IN", help="film, URL of a stream, or number of a webcam")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="the film to write; its ending is the container"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every frame's faces (.json, .jsonl)")
    parser.add_argument(
        "--crop", type=Path, metavar="DIR", help="write the sharpest pictures of every face, one folder each"
    )
    parser.add_argument("--crop-count", type=int, default=5, metavar="N", help="so many a face (default: 5)")
    parser.add_argument("--no-video", action="store_true", help="write no film, only --json or --crop")
    effects = parser.add_argument_group("faces").add_mutually_exclusive_group()
    effects.add_argument("--blur", action="store_true", help="blur faces instead of drawing boxes")
    effects.add_argument("--pixelate", action="store_true", help="pixelate faces instead of drawing boxes")
    parser.add_argument(
        "--track", action="store_true", help="number faces through the film, smooth their boxes"
    )
    part = parser.add_argument_group("what is read")
    part.add_argument(
        "--run-per-x-frames",
        type=int,
        default=1,
        metavar="X",
        help="look for faces in one frame of X; they are carried over the others (default: 1)",
    )
    part.add_argument("--frame-count", type=int, metavar="N", help="read no more than N frames")
    part.add_argument("--roi", metavar="X1,Y1,X2,Y2", help="keep only this part of the picture, px")
    part.add_argument("--fps", type=Fraction, help="write so many frames a second; the speed stays")
    coding = parser.add_argument_group("encoding")
    coding.add_argument(
        "--codec", help="h264, hevc, vp9, av1, mpeg4, prores, ffv1 or an encoder of FFmpeg (default: h264)"
    )
    coding.add_argument(
        "--codec-option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the encoder, as crf=23 or preset=slow; may be repeated",
    )
    options.add_detection_arguments(parser)
    parser.add_argument("--confidence-threshold", type=float, dest="confidence", help="same as --confidence")
    parser.add_argument("--nms-threshold", type=float, dest="iou", help="same as --iou")


def run(arguments: argparse.Namespace) -> int:
    """Goes through the film; 130 or 143 if it was broken off, 1 if it could not be read to its end."""
    extras.need("video")
    from lafd.video.film import Run
    from lafd.video.picture import PLANAR, Preparer, Region
    from lafd.video.pipeline import FacesInFilm
    from lafd.video.source import Source

    check(arguments)
    work = wanted_work(arguments)
    roi = Region.parse(arguments.roi) if arguments.roi else None
    encoding = wanted_encoding(arguments)
    detector = options.make_detector(arguments, 1)
    source = Source(arguments.film, arguments.frame_count)
    try:
        preparer = Preparer(source, encoding.formats if encoding else PLANAR, roi)
        faces = FacesInFilm(detector, source, preparer, work)
        outputs, sink = open_outputs(arguments, faces, encoding)
        stop = StopSignals()
        with stop, tqdm(total=source.expected, unit=" frames", disable=not sys.stderr.isatty()) as bar:
            summary = Run(faces, outputs, sink, stop.stopped, bar.update).go()
    finally:
        source.close()
    print_summary(summary, faces)
    if not summary.complete:
        parts = [output.partial.path for output in outputs if hasattr(output, "partial")]
        kept = (
            f"; {' and '.join(map(str, parts))} can be used up to there" if parts and summary.frames else ""
        )
        print(f"lafd: stopped after {summary.frames} frames{kept}.", file=sys.stderr)
        return stop.status
    if source.counts.ended_early:
        print(
            f"lafd: {source.name}: cannot be read beyond {summary.film_seconds:.2f} s"
            f" ({source.counts.ended_early}); what comes before is done.",
            file=sys.stderr,
        )
        return 1
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Checks what argparse cannot.

    Raises:
        UsageError: Arguments are out of range or contradict each other.
    """
    if arguments.no_video and arguments.output:
        raise UsageError("--no-video and --output contradict each other: leave one out.")
    if not arguments.output and not arguments.no_video:
        raise UsageError("say where the film goes with -o OUT, or write none with --no-video.")
    if arguments.no_video and not (arguments.json or arguments.crop):
        raise UsageError("--no-video needs --json FILE or --crop DIR, else there is no result.")
    if arguments.no_video and (arguments.blur or arguments.pixelate or arguments.codec):
        raise UsageError("--blur, --pixelate and --codec need a film: leave --no-video out.")
    for name in ("run_per_x_frames", "frame_count", "crop_count"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}.")
    if arguments.fps is not None and not Fraction(1, 100) <= arguments.fps <= 1000:
        raise UsageError(f"--fps must be between 0.01 and 1000, not {float(arguments.fps)}.")
    film = Path(arguments.film)
    for path in (arguments.output, arguments.json):
        if path is not None and path.exists() and film.exists() and path.samefile(film):
            raise UsageError(f"{path} is the film that is read: give another name.")


def wanted_work(arguments: argparse.Namespace) -> Work:
    """How the film is gone through."""
    from lafd.video.pipeline import Work

    return Work(
        options=options.detection_options(arguments),
        workers=options.worker_count(arguments),
        every=arguments.run_per_x_frames,
        track=arguments.track or arguments.crop is not None,
        fps=arguments.fps,
    )


def wanted_encoding(arguments: argparse.Namespace) -> Encoding | None:
    """The video codec, if a film is written."""
    from lafd.video.codecs import choose_encoding

    pairs = [text.partition("=") for text in arguments.codec_option]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise UsageError(f"--codec-option must be KEY=VALUE, not {key + equals!r}.")
    chosen = {key: value for key, _, value in pairs}
    return choose_encoding(arguments.output.suffix, arguments.codec, chosen) if arguments.output else None


def open_outputs(
    arguments: argparse.Namespace, faces: FacesInFilm, encoding: Encoding | None
) -> tuple[list[Output], Sink | None]:
    """Everything that is written; the film comes last, because it changes the pixels."""
    from lafd.video import effects
    from lafd.video.crops import Crops
    from lafd.video.film import DrawnFilm
    from lafd.video.results import Results
    from lafd.video.sink import Sink

    outputs: list[Output] = []
    try:
        if arguments.crop:
            outputs.append(Crops(arguments.crop, arguments.crop_count))
        if arguments.json:
            outputs.append(Results(arguments.json, faces.source, faces.preparer))
        if not encoding:
            return outputs, None
        sink = Sink(arguments.output, faces.source, faces.preparer, encoding)
    except Exception:
        for output in outputs:
            output.abandon()
        raise
    for sentence in sink.left_out:
        print(f"lafd: {sentence}", file=sys.stderr)
    effect = effects.blur if arguments.blur else effects.pixelate if arguments.pixelate else effects.draw
    return [*outputs, DrawnFilm(sink, effect)], sink


class StopSignals:
    """While in its `with` block, the first Ctrl-C or SIGTERM asks the run to end well; the next ends it at once."""

    def __init__(self) -> None:
        self.status = 0
        self.before: dict[int, object] = {}

    def __enter__(self) -> StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM):
            self.before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def stopped(self) -> bool:
        """Whether a signal came."""
        return self.status != 0

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.status:
            raise KeyboardInterrupt
        self.status = 128 + number


def print_summary(summary: Summary, faces: FacesInFilm) -> None:
    """Says what was done and where the time went; busy and waiting of a stage are its threads' time together."""
    counts, times = faces.source.counts, faces.times
    who = f", {summary.ids} different ones" if faces.work.track else ""
    corrupt = f", {counts.corrupt} corrupt frames left out" if counts.corrupt else ""
    seconds = max(summary.seconds, 1e-9)
    print(
        f"{summary.frames} frames, {summary.faces} faces{who}{corrupt}, in {seconds:.2f} s:"
        f" {summary.frames / seconds:.1f} frames/s, {summary.film_seconds / seconds:.2f} x real time",
        file=sys.stderr,
    )
    print("stage    threads     busy   waiting", file=sys.stderr)
    for stage in (times.read, times.detect, times.follow, times.write):
        if stage is not times.follow or faces.work.follows:
            waiting = max(0.0, stage.threads * seconds - stage.busy)
            print(f"{stage.name:8} {stage.threads:7} {stage.busy:6.2f} s {waiting:7.2f} s", file=sys.stderr)
