"""Reading any detector's boxes from JSON lines, as `lafd detect --format jsonl` writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from lafd.detections import Detections
from lafd.errors import LafdError
from lafd.training.samples import Sample


def read_detections(path: Path, samples: Sequence[Sample]) -> tuple[list[Detections], list[str]]:
    """Reads the boxes found in annotated pictures.

    A line belongs to the picture with whose name in the annotations its path ends, or which ends with its path.
    Lines about other pictures are left out.

    Args:
        path: JSON lines of {"path", "width", "height", "faces": [{"box": [x1, y1, x2, y2], "score"}, ...]}, or of
            {"path", "error"} for a picture that the detector could not read.
        samples: The annotated pictures.

    Returns:
        One `Detections` per sample, without boxes for a failed picture, and the errors.

    Raises:
        LafdError: The file is unreadable, has a line of another form, or has not one line for each picture.
    """
    names = [PurePath(sample.name) for sample in samples]
    by_name: dict[str, list[int]] = {}
    for number, annotated in enumerate(names):
        by_name.setdefault(annotated.name, []).append(number)
    found: dict[int, Detections] = {}
    errors = []
    for line, record in read_lines(path):
        name = PurePath(record["path"].replace("\\", "/"))
        candidates = [i for i in by_name.get(name.name, ()) if same_tail(names[i], name)]
        if len(candidates) > 1:
            raise LafdError(f"{path}, line {line}: {name} may be any of {len(candidates)} pictures.")
        for i in candidates:
            if i in found:
                raise LafdError(f"{path}, line {line}: a second line for {name}.")
            if "error" in record:
                errors.append(str(record["error"]))
                found[i] = detections_of({"faces": []}, samples[i].size)
            else:
                found[i] = checked(record, samples[i], f"{path}, line {line}")
    missing = [sample for i, sample in enumerate(samples) if i not in found]
    if missing:
        raise LafdError(
            f"{path}: {len(missing)} of {len(samples)} pictures have no line, the first is {missing[0].path}."
        )
    return [found[i] for i in range(len(samples))], errors


def read_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The records with their line numbers."""
    records = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LafdError(f"{path}: cannot be read ({error}).") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("path"), str) or "frame" in record:
            raise LafdError(f"{path}, line {number}: not a line of lafd detect --format jsonl.")
        records.append((number, record))
    return records


def same_tail(a: PurePath, b: PurePath) -> bool:
    """Whether two paths agree in all the parts that both have, from the right."""
    count = min(len(a.parts), len(b.parts))
    return a.parts[-count:] == b.parts[-count:]


def checked(record: dict[str, Any], sample: Sample, where: str) -> Detections:
    """One line's boxes.

    Raises:
        LafdError: A field is missing or of the wrong kind, or the picture had another size.
    """
    try:
        size = (int(record["width"]), int(record["height"]))
        found = detections_of(record, size)
    except (KeyError, TypeError, ValueError):
        raise LafdError(f"{where}: not a line of lafd detect --format jsonl.") from None
    if size != sample.size:
        raise LafdError(
            f"{where}: the picture had {size[0]}x{size[1]} pixels, annotated are {sample.size[0]}x{sample.size[1]}."
        )
    if not (np.isfinite(found.boxes).all() and (found.scores >= 0).all() and (found.scores <= 1).all()):
        raise LafdError(f"{where}: a box is not a number, or a score is not between 0 and 1.")
    return found


def detections_of(record: dict[str, Any], size: tuple[int, int]) -> Detections:
    """A record's faces in a picture of (width, height), best score first."""
    boxes = np.array([face["box"] for face in record["faces"]], np.float32).reshape(-1, 4)
    scores = np.array([face["score"] for face in record["faces"]], np.float32)
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order], *size)
