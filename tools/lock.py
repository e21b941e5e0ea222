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
CUDA = re.compile(
    r"(cuda|nvidia)-|triton\b"
)  # what torch's default build for Linux needs and its CPU build does not
HEADER = "# Made by tools/lock.py. {}\n"


def resolve(*options: str) -> list[str]:
    """Entries of the lock, each the lines of one package; for Python 3.11 and later, all systems."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--extra", "all", "--extra", "test", "--quiet"]
    command += [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
    ]
    command += ["--constraints", str(CONSTRAINTS)] if not options else list(options)
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not CUDA.match(entry)]


def cpu_build(version: str) -> str:
    """The entry of torch for Linux: the CPU build that pip finds here, which the registry does not have."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--no-deps"]
    command += ["--report", "-", f"torch=={version}+cpu"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    (taken,) = report["install"]
    digest = taken["download_info"]["archive_info"]["hash"].replace("=", ":")
    return f"torch=={version}+cpu ; sys_platform == 'linux' \\\n    --hash={digest}"


def main() -> None:
    """Resolves and writes both files."""
    entries = resolve(*sys.argv[1:])
    pins = [re.sub(r"\s*\\$", "", entry.splitlines()[0]) for entry in entries]
    at = next(i for i, entry in enumerate(entries) if entry.startswith("torch=="))
    pin, _, hashes = entries[at].partition(" \\\n")
    entries[at] = f"{pin} ; sys_platform != 'linux' \\\n{hashes}"
    entries.insert(at, cpu_build(pin.removeprefix("torch==")))
    usage = "Use: pip install --no-deps --require-hashes -r requirements.lock"
    LOCK.write_text(HEADER.format(usage) + "\n".join(entries) + "\n", encoding="utf-8")
    CONSTRAINTS.write_text(
        HEADER.format("The versions of requirements.lock.") + "\n".join(pins) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
