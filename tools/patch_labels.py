"""Applies a patch of labels to a COCO file: errors become ignore regions, hard pictures get a tag.

Usage: python tools/patch_labels.py DATA.json PATCH.json OUT.json

`models/labels.patch.json` was made with the first weights of `base`: detections above a score of 0.4 that no label
answers for and that are under 24 px; labels without a detection that are no faces, by eye; and pictures with a labelled
face that scored under 0.4. OUT must lie beside DATA:
the pictures are named relative to it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(data_path: Path, patch_path: Path, out: Path) -> None:
    """Writes the patched file."""
    data, patch = (json.loads(path.read_text(encoding="utf-8")) for path in (data_path, patch_path))
    images = {image["file_name"]: image for image in data["images"]}
    names = {image["id"]: image["file_name"] for image in data["images"]}
    number = max(annotation["id"] for annotation in data["annotations"])
    for name, boxes in patch["ignore"].items():
        for box in boxes:
            number += 1
            region = {
                "id": number,
                "image_id": images[name]["id"],
                "category_id": 1,
                "bbox": box,
                "iscrowd": 1,
            }
            data["annotations"].append(region | {"area": box[2] * box[3], "origin": "ignore"})
    for annotation in data["annotations"]:
        wrong = patch["not_faces"].get(names[annotation["image_id"]], ())
        if any(max(abs(a - b) for a, b in zip(annotation["bbox"], box, strict=True)) < 1 for box in wrong):
            annotation["iscrowd"] = 1
    for name in patch["hard"]:
        images[name]["tags"].append("hard")
    out.write_text(json.dumps(data), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
