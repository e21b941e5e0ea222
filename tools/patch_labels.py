"""Applies a patch of labels to a COCO file: boxes are moved, added or ignored, hard pictures get a tag.

Usage: python tools/patch_labels.py DATA.json PATCH.json OUT.json

`models/labels.patch.json` has, by file name, boxes [x, y, width, height] and pictures, in five parts:

- `ignore`: detections that no label answers for and nobody can decide, most of them under 24 px.
- `not_faces`: labels that are no faces.
- `moved`: pairs of a label and its better place. Boxes drawn by hand lay half a face beside it now and then, those of
  small faces most; the models, run over enlarged views of the place, were nearer to it.
- `faces`: faces without a label.
- `hard`: pictures with a labelled face that scored under 0.4.

OUT must lie beside DATA: the pictures are named relative to it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

SAME = 1.0  # px; the patch has rounded boxes


def same(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two boxes are one."""
    return max(abs(p - q) for p, q in zip(a, b, strict=True)) < SAME


def main(data_path: Path, patch_path: Path, out: Path) -> None:
    """Writes the patched file."""
    data, patch = (json.loads(path.read_text(encoding="utf-8")) for path in (data_path, patch_path))
    images = {image["file_name"]: image for image in data["images"]}
    names = {image["id"]: image["file_name"] for image in data["images"]}
    for annotation in data["annotations"]:
        name, label = names[annotation["image_id"]], annotation["bbox"]
        if any(same(label, box) for box in patch["not_faces"].get(name, ())):
            annotation["iscrowd"] = 1
        for box in [new for old, new in patch["moved"].get(name, ()) if same(label, old)]:
            annotation |= {"bbox": box, "area": box[2] * box[3]}
    number = max(annotation["id"] for annotation in data["annotations"])
    for kind, crowd in (("ignore", 1), ("faces", 0)):
        for name, box in [(name, box) for name, boxes in patch[kind].items() for box in boxes]:
            number += 1
            added = {"id": number, "image_id": images[name]["id"], "category_id": 1, "origin": kind}
            data["annotations"].append(added | {"bbox": box, "area": box[2] * box[3], "iscrowd": crowd})
    for name in patch["hard"]:
        images[name]["tags"].append("hard")
    out.write_text(json.dumps(data), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
