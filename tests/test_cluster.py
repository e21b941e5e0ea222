"""Detection on a Ray cluster: the results of one process, whatever happens to the workers."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import RunLafd
from lafd import Detector, Options
from lafd.cli import main
from lafd.cli.detect import run_recipe
from lafd.pipeline import FileResult, Work
from pictures import many_drawn

if importlib.util.find_spec("ray") is None:  # lafd.cluster is to import it, after it has set its variables
    pytest.skip("Ray is not installed", allow_module_level=True)
import pyarrow as pa
import pyarrow.parquet as pq

from lafd import cluster

COUNT = 24
Visit = Callable[[FileResult], None]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 pictures, one of which cannot be read."""
    folder = tmp_path_factory.mktemp("many")
    many_drawn(folder, COUNT)
    (folder / "05.jpg").write_bytes(b"not a picture")
    return folder


@pytest.fixture(scope="module")
def expected(many: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The rows of the local engine."""
    out = tmp_path_factory.mktemp("local") / "out.parquet"
    assert main(["detect", str(many), "-o", str(out)]) == 1
    return rows(out)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two workers in this process, and its address for others."""
    attempts = Path(os.environ["LAFD_ATTEMPTS"])
    attempts.write_text("")
    with cluster.connected(None, 2):
        import ray

        address = ray.get_runtime_context().gcs_address
        assert address.startswith("127.0.0.1:")
        assert attempts.read_text(encoding="utf-8") == ""  # nothing outside was contacted
        yield address


def rows(place: Path) -> dict[str, Any]:
    """What is said of each picture, none of which may be there twice."""
    found = pq.read_table(place).to_pylist()
    by_path = {row.pop("path"): row for row in found}
    assert len(by_path) == len(found)
    return by_path


def killing(name: str, once: Path | None = None) -> Visit:
    """A visit that kills its worker at a picture, each time or until a file exists."""

    def visit(
        result: FileResult,
    ) -> None:  # in a function, so that it travels as it is: workers have no tests
        if Path(result.path).name == name and not (once and once.exists()):
            if once:
                once.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return visit


def detect(paths: list[Path], out: Path, visit: Visit, workers: int) -> list[cluster.Done]:
    """A run with a hook in its workers; files of results have up to six pictures."""
    detector = Detector(threads=1)
    run = run_recipe(detector, Options(), False)
    job = cluster.Job(detector, Options(), Work(batch=2, visit=visit), str(out), run, 6)
    return list(cluster.detect(map(str, paths), job, workers))


def test_a_killed_worker_costs_no_picture_and_the_command_goes_on_from_there(
    address: str, lafd: RunLafd, many: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    paths, out, marker = sorted(many.iterdir()), tmp_path / "out", tmp_path / "killed"
    done = detect(paths[:16], out, killing("09.jpg", once=marker), workers=2)
    assert marker.exists()
    assert rows(out) == {str(path): expected[str(path)] for path in paths[:16]}
    assert sum(each.pictures for each in done) == 16
    assert sum(each.faces for each in done) == sum(len(row["faces"] or ()) for row in rows(out).values())
    assert [error for each in done for error in each.errors] == [expected[str(many / "05.jpg")]["error"]]

    pq.write_table(pa.table({"path": list(map(str, paths))}), tmp_path / "list.parquet")
    on_cluster = ("--engine", "ray", "--address", address, "-o", out.as_uri())
    second = lafd("detect", "list.parquet", *on_cluster)
    assert second.returncode == 1 and "Traceback" not in second.stderr, second.stderr
    assert f"{COUNT} pictures" in second.stderr and "16 were done before" in second.stderr
    assert rows(out) == expected
    other = lafd("detect", many, *on_cluster, "--size", 320)
    assert other.returncode == 2 and "size None, not 320" in other.stderr


def test_a_picture_that_kills_its_worker_each_time_is_a_failed_result(
    address: str, many: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    paths, deadly = sorted(many.iterdir())[8:16], str(many / "13.jpg")
    done = detect(paths, tmp_path / "out", killing("13.jpg"), workers=1)
    found = rows(tmp_path / "out")
    error = f"cannot read {deadly}: it ended its worker 3 times."
    row = found.pop(deadly)
    assert row["faces"] is None and row["error"] == error
    assert found == {str(path): expected[str(path)] for path in paths if str(path) != deadly}
    assert [error for each in done for error in each.errors] == [error]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--engine", "ray"], "-o faces/"),
        (["--engine", "ray", "-o", "faces.jsonl"], "-o faces/"),
        (["--engine", "ray", "-o", "faces/", "--draw", "marked"], "--draw"),
        (["--engine", "ray", "-o", "faces/", "--sandbox"], "--sandbox"),
        (["--address", "auto"], "--engine ray"),
        (["-o", "s3://bucket/faces/"], "--engine ray"),
    ],
)
def test_wrong_usage_is_said_before_anything_starts(
    pictures: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str
) -> None:
    assert main(["detect", str(pictures), *arguments]) == 2
    assert hint in capsys.readouterr().err


def test_an_unfinished_run_of_one_machine_is_not_mixed_with(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "_part-00000.parquet.part").touch()
    assert main(["detect", str(pictures), "--engine", "ray", "-o", f"{tmp_path}/"]) == 2
    assert "--engine local" in capsys.readouterr().err
