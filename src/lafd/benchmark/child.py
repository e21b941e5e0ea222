"""One contestant in a process of its own: python child.py THREADS ADAPTER.py ARGUMENTS...

It imports neither lafd nor anything else that is not in every Python with NumPy, so that peers can run in environments
of their own. The adapter defines `contestant(arguments, threads)`, which returns a function that takes a picture, uint8
(h, w, 3) BGR, and returns the function to be timed.

Each line on standard input is the path of a picture as .npy. It runs twice; the first run brings back into the caches
what other contestants drove out. The answer is a line of JSON: the time of the second run and the processor's time for
it in milliseconds, and the most memory that the process has had in MiB (null where the system does not tell).
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def peak_memory() -> float | None:
    """The most memory that this process has had, in MiB."""
    status = Path("/proc/self/status")
    # Linux: getrusage begins with the peak of the process that started this one.
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM"):
            return round(int(line.split()[1]) / 2**10, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def load_adapter(path: Path) -> Any:
    """The module in a file."""
    sys.path[0] = str(path.parent)  # what lies beside the adapter, not beside this file
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answers until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    threads, adapter, *arguments = sys.argv[1:]
    prepare = load_adapter(Path(adapter).resolve()).contestant(arguments, int(threads))
    import numpy as np

    current, run = "", None
    for line in sys.stdin:
        if line != current:
            current, run = line, prepare(np.load(line.rstrip("\n")))
        assert run is not None
        run()
        started, busy = time.perf_counter(), time.process_time()
        run()
        busy, taken = time.process_time() - busy, time.perf_counter() - started
        answer = {"ms": taken * 1e3, "processor_ms": busy * 1e3, "mib": peak_memory()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
