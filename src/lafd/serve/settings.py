"""What the operator of a service decides, in one place."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from lafd.errors import UsageError
from lafd.models import DEFAULT_MODEL
from lafd.runtime import DEVICES

FULL_BODIES = 8  # bodies of the largest size that one process holds at once; beyond, requests are turned away
SHORTEST_KEY = 16  # characters


@dataclass(frozen=True)
class Settings:
    """How one worker process serves.

    Attributes:
        models: Names or paths of the models on offer, the default one first.
        device: Where they run, see `Detector`.
        threads: Threads that decode and detect.
        latency_budget: Seconds that a batch of pictures may take, which limits how many share one.
        max_queue: Pictures that may wait for a thread; when more come, they are turned away.
        max_body: Bytes of one request's body.
        max_pixels: Of one picture.
        max_pictures: Of one request.
        max_size: Longer side of the network's input in pixels.
        timeout: Seconds that one request may take, from its headers to its answer.
        key_digests: SHA-256 of the keys that open the service; empty lets everybody in.
        cors_origins: Origins of other sites' pages that may call the service.
        sandbox: Where pictures are decoded while it is entered; by default in the worker itself.

    Raises:
        UsageError: A value is out of its range.
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    device: str = "auto"
    threads: int = 1
    latency_budget: float = 0.1
    max_queue: int = 64
    max_body: int = 32 * 2**20
    max_pixels: int = 50_000_000
    max_pictures: int = 16
    max_size: int = 4096
    timeout: float = 30
    key_digests: tuple[bytes, ...] = ()
    cors_origins: tuple[str, ...] = ()
    sandbox: contextlib.AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise UsageError(f"unknown device {self.device!r}: choose one of {', '.join(DEVICES)}.")
        for name in ("threads", "max_body", "max_pixels", "max_pictures"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name.replace('_', ' ')} must be at least 1, not {getattr(self, name)}.")
        for name in ("latency_budget", "timeout"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise UsageError(
                    f"{name.replace('_', ' ')} must be a positive number of seconds, not {value}."
                )
        if not 32 <= self.max_size <= 16384:
            raise UsageError(f"max size must be between 32 and 16384 pixels, not {self.max_size}.")
        if self.max_queue < self.max_pictures:
            raise UsageError(
                f"max queue must be at least max pictures ({self.max_pictures}), not {self.max_queue}: "
                "else a full request could never be taken."
            )
        if "*" in self.cors_origins and self.key_digests:
            raise UsageError("with keys, name the CORS origins one by one instead of *.")

    @property
    def max_upload_memory(self) -> int:
        """Bytes of bodies that one process holds at once."""
        return FULL_BODIES * self.max_body


def digests(keys: Iterable[str]) -> tuple[bytes, ...]:
    """SHA-256 of each key, so that no key itself is kept or printed.

    Raises:
        UsageError: A key is too short to resist guessing, or not ASCII.
    """
    keys = list(keys)
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(
                f"API key {number} must have at least {SHORTEST_KEY} printable ASCII characters and no spaces; "
                "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
    return tuple(hashlib.sha256(key.encode()).digest() for key in keys)
