"""The page that finds faces in the browser: its files, and writing them out for any static host."""

from __future__ import annotations

import functools
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from lafd import models
from lafd.files import make_folder, replacing

PAGE = Path(__file__).parent / "page"

# Threads in the browser need the first two; the rest keeps the page to itself.
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self'; "
        "img-src 'self' blob:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

# The system's table of types is not to be trusted: on Windows the registry decides.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
}


@dataclass(frozen=True)
class Asset:
    """One file of the page: its content and its media type."""

    content: bytes
    media_type: str


def names() -> list[str]:
    """The files of the page as relative URLs, "index.html" last."""
    files = [path.relative_to(PAGE) for path in PAGE.rglob("*") if path.is_file()]
    page = [(path.with_suffix(".gz") if path.suffix == ".xz" else path).as_posix() for path in files]
    weights = [f"models/{name}{ending}" for name in models.shipped_models() for ending in (".onnx", ".json")]
    return sorted([*page, *weights, "models.json"], key=lambda name: (name == "index.html", name))


def read(name: str) -> Asset | None:
    """Reads a file of the page; None when there is no such file.

    Args:
        name: Relative URL, as in `names`; the empty one is "index.html".
    """
    name = name or "index.html"
    if name not in names():
        return None
    if name == "models.json":
        return Asset(models_list(), MEDIA_TYPES[".json"])
    media_type = MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    if name.endswith(".gz"):
        return Asset(gzipped(name), media_type)
    folder, _, file = name.partition("/")
    path = models.WEIGHTS / file if folder == "models" else PAGE / name
    return Asset(path.read_bytes(), media_type)


@functools.cache
def gzipped(name: str) -> bytes:
    """A file of the page that browsers unpack; the package holds it as xz, which they cannot, a third smaller."""
    import lzma  # some builds of Python lack it; the service needs this module for more than the page

    return gzip.compress(lzma.decompress((PAGE / name).with_suffix(".xz").read_bytes()), 6, mtime=0)


def models_list() -> bytes:
    """What the page must know of each model, the default one first."""
    fields = ("name", "description", "size", "confidence", "iou")
    cards = [models.read_card(models.WEIGHTS / f"{name}.onnx") for name in models.shipped_models()]
    return json.dumps([{field: getattr(card, field) for field in fields} for card in cards]).encode()


def export(folder: Path) -> int:
    """Writes the page as plain files, models included, and returns how many; other files in the folder stay.

    Raises:
        LafdError: The folder or a file cannot be written.
    """
    count = 0
    for name in names():
        asset = read(name)
        assert asset is not None
        path = folder / name
        make_folder(path.parent)
        with replacing(path) as temporary:
            temporary.write_bytes(asset.content)
        count += 1
    return count
