"""Scene cuts: where a frame has little in common with the one before."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from lafd.video.frame import planes_of

_SIZE = (32, 18)  # px; small enough that motion within a scene changes little
_LEAST = 14.0  # mean difference of a cut, on a scale of 255
_TIMES = 3.0  # a cut changes so many times more than the frames before it; a pan or a flicker does not


class CutFinder:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self.previous: NDArray[np.float32] | None = None
        self.changes: deque[float] = deque(maxlen=6)

    def is_cut(self, image: VideoFrame) -> bool:
        """Takes the next frame; says whether a new scene starts with it."""
        scale = 1 / 2 ** (image.format.components[0].bits - 8)
        small = [cv2.resize(plane, _SIZE, interpolation=cv2.INTER_AREA) for plane in planes_of(image)]
        now = np.stack(small).astype(np.float32) * np.float32(scale)
        now[1:] *= 2  # chroma spans less than luma, and a cut between two places of equal light shows there
        before, self.previous = self.previous, now
        if before is None:
            return False
        change = float(np.abs(now - before).mean())
        usual = float(np.mean(self.changes)) if self.changes else 0.0
        cut = change > max(_LEAST, _TIMES * usual)
        if cut:
            self.changes.clear()
        else:
            self.changes.append(change)
        return cut
