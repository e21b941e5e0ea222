"""Writes requirements.lock, every package of '.[all,test]' with its hashes, and constraints.txt, the same without them.

Run it after a change of the dependencies: `python tools/lock.py`, or `python tools/lock.py --upgrade` for the newest
versions. It needs uv (`pip install uv`). What is pinned already stays as it is unless the bounds forbid it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK, CONSTRAINTS = ROOT / "requirements.lock", ROOT / "constraints.txt"
CUDA = re.compile(r"(cuda|nvidia)-|triton\b")  # what torch's default build for Linux needs and its CPU build does not
HEADER = "# Made by tools/lock.py. {}\n"


def resolve(*options: str) -> list[str]:
    """Entries of the lock, each the lines of one package; for Python 3.11 and later, all systems."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--extra", "all", "--extra", "test", "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header"]
    command += ["--constraints", str(CONSTRAINTS)] if not options else list(options)
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not CUDA.match(entry)]


def hash_of_cpu_build(version: str) -> str:
    """The hash of the build of torch that pip takes here: on Linux the CPU build, which the registry does not list."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--no-deps"]
    command += ["--report", "-", f"torch=={version}"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    (taken,) = report["install"]
    return str(taken["download_info"]["archive_info"]["hash"]).replace("=", ":")


def main() -> None:
    """Resolves and writes both files."""
    entries = resolve(*sys.argv[1:])
    at = next(i for i, entry in enumerate(entries) if entry.startswith("torch=="))
    version = re.match(r"torch==(\S+)", entries[at])
    assert version is not None
    extra = hash_of_cpu_build(version[1])
    if extra not in entries[at]:
        first, _, rest = entries[at].partition("\n")
        entries[at] = f"{first}\n    --hash={extra} \\\n{rest}"
    pins = [re.sub(r"\s*\\$", "", entry.splitlines()[0]) for entry in entries]
    LOCK.write_text(HEADER.format("pip install --no-deps --require-hashes -r requirements.lock") + "\n".join(entries) + "\n")
    CONSTRAINTS.write_text(HEADER.format("The versions of requirements.lock.") + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
