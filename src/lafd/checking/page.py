"""The faults on one HTML page with their pictures, for the eyes of whoever has the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lafd.annotations import AnnotatedImage
from lafd.checking.faults import KINDS, PICTURE, Fault
from lafd.gallery import Exhibit, labels, write_page

PER_KIND = 100


def write_faults(folder: Path, faults: Sequence[Fault], images: Mapping[Path, AnnotatedImage]) -> Path:
    """Writes `index.html` into a folder, which Git is told to ignore.

    Args:
        folder: Made if it is not there.
        faults: All faults; the first ones of each kind are shown.
        images: The labels of each picture's file.

    Raises:
        LafdError: It cannot be written.
    """

    def sections() -> Iterator[tuple[str, list[Exhibit]]]:
        for kind, title in KINDS.items():
            of_kind = [fault for fault in faults if fault.kind == kind]
            shown = [exhibit for fault in of_kind[:PER_KIND] for exhibit in exhibits(fault, images)]
            first = f", the first {PER_KIND}" if len(of_kind) > PER_KIND else ""
            if of_kind:
                yield f"{title[0].upper()}{title[1:]}: {len(of_kind)}{first}", shown

    return write_page(folder, "Faults of labels", sections())


def exhibits(fault: Fault, images: Mapping[Path, AnnotatedImage]) -> Iterator[Exhibit]:
    """The pictures of a fault: none, one, or the two that are nearly the same."""
    captions = ((fault.path, fault.text), (fault.other, "and this one"))
    box = None if fault.box is None else np.array(fault.box, np.float32)
    for path, caption in captions:
        if path is not None and fault.kind != PICTURE:
            image = images[path]
            yield Exhibit(path, caption, labels(image.boxes, image.ignore), box)
        elif path is not None:
            yield Exhibit(path, caption)
