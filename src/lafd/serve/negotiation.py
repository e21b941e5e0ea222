"""The form of an answer, as the header `Accept` asks for it."""

from __future__ import annotations

from collections.abc import Sequence


def choose(accept: str, offers: Sequence[str]) -> str | None:
    """The offered media type that the client likes best; of equals the first offered, None if it accepts none.

    Args:
        accept: Value of the header; empty accepts everything.
        offers: Media types in lower case, the service's favourite first.
    """
    ranges = [parsed(part) for part in accept.lower().split(",") if part.strip()] or [("*/*", 1.0)]
    liking = {offer: quality(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: liking[offer])
    return best if liking[best] > 0 else None


def parsed(media_range: str) -> tuple[str, float]:
    """A range as ("image/*", 0.8); a quality that is no number counts as 0."""
    kind, *parameters = (part.strip() for part in media_range.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, min(1.0, max(0.0, float(value)))
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """How much the most specific range that matches likes the offer, 0 to 1."""
    for pattern in (offer, offer.partition("/")[0] + "/*", "*/*"):
        for kind, liking in ranges:
            if kind == pattern:
                return liking
    return 0.0
