"""The best pictures of every face: one folder per track, the sharpest of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lafd.files import make_folder
from lafd.images import save_image
from lafd.video.frame import Frame, planes_of
from lafd.video.picture import FULL, bgr_pixels

_AROUND = 0.2  # of a face's sides, kept on every side
_APART = 0.5  # s between two pictures of one face, so that they differ
_GONE = 5.0  # s without a face after which its pictures are written
_SIDE = 96  # px at which sharpness is measured


@dataclass
class Shot:
    """A picture of a face that may be kept."""

    sharpness: float
    time: float
    index: int
    pixels: NDArray[np.uint8]


@dataclass
class Album:
    """The best pictures of one track so far."""

    shots: list[Shot] = field(default_factory=list)
    last_seen: float = 0.0


class Crops:
    """Writes DIR/face-0001/frame-000123.png and so on.

    Args:
        folder: Is made if it is not there.
        count: Pictures of each face at most.

    Raises:
        LafdError: The folder cannot be made.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.albums: dict[int, Album] = {}
        self.reformatter = VideoReformatter()
        make_folder(folder)

    def write(self, frame: Frame) -> None:
        """Looks at the faces of a frame."""
        shown = frame.shown
        assert shown.ids is not None
        bgr: NDArray[np.uint8] | None = None
        luma = planes_of(frame.image)[0]
        for track, box in zip(shown.ids.tolist(), shown.detections.boxes, strict=True):
            album = self.albums.setdefault(track, Album())
            album.last_seen = frame.time
            quality = sharpness(luma, box)
            rival = self.rival(album, frame.time)
            if rival is not None and rival.sharpness >= quality:
                continue
            if bgr is None:
                bgr = self.bgr(frame)
            if rival is not None:
                album.shots.remove(rival)
            album.shots.append(Shot(quality, frame.time, frame.index, cut_out(bgr, box)))
        for track in [t for t, album in self.albums.items() if frame.time - album.last_seen > _GONE]:
            self.save(track)

    def rival(self, album: Album, time: float) -> Shot | None:
        """The shot that a new one has to beat: one of about the same time, or the worst of a full album."""
        near = [shot for shot in album.shots if abs(shot.time - time) < _APART]
        if not near and len(album.shots) < self.count:
            return None
        return max(near, key=_quality) if near else min(album.shots, key=_quality)

    def close(self) -> None:
        """Writes what is left."""
        for track in list(self.albums):
            self.save(track)

    def finish(self) -> None:
        """Writes what is left."""
        self.close()

    def abandon(self) -> None:
        """Leaves what has been written."""
        self.albums.clear()

    def save(self, track: int) -> None:
        """Writes the pictures of a face that has gone."""
        folder = self.folder / f"face-{track:04d}"
        make_folder(folder)
        for shot in self.albums.pop(track).shots:
            save_image(folder / f"frame-{shot.index:06d}.png", shot.pixels)

    def bgr(self, frame: Frame) -> NDArray[np.uint8]:
        """The whole frame, uint8 (h, w, 3)."""
        levels = frame.image.color_range
        image = self.reformatter.reformat(
            frame.image, format="bgr24", src_color_range=levels, dst_color_range=FULL, threads=1
        )
        return bgr_pixels(image)[: frame.height, : frame.width]


def _quality(shot: Shot) -> float:
    return shot.sharpness


def sharpness(luma: NDArray[Any], box: NDArray[np.float32]) -> float:
    """How sharp a face is: the variance of its Laplacian at a common size, so that enlarged faces count less."""
    x1, y1, x2, y2 = (max(0, round(float(side))) for side in box)
    face = luma[y1:y2, x1:x2]
    if min(face.shape, default=0) < 2:
        return 0.0
    method = cv2.INTER_LINEAR if max(face.shape) < _SIDE else cv2.INTER_AREA
    same = cv2.resize(face, (_SIDE, _SIDE), interpolation=method)
    return float(cv2.Laplacian(same.astype(np.float32), cv2.CV_32F).var())


def cut_out(bgr: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A copy of the face with a margin."""
    x1, y1, x2, y2 = (float(side) for side in box)
    dx, dy = _AROUND * (x2 - x1), _AROUND * (y2 - y1)
    top, left = max(0, round(y1 - dy)), max(0, round(x1 - dx))
    return bgr[top : round(y2 + dy) + 1, left : round(x2 + dx) + 1].copy()
