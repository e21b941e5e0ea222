"""Bringing frames into the form that is worked on: planar YUV, upright, cut to the region, with even sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from lafd.errors import UsageError
from lafd.images import Picture
from lafd.video.frame import Frame, planes_of
from lafd.video.source import Source

PLANAR = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
FULL = int(ColorRange.JPEG)


@dataclass(frozen=True)
class Region:
    """A part of the film, in pixels of the upright frames, right and bottom exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int

    @classmethod
    def parse(cls, text: str) -> Region:
        """Reads "x1,y1,x2,y2".

        Raises:
            UsageError: It is not that, or empty.
        """
        try:
            x1, y1, x2, y2 = (int(part) for part in text.split(","))
        except ValueError:
            raise UsageError(f"roi must be four whole numbers x1,y1,x2,y2, not {text!r}.") from None
        if not (0 <= x1 < x2 and 0 <= y1 < y2):
            raise UsageError(f"roi {text} is empty or starts outside: x1 < x2, y1 < y2, none below 0.")
        return cls(x1, y1, x2, y2)


class Preparer:
    """Prepares the frames of one source.

    Args:
        source: Where they come from.
        formats: Names of the pixel formats that can be encoded, the preferred first; at least one of `PLANAR`.
        roi: The part that is kept; None keeps all.

    Attributes:
        format: Name of the pixel format of what comes out.
        width: Of what is kept, in pixels.
        height: Of what is kept, in pixels.

    Raises:
        UsageError: The region lies outside the film.
    """

    def __init__(self, source: Source, formats: tuple[str, ...], roi: Region | None) -> None:
        first = source.first
        self.source, self.turns = source, source.turns
        self.format = choose_format(first, formats, bool(self.turns % 2))
        self.full = first.color_range == FULL or first.format.name.startswith("yuvj")
        self.rgb = first.format.is_rgb or first.format.name == "pal8"
        chroma = VideoFrame(16, 16, self.format).planes[1]
        self.sub = (16 // chroma.width, 16 // chroma.height)
        whole = Region(0, 0, source.width, source.height)
        self.region = aligned(roi, whole, self.sub) if roi else whole
        self.width, self.height = self.region.x2 - self.region.x1, self.region.y2 - self.region.y1
        self.padded = (
            -(-self.width // self.sub[0]) * self.sub[0],
            -(-self.height // self.sub[1]) * self.sub[1],
        )
        self.as_read = not self.turns and self.region == whole and self.padded == (self.width, self.height)
        self.reformatter = VideoReformatter()

    def prepare(self, image: VideoFrame, index: int) -> Frame:
        """One frame as it is worked on."""
        pts = image.pts or 0
        source = self.source
        ready = self.converted(image)
        if not self.as_read:
            ready = self.upright(ready)
        time = float(pts * source.time_base - source.offset)
        return Frame(index, pts, time, image.duration or 0, ready, self.width, self.height)

    def converted(self, image: VideoFrame) -> VideoFrame:
        """The frame in our pixel format, at the size of the first frame, in the same range and colours."""
        first = self.source.first
        levels = FULL if self.full else int(ColorRange.MPEG)
        return self.reformatter.reformat(
            image,
            first.width,
            first.height,
            self.format,
            dst_colorspace=int(Colorspace.ITU709) if self.rgb else None,
            src_color_range=FULL if self.rgb else levels,
            dst_color_range=levels,
            threads=1,
        )

    def upright(self, image: VideoFrame) -> VideoFrame:
        """Turned, cut to the region, and the last row and column repeated where a side is odd."""
        result = VideoFrame(self.padded[0], self.padded[1], self.format)
        region = self.region
        for number, (plane, target) in enumerate(zip(planes_of(image), planes_of(result), strict=True)):
            sx, sy = self.sub if number else (1, 1)
            turned = np.rot90(plane, self.turns)
            part = turned[region.y1 // sy : -(-region.y2 // sy), region.x1 // sx : -(-region.x2 // sx)]
            height, width = part.shape
            target[:height, :width] = part
            target[height:] = target[height - 1]
            target[:, width:] = target[:, width - 1 : width]
        result.color_range, result.colorspace = image.color_range, image.colorspace
        return result


def small_picture(frame: Frame, size: tuple[int, int], reformatter: VideoReformatter) -> Picture:
    """The frame scaled to (width, height) in BGR, as the network sees it."""
    bgr = reformatter.reformat(
        frame.image,
        size[0],
        size[1],
        "bgr24",
        interpolation="AREA",
        src_color_range=frame.image.color_range,
        dst_color_range=FULL,
        threads=1,
    )
    return Picture(bgr_pixels(bgr), frame.width, frame.height)


def bgr_pixels(image: VideoFrame) -> NDArray[np.uint8]:
    """The pixels of a bgr24 frame, uint8 (h, w, 3)."""
    plane = image.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(image.height, -1)  # type: ignore[call-overload]
    return np.ascontiguousarray(rows[:, : image.width * 3]).reshape(image.height, image.width, 3)


def choose_format(first: VideoFrame, formats: tuple[str, ...], turned: bool) -> str:
    """The source's own pixel format where it can be encoded, else the nearest."""
    own = first.format.name.replace("yuvj", "yuv")
    usable = [name for name in formats if name in PLANAR and not (turned and "422" in name)]
    if own in usable:
        return own
    deep = max(part.bits for part in first.format.components) > 8
    order = ("yuv420p10le", "yuv422p10le", "yuv444p10le") if deep else ()
    return next((name for name in (*order, *PLANAR) if name in usable), usable[0])


def aligned(roi: Region, whole: Region, sub: tuple[int, int]) -> Region:
    """The region within the film, its left and top moved out to where the chroma planes can be cut."""
    if roi.x1 >= whole.x2 or roi.y1 >= whole.y2:
        raise UsageError(
            f"roi {roi.x1},{roi.y1},{roi.x2},{roi.y2} lies outside the film of {whole.x2}x{whole.y2} pixels."
        )
    return Region(
        roi.x1 // sub[0] * sub[0], roi.y1 // sub[1] * sub[1], min(roi.x2, whole.x2), min(roi.y2, whole.y2)
    )
