"""What travels through the pipeline: one frame of a film with its faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from lafd.tracking import TrackedFaces


@dataclass(eq=False)
class Frame:
    """One frame, upright, in planar YUV.

    Attributes:
        index: Number of the frame in what is read, from 0.
        pts: Its presentation timestamp in the film's time base.
        time: The same in seconds from the film's start.
        duration: How long it is shown, in the film's time base; 0 if unknown.
        image: The pixels; the decoder may still refer to them: `image.make_writable()` before changing them.
        width: Of the film in pixels; the image can have a column more, because codecs want even sides.
        height: Of the film in pixels; as the width.
        starts_scene: Whether the frame before belongs to another scene.
        ends_scene: Whether the frame after does, or there is none.
        found: What was detected; None when this frame was not looked at.
        faces: What is shown: detected, or carried here from the frames around.
    """

    index: int
    pts: int
    time: float
    duration: int
    image: VideoFrame
    width: int
    height: int
    starts_scene: bool = False
    ends_scene: bool = False
    found: TrackedFaces | None = None
    faces: TrackedFaces | None = None

    @property
    def shown(self) -> TrackedFaces:
        """The faces, none if nothing has been decided yet."""
        return self.faces or self.found or TrackedFaces.none(self.width, self.height)


def planes_of(image: VideoFrame) -> list[NDArray[Any]]:
    """Views of the planes, uint8 or uint16 (h, w); the chroma planes may be smaller."""
    kind = np.dtype(np.uint8 if image.format.components[0].bits == 8 else np.uint16)
    views = []
    for plane in image.planes:
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)  # type: ignore[call-overload]
        views.append(rows[:, : plane.width])
    return views
