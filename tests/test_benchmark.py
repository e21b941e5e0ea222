from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conftest import RunLafd
from lafd.benchmark.timing import Contestant, measure
from lafd.errors import LafdError

SLOW = """
import time

def contestant(arguments, threads):
    def prepare(picture):
        print("chatter on standard output")
        def run():
            time.sleep(float(arguments[0]) * picture.shape[1] / 64)
        return run
    return prepare
"""


def peer(folder: Path, code: str, *arguments: str) -> Contestant:
    adapter = folder / "adapter.py"
    adapter.write_text(code)
    return Contestant("peer", "detect", (sys.executable, str(adapter), *arguments), gmacs=1.0, multiple=32)


def test_times_are_those_of_the_function_alone(tmp_path: Path) -> None:
    small, large = measure([peer(tmp_path, SLOW, "0.02")], [(64, 40), (128, 40)], rounds=5, threads=1)
    assert (small.width, small.height, small.runs) == (64, 40, 5)
    assert 20 <= small.lowest <= small.median <= small.p95
    assert large.lowest >= 40
    assert small.gflop == pytest.approx(2 * 64 * 64 / 640**2, abs=1e-3)  # of the padded picture
    assert small.memory is None or small.memory > 5


def test_a_contestant_that_dies_is_named(tmp_path: Path) -> None:
    with pytest.raises(LafdError, match="peer: its process ended"):
        measure([peer(tmp_path, "raise SystemExit('no licence')")], [(64, 40)], 5, 1)
    with pytest.raises(LafdError, match="nowhere/python cannot be run"):
        measure([Contestant("peer", "detect", ("nowhere/python", "a.py"))], [(64, 40)], 5, 1)


def test_the_report_has_us_and_the_peers(lafd: RunLafd, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("onnx")
    (tmp_path / "adapter.py").write_text(SLOW)
    peers = [
        {"name": "tortoise", "part": "detect", "command": ["lafd", "adapter.py", "0.01"], "accuracy": "t"}
    ]
    (tmp_path / "peers.json").write_text(json.dumps(peers))
    summary = {"figures": {"summary": {"AP50": {"value": 0.5}}}}
    (tmp_path / "accuracy" / "t").mkdir(parents=True)
    (tmp_path / "accuracy" / "t" / "report.json").write_text(json.dumps(summary))
    arguments = ("--shapes", "64x40", "--rounds", "5", "--models", "base")
    told = lafd(
        "benchmark", *arguments, "--peers", "peers.json", "--accuracy", "accuracy", "-o", "new/folder"
    )
    assert told.returncode == 0, told.stderr
    folder = tmp_path / "new" / "folder"
    assert (folder / "speed.md").read_text("utf-8") in told.stdout
    report = json.loads((folder / "speed.json").read_text("utf-8"))
    assert {(t["name"].split(",")[0], t["part"]) for t in report["timings"]} == {
        ("lafd base", "detect"),
        ("lafd base", "network"),
        ("tortoise", "detect"),
    }
    assert all(peak["gflop_per_second"] > 0 for peak in report["peaks"])
    assert "tortoise" in (folder / "accuracy-over-time.svg").read_text("utf-8")
    assert "tortoise" in (folder / "time-over-size.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--shapes", "64"), "640x480"),
        (("--rounds", "0"), "rounds"),
        (("--peers", "missing.json"), "missing.json"),
        (("--accuracy", "missing"), "missing is not a folder"),
    ],
)
def test_wrong_usage_is_explained(lafd: RunLafd, arguments: tuple[str, ...], hint: str) -> None:
    told = lafd("benchmark", *arguments)
    assert told.returncode == 2 and hint in told.stderr and "Traceback" not in told.stderr
