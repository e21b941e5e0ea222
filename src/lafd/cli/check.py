"""`lafd check`: faults of annotated pictures, before they are trained on."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lafd import images
from lafd.annotations import read_annotations
from lafd.checking.duplicates import NEAR, near_pairs, picture_hash
from lafd.checking.faults import KINDS, PICTURE, SAME_PICTURE, UNUSABLE, Fault, find_faults
from lafd.errors import LafdError
from lafd.files import replacing

SHOWN = 5  # of a kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "data", nargs="+", type=Path, metavar="DATA", help="annotations of any format; one per split"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all faults into FILE")


def run(arguments: argparse.Namespace) -> int:
    """Checks, prints, and returns 1 when there are faults that make data unusable."""
    faults: list[Fault] = []
    pictures: list[tuple[Path, Path]] = []
    for path in arguments.data:
        dataset = read_annotations(path)
        faults += find_faults(path, dataset)
        pictures += [(path, dataset.path(image)) for image in dataset.images]
    faults += near_duplicates(pictures)
    faults = list(dict.fromkeys(faults))
    for kind in KINDS:
        texts = [fault.text for fault in faults if fault.kind == kind]
        print(f"{kind}: {len(texts)}", *texts[:SHOWN], sep="\n  ")
    if arguments.json:
        content = {kind: [fault.text for fault in faults if fault.kind == kind] for kind in KINDS}
        with replacing(arguments.json) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(fault.kind in UNUSABLE for fault in faults))


def near_duplicates(pictures: list[tuple[Path, Path]]) -> list[Fault]:
    """Pictures that are nearly the same, and those whose pixels cannot be read; pictures are (annotations, file)."""
    faults, hashes, known = [], [], []
    for split, path in tqdm(pictures, unit=" pictures", disable=not sys.stderr.isatty(), dynamic_ncols=True):
        if not path.is_file():
            continue
        try:
            hashes.append(picture_hash(images.load_image(path)))
            known.append((split, path))
        except LafdError as error:
            faults.append(Fault(PICTURE, str(error)))
    for i, j, bits in near_pairs(np.array(hashes, np.uint16).reshape(-1, 16), NEAR):
        (split, path), (other_split, other) = known[i], known[j]
        across = "" if split == other_split else f", across {split} and {other_split}"
        faults.append(Fault(SAME_PICTURE, f"{path} and {other} ({bits} of 256 bits differ{across})."))
    return faults
