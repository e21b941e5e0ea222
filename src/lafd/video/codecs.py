"""Which video codec is written, and how well."""

from __future__ import annotations

from dataclasses import dataclass, field

import av
from av.codec import Codec

from lafd.errors import UsageError
from lafd.video.picture import PLANAR


@dataclass(frozen=True)
class Encoding:
    """A video encoder and its options.

    Attributes:
        encoder: FFmpeg's name of it.
        options: FFmpeg's options of it.
        formats: Names of the planar YUV formats that it takes.
    """

    encoder: str
    options: dict[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ("yuv420p",)


_QUIET = {"x265-params": "log-level=error"}
FAMILIAR = {
    # the presets are the fastest that do not show; H.264 in 8 bits 4:2:0 is what every browser plays
    "h264": Encoding("libx264", {"preset": "veryfast", "crf": "20"}),
    "hevc": Encoding("libx265", {"preset": "veryfast", "crf": "24", **_QUIET}),
    "vp9": Encoding("libvpx-vp9", {"crf": "32", "b": "0", "deadline": "realtime", "cpu-used": "6"}),
    "av1": Encoding("libsvtav1", {"preset": "10", "crf": "32"}),
    "mpeg4": Encoding("mpeg4", {"qmin": "2", "qmax": "5"}),
    "prores": Encoding("prores_ks"),
    "ffv1": Encoding("ffv1", {"level": "3"}),
}
_BY_ENDING = {".webm": "vp9", ".avi": "mpeg4"}


def choose_encoding(ending: str, name: str | None, options: dict[str, str]) -> Encoding:
    """The encoding for a file ending such as ".mp4".

    Args:
        ending: Of the film to be written.
        name: A key of `FAMILIAR` or FFmpeg's name of an encoder; None goes by the ending.
        options: FFmpeg's options of the encoder; they are added to the usual ones.

    Raises:
        UsageError: There is no such encoder, or it takes no planar YUV.
    """
    name = name or _BY_ENDING.get(ending.lower(), "h264")
    usual = FAMILIAR.get(name, Encoding(name))
    try:
        codec = Codec(usual.encoder, "w")
    except (av.FFmpegError, ValueError):
        raise UsageError(
            f"there is no video encoder {name!r}: choose {', '.join(FAMILIAR)}, or one that FFmpeg has."
        ) from None
    taken = tuple(item.name for item in (codec.video_formats or ())) if codec.type == "video" else ()
    formats = tuple(item for item in PLANAR if item in taken)
    if not formats:
        raise UsageError(f"the encoder {name!r} cannot be used: it takes no planar YUV pictures.")
    formats = usual.formats if name == "h264" else formats
    return Encoding(codec.name, {**usual.options, **options}, formats)
