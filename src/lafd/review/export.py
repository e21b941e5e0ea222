"""Writing what was decided as annotations, in any format."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

from lafd.annotations import AnnotatedImage, Dataset, write_annotations
from lafd.annotations.writing import safe_name
from lafd.review.schema import State
from lafd.review.session import Session
from lafd.review.sources import Output

_PER_PICTURE = {"yolo": ("labels", ".txt"), "voc": ("Annotations", ".xml"), "labelme": ("", ".json")}
STATUS = "review"  # the attribute of pictures that has their status


@dataclass(frozen=True)
class Written:
    """What was written: how many pictures and boxes, and what was not, one sentence each."""

    path: str
    pictures: int
    boxes: int
    left_out: list[str]


def export(session: Session, output: Output) -> Written:
    """Writes the annotations; rejected pictures are left out.

    Boxes of accepted pictures have no score: a person stands behind them. The attribute `review` of every picture is
    its status.

    Raises:
        LafdError: A file cannot be written.
    """
    with session.lock:
        states = list(session.states)
        session.exported = True
    try:
        return write(session.project.dataset, states, output)
    except Exception:
        session.exported = False
        raise


def write(dataset: Dataset, states: list[State], output: Output) -> Written:
    """Writes the states of a data set's pictures."""
    kept: list[AnnotatedImage] = []
    rejected: list[AnnotatedImage] = []
    for image, state in zip(dataset.images, states, strict=True):
        boxes = tuple(box.annotation(scored=state.status != "accepted") for box in state.boxes)
        attributes = {**image.attributes, STATUS: state.status}
        reviewed = dataclasses.replace(image, annotations=boxes, attributes=attributes)
        (rejected if state.status == "rejected" else kept).append(reviewed)
    reviewed_set = dataclasses.replace(dataset, images=tuple(kept))
    left_out = write_annotations(reviewed_set, output.path, output.format_name)
    if output.format_name in _PER_PICTURE:  # an earlier export may have written them
        folder, ending = _PER_PICTURE[output.format_name]
        for image in rejected:
            with contextlib.suppress(OSError):
                (output.path / folder / safe_name(image.name)).with_suffix(ending).unlink()
    if rejected:
        left_out.insert(0, f"{len(rejected)} rejected pictures are left out.")
    boxes_written = sum(len(image.annotations) for image in kept)
    return Written(str(output.path), len(kept), boxes_written, left_out)
