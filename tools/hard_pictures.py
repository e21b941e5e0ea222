"""Gives the tag "unsure" to the pictures of a COCO file on which a model is not sure of the labels.

Usage: python tools/hard_pictures.py DATA.json MODEL OUT.json

Unsure is a labelled face without a detection of a score of 0.5, or a detection above 0.4 that no label answers for.
With `lafd train --repeat unsure=3` such pictures are shown more often than those that the model has long learnt. OUT
must lie beside DATA: the pictures are named relative to it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lafd import Detector, Options, boxes
from lafd.files import replacing
from lafd.training.samples import Sample, read_samples

SURE_FACE, SURE_BACKGROUND = 0.5, 0.4
SAME = 0.5  # IoU
COVERED = 0.5  # of a detection by an ignore region


def unsure(detector: Detector, sample: Sample) -> bool:
    """Whether the model contradicts the labels, or nearly."""
    found = detector.detect(sample.path, Options(confidence=SURE_BACKGROUND))
    labels, regions = sample.boxes[~sample.ignore], sample.boxes[sample.ignore]
    overlap = boxes.iou(found.boxes, labels) >= SAME
    seen = (overlap & (found.scores >= SURE_FACE)[:, None]).any(0)
    ignored = boxes.coverage(found.boxes, regions).max(1, initial=0) >= COVERED
    return not seen.all() or bool((~overlap.any(1) & ~ignored).any())


def main(data_path: Path, model: str, out: Path) -> None:
    """Writes the tagged file."""
    detector = Detector(model, threads=1)
    names = {sample.name for sample in read_samples(data_path) if unsure(detector, sample)}
    data = json.loads(data_path.read_text(encoding="utf-8"))
    for image in data["images"]:
        if image["file_name"] in names:
            image["tags"] = [*(image.get("tags") or ()), "unsure"]
    with replacing(out) as temporary:
        temporary.write_text(json.dumps(data), encoding="utf-8")
    print(f"{len(names)} of {len(data['images'])} pictures are unsure")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
