"""Listing pictures: from the files, folders and patterns that a user names to the pictures they hold."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lafd.errors import UsageError

IMAGE_ENDINGS = frozenset(
    {".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"}
    | {".pbm", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".tga", ".tif", ".tiff", ".webp"}
)

_log = logging.getLogger(__name__)


def list_images(paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Lists the pictures of files, folders and patterns, in the order given and each once.

    A file is taken as it is, whatever its ending. A folder is walked with its subfolders: files with a known
    picture ending, sorted by name, a folder's own files before its subfolders. Hidden files and folders are
    left out. Links are followed, and a folder is read once however many links lead to it. What does not exist
    is taken as a pattern with *, ?, [ ] and ** and stands for the pictures and folders that match it.

    Paths are checked at the call, before the first picture; folders are read while the result is consumed.

    Returns:
        An iterator of paths; it raises UsageError at its start if there is no picture at all.

    Raises:
        UsageError: A path does not exist, or nothing matches a pattern.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    roots = [root for path in paths for root in _resolve(path)]
    return _walk(roots)


def _resolve(name: str | os.PathLike[str]) -> list[Path]:
    """The path itself if it exists, or what matches it as a pattern."""
    if not os.fspath(name):
        raise UsageError("a path is empty: give a file, a folder or a pattern.")
    path = Path(name)
    try:
        if path.exists():
            return [path]
    except OSError as error:
        raise UsageError(f"cannot look for {path}: {error.strerror}.") from error
    magic = [i for i, part in enumerate(path.parts) if any(letter in part for letter in "*?[")]
    if not magic:
        raise UsageError(f"{path} does not exist.")
    base = Path(*path.parts[: magic[0]])
    try:
        matches = sorted(base.glob(str(Path(*path.parts[magic[0] :]))))
    except ValueError as error:
        raise UsageError(f"{path} is not a pattern: {error}.") from error
    found = [
        match
        for match in matches
        if not any(part.startswith(".") for part in match.parts[magic[0] :])
        and (match.is_dir() or _is_image_name(match.name))
    ]
    if not found:
        raise UsageError(f"{path} does not exist, and as a pattern it matches no picture.")
    return found


def _walk(roots: list[Path]) -> Iterator[Path]:
    folders: set[tuple[int, int]] = set()
    files: set[str] = set()
    found = False
    for root in roots:
        for path in _files(root, folders):
            found = True
            if len(roots) > 1:  # one root holds no file twice, and a million names take memory
                name = str(path.absolute())
                if name in files:
                    continue
                files.add(name)
            yield path
    if not found:
        place = roots[0] if len(roots) == 1 else f"the {len(roots)} paths given"
        raise UsageError(f"there are no pictures in {place}.")


def _files(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """The root if it is a file, or the pictures below it; `seen` are the folders read so far."""
    if not root.is_dir():
        yield root
        return
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            names, subfolders = _read_folder(folder, seen)
        except OSError as error:
            _log.warning("skipped folder %s: %s", folder, error.strerror or error)
            continue
        for name in names:
            yield folder / name
        pending.extend(folder / name for name in reversed(subfolders))


def _read_folder(folder: Path, seen: set[tuple[int, int]]) -> tuple[list[str], list[str]]:
    """Names of a folder's pictures and of its subfolders, both sorted; none if the folder is in `seen`."""
    status = folder.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return [], []
    seen.add(identity)
    names: list[str] = []
    subfolders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                subfolders.append(entry.name)
            elif _is_image_name(entry.name) and entry.is_file():
                names.append(entry.name)
    return sorted(names), sorted(subfolders)


def _is_image_name(name: str) -> bool:
    _, dot, ending = name.rpartition(".")
    return dot + ending.lower() in IMAGE_ENDINGS
