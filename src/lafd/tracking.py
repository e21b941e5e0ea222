"""Faces through time: the same face keeps its id from frame to frame (extra `video`).

The association is ByteTrack's, from the package cjm-byte-track: it needs no more than numpy and scipy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lafd.boxes import iou
from lafd.detections import Detections
from lafd.errors import UsageError

WEAK = 0.5  # of the confidence: a face that has been seen may become so unlikely and is still followed
_STEP = 0.1  # ByteTrack starts a track at its threshold plus this
_BUFFER = 0.5  # of a box's sides, added on every side for the association: faces that move fast still overlap
_KEPT = 64  # ended tracks that ByteTrack has to remember for a moment; it never forgets any by itself


@dataclass(frozen=True, eq=False)
class TrackedFaces:
    """The faces of one frame.

    Attributes:
        detections: Boxes and scores.
        ids: int64 (n,), the face's number in the film from 1; None if faces are not tracked.
    """

    detections: Detections
    ids: NDArray[np.int64] | None = None

    @classmethod
    def none(cls, width: int, height: int) -> TrackedFaces:
        """No faces in a frame of this size in pixels."""
        empty = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), width, height)
        return cls(empty, np.zeros(0, np.int64))


class Tracker:
    """Gives ids to the faces of one film.

    Args:
        confidence: Least score that starts a track, in [0, 1]; `update` should be given weaker faces too, down to
            `WEAK` times this, which may continue a track.
        patience: A face that is missing for more updates than this comes back with a new id.

    Raises:
        UsageError: The package is not installed.
    """

    def __init__(self, confidence: float, patience: int) -> None:
        try:
            from cjm_byte_track.core import BYTETracker
            from scipy.optimize import linear_sum_assignment
        except ImportError:
            raise UsageError("tracking needs the package cjm-byte-track: pip install 'lafd[video]'") from None
        self._make, self._assign = BYTETracker, linear_sum_assignment
        self._confidence, self._patience = confidence, patience
        self._ids: dict[int, int] = {}
        self.reset()

    def reset(self) -> None:
        """Forgets every face, at a scene cut say; ids go on counting."""
        from cjm_byte_track.basetrack import BaseTrack

        counted = BaseTrack._count
        threshold = self._confidence - _STEP - 1e-6
        self._tracker = self._make(track_thresh=threshold, track_buffer=self._patience, match_thresh=0.8)
        BaseTrack._count = counted  # the constructor sets it back for all trackers of the process

    def update(self, faces: Detections) -> TrackedFaces:
        """Takes the faces of the next frame; returns those that belong to a track, with their ids."""
        wide = buffered(faces.boxes)
        rows = np.column_stack([wide, faces.scores]).astype(np.float64)
        self._tracker.update(rows, (1, 1), (1, 1))
        del self._tracker.removed_stracks[:-_KEPT]
        tracks = [t for t in self._tracker.tracked_stracks if t.frame_id == self._tracker.frame_id]
        # ByteTrack has filtered boxes; ours are smoothed later, with the future known, so take what was detected
        filtered = np.array([track.tlbr for track in tracks], np.float32).reshape(-1, 4)
        overlap = iou(filtered, wide)
        rows_of, columns = self._assign(-overlap)
        pairs = [
            (column, tracks[row].track_id)
            for row, column in zip(rows_of, columns, strict=True)
            if overlap[row, column] > 0
        ]
        pairs.sort()
        ids = [self._ids.setdefault(raw, len(self._ids) + 1) for _, raw in pairs]
        kept = np.array([column for column, _ in pairs], np.intp)
        return TrackedFaces(faces[kept], np.array(ids, np.int64))


def buffered(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The boxes (n, 4) with a margin (the buffered IoU of Yang et al., 2023)."""
    sides = (boxes[:, 2:] - boxes[:, :2]) * np.float32(_BUFFER)
    return np.concatenate([boxes[:, :2] - sides, boxes[:, 2:] + sides], 1)
