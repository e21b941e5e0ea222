"""The worst errors as one HTML page, for the eyes of whoever has the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lafd.evaluation.average_precision import Judged, match
from lafd.evaluation.errors import SAME, Error, count_causes, find_errors
from lafd.gallery import FOUND, Exhibit, labels, write_page
from lafd.training.samples import Sample

PER_CAUSE = 60


def write_gallery(
    folder: Path, samples: Sequence[Sample], judged: Sequence[Judged], threshold: float
) -> Path:
    """Writes `index.html` into a folder, which Git is told to ignore.

    Raises:
        LafdError: It cannot be written.
    """
    errors = find_errors(judged, match(judged, SAME), threshold)

    def sections() -> Iterator[tuple[str, list[Exhibit]]]:
        for cause, count in count_causes(errors).items():
            worst = worst_of([error for error in errors if error.cause == cause], samples)
            shown = f", the worst {len(worst)}" if len(worst) < count else ""
            exhibits = [exhibit(e, samples[e.picture], judged[e.picture], threshold) for e in worst]
            yield f"{cause.capitalize()}: {count}{shown}", exhibits

    return write_page(folder, "Worst errors", sections())


def worst_of(errors: Sequence[Error], samples: Sequence[Sample]) -> list[Error]:
    """The surest false positives, or the missed faces that are largest in their picture."""

    def badness(error: Error) -> float:
        if error.cause.startswith("false positive"):
            return error.score
        return float((error.box[2:] - error.box[:2]).max() / max(samples[error.picture].size))

    return sorted(errors, key=badness, reverse=True)[:PER_CAUSE]


def exhibit(error: Error, sample: Sample, judged: Judged, threshold: float) -> Exhibit:
    """One error, with the labels and the detections from the threshold on."""
    return Exhibit(
        sample.path,
        f"{sample.path.parent.name}/{sample.path.name}: {error.score:.2f}; {', '.join(sample.tags)}",
        (
            *labels(judged.labels, judged.ignore),
            (judged.boxes[judged.scores >= threshold], FOUND),
        ),
        error.box,
    )
