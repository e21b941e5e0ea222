"""The result of detection: faces as arrays, immutable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import supervision


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        box: (x1, y1, x2, y2) in pixels of the image, right and bottom exclusive.
        score: How sure the model is, in [0, 1].
    """

    box: tuple[float, float, float, float]
    score: float

    def to_dict(self) -> dict[str, Any]:
        """{"box": [x1, y1, x2, y2], "score": s}, rounded to 0.01 px and 0.0001, ready for JSON."""
        return {"box": [round(side, 2) for side in self.box], "score": round(self.score, 4)}


@dataclass(frozen=True, eq=False)
class Detections:
    """The faces of one image, best score first.

    Attributes:
        boxes: float32 (n, 4), xyxy in pixels of the image, right and bottom exclusive, inside the image.
        scores: float32 (n,), in [0, 1], descending.
        width: Width of the image in pixels.
        height: Height of the image in pixels.

    Examples:
        >>> faces = Detections(np.array([[4, 4, 20, 24]], np.float32), np.array([0.9], np.float32), 32, 32)
        >>> len(faces), faces[0].box
        (1, (4.0, 4.0, 20.0, 24.0))
        >>> len(faces[faces.scores > 0.95])
        0
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.scores), 4):
            raise ValueError(
                f"boxes must be (n, 4) and scores (n,), not {self.boxes.shape} and {self.scores.shape}"
            )
        self.boxes.setflags(write=False)
        self.scores.setflags(write=False)

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Face]:
        for box, score in zip(self.boxes.tolist(), self.scores.tolist(), strict=True):
            yield Face((box[0], box[1], box[2], box[3]), score)

    def __getitem__(self, key: Any) -> Any:
        """A `Face` for an integer; `Detections` for a slice, a boolean mask (n,) or an array of indices."""
        if isinstance(key, (int, np.integer)):
            x1, y1, x2, y2 = self.boxes[key].tolist()
            return Face((x1, y1, x2, y2), float(self.scores[key]))
        return Detections(self.boxes[key], self.scores[key], self.width, self.height)

    @property
    def sizes(self) -> NDArray[np.float32]:
        """Longer side of each box in pixels, float32 (n,)."""
        longer: NDArray[np.float32] = (self.boxes[:, 2:] - self.boxes[:, :2]).max(1, initial=0)
        return longer

    def largest_first(self) -> Detections:
        """The same faces, largest area first."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        order = np.argsort(-sides.prod(1), kind="stable")
        return Detections(self.boxes[order], self.scores[order], self.width, self.height)

    def to_dict(self) -> dict[str, Any]:
        """{"width", "height", "faces": [{"box", "score"}, ...]}, ready for JSON."""
        return {"width": self.width, "height": self.height, "faces": [face.to_dict() for face in self]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Detections:
        """What `to_dict` gave."""
        faces = data["faces"]
        boxes = np.array([face["box"] for face in faces], np.float32).reshape(-1, 4)
        scores = np.array([face["score"] for face in faces], np.float32)
        return cls(boxes, scores, data["width"], data["height"])

    def to_supervision(self) -> supervision.Detections:
        """As `supervision.Detections`, with class id 0.

        Raises:
            ImportError: The package `supervision` is not installed.
        """
        try:
            import supervision
        except ImportError:
            raise ImportError(
                "to_supervision() needs the package supervision: pip install supervision"
            ) from None
        classes = np.zeros(len(self), int)
        return supervision.Detections(xyxy=self.boxes.copy(), confidence=self.scores.copy(), class_id=classes)
