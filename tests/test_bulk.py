"""Long runs that are stopped, in whatever way, and started again."""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import RunLafd
from lafd.journal import Journal
from pictures import many_drawn

pytest.importorskip("pyarrow")
import pyarrow as pa
import pyarrow.parquet as pq

COUNT = 48


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 48 pictures, two of which cannot be read."""
    folder = tmp_path_factory.mktemp("many")
    many_drawn(folder, COUNT)
    (folder / "05.jpg").write_bytes(b"not a picture")
    (folder / "30.jpg").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def whole(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a run that nothing stopped, as JSON lines."""
    file = tmp_path_factory.mktemp("whole") / "whole.jsonl"
    command = [sys.executable, "-m", "lafd", "detect", str(many), "-o", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1  # two cannot be read
    return file


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def table(place: Path) -> list[dict[str, Any]]:
    """Rows of a Parquet file or folder, as JSON lines have them."""
    rows = []
    for row in pq.read_table(place).to_pylist():
        faces = row["faces"] and [
            {"box": [round(face[k], 2) for k in ("x1", "y1", "x2", "y2")], "score": round(face["score"], 4)}
            for face in row["faces"]
        ]
        rows.append(
            {**{k: v for k, v in row.items() if v is not None}, **({} if faces is None else {"faces": faces})}
        )
    return rows


def killed_midway(folder: Path, out: str, journal: str, after: int) -> bool:
    """Starts a run and kills it when its journal has grown by so many lines; whether that was before its end."""
    path = folder / journal
    start = path.read_bytes().count(b"\n") if path.exists() else 0
    command = [sys.executable, "-m", "lafd", "detect", "many", "-o", out, "--shard", "20"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if path.exists() and path.read_bytes().count(b"\n") >= start + after:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_run_that_is_killed_goes_on_and_comes_to_the_same(
    lafd: RunLafd, many: Path, whole: Path, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "many").symlink_to(many)
    out, journal = f"out.{ending}", f"out.{ending}.part"
    kills = sum(
        killed_midway(tmp_path, out, journal, after) for after in ((1, 9, 14) if ending == "jsonl" else (12,))
    )
    assert kills and not (tmp_path / out).exists()
    done = lafd("detect", "many", "-o", out)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        f"{COUNT} pictures" in done.stderr
        and "2 failures" in done.stderr
        and "were done before" in done.stderr
    )
    expected = [{**entry, "path": f"many/{Path(entry['path']).name}"} for entry in lines(whole)]
    for entry in expected:
        if "error" in entry:
            entry["error"] = entry["error"].replace(str(many), "many")
    if ending == "jsonl":
        assert lines(tmp_path / out) == expected
    elif ending == "parquet":
        assert table(tmp_path / out) == expected
    else:
        with (tmp_path / out).open() as file:
            assert list(dict.fromkeys(row["path"] for row in csv.DictReader(file))) == [
                e["path"] for e in expected
            ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["many", out]


def test_a_folder_grows_by_files_and_is_never_doubled(
    lafd: RunLafd, many: Path, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "many").symlink_to(many)
    killed_midway(tmp_path, "out/", "out/_part-00000.parquet.part", 7)
    killed_midway(tmp_path, "out/", "out/_part-00001.parquet.part", 5)
    assert lafd("detect", "many", "-o", "out/", "--shard", 20).returncode == 1
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert files == [f"part-{i:05d}.parquet" for i in range(3)]
    assert [pq.read_metadata(tmp_path / "out" / name).num_rows for name in files] == [20, 20, 8]
    names = [Path(entry["path"]).name for entry in lines(whole)]
    assert [Path(row["path"]).name for row in table(tmp_path / "out")] == names

    (tmp_path / "more").mkdir()
    shutil.copy(many / "00.jpg", tmp_path / "more" / "new.jpg")
    again = lafd("detect", "many", "more", "-o", "out/")
    assert again.returncode == 1 and f"{COUNT} were done before" in again.stderr
    assert Counter(row["path"] for row in table(tmp_path / "out")).most_common(1)[0][1] == 1
    assert len(table(tmp_path / "out")) == COUNT + 1


def test_a_kill_between_the_last_steps_of_a_file_doubles_nothing(
    lafd: RunLafd, many: Path, tmp_path: Path
) -> None:
    (tmp_path / "many").symlink_to(many)
    killed_midway(tmp_path, "out/", "out/_part-00000.parquet.part", 7)
    journal = (tmp_path / "out" / "_part-00000.parquet.part").read_bytes()
    lafd("detect", "many", "-o", "out/")
    (tmp_path / "out" / "_part-00000.parquet.part").write_bytes(journal)
    lafd("detect", "many", "-o", "out/")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["part-00000.parquet"]
    assert len(table(tmp_path / "out")) == COUNT


def test_a_line_that_was_half_written_is_done_again(
    lafd: RunLafd, many: Path, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(many, tmp_path / "many")
    killed_midway(tmp_path, "out.jsonl", "out.jsonl.part", 20)
    journal = tmp_path / "out.jsonl.part"
    content = journal.read_bytes()
    for torn in (content[:-20], content + b'[{"path": "many/4', content + b"\0" * 100):
        journal.write_bytes(torn)
        assert lafd("detect", "many", "-o", "out.jsonl").returncode == 1
        assert [entry.get("faces") for entry in lines(tmp_path / "out.jsonl")] == [
            entry.get("faces") for entry in lines(whole)
        ]


def test_a_full_disk_is_said_and_survived(lafd: RunLafd, many: Path, whole: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lafd", "detect", str(many), "-o", "out.jsonl"]
    full = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY)),
    )
    assert full.returncode == 1 and "Traceback" not in full.stderr
    assert "out.jsonl.part: cannot be written" in full.stderr and full.stderr.count("\n") <= 3
    assert (tmp_path / "out.jsonl.part").stat().st_size == 4000
    assert lafd("detect", many, "-o", "out.jsonl").returncode == 1
    assert lines(tmp_path / "out.jsonl") == lines(whole)


def test_pictures_come_and_go_while_a_run_is_stopped(lafd: RunLafd, many: Path, tmp_path: Path) -> None:
    shutil.copytree(many, tmp_path / "many")
    assert killed_midway(tmp_path, "out.jsonl", "out.jsonl.part", 20)
    (tmp_path / "many" / "01.jpg").unlink()
    (tmp_path / "many" / "47.jpg").unlink()
    shutil.copy(many / "00.jpg", tmp_path / "many" / "00a.jpg")
    lafd("detect", "many", "-o", "out.jsonl")
    names = Counter(Path(entry["path"]).name for entry in lines(tmp_path / "out.jsonl"))
    expected = {f"{n:02d}.jpg" for n in range(COUNT)} - {"47.jpg"} | {"00a.jpg"}  # 01 was done already
    assert names == Counter(expected)


def test_a_run_with_other_options_does_not_mix_with_it(lafd: RunLafd, many: Path, tmp_path: Path) -> None:
    (tmp_path / "many").symlink_to(many)
    assert killed_midway(tmp_path, "out.jsonl", "out.jsonl.part", 3)
    before = (tmp_path / "out.jsonl.part").read_bytes()
    other = lafd("detect", "many", "-o", "out.jsonl", "--size", 320)
    assert other.returncode == 2 and "out.jsonl.part" in other.stderr and "320" in other.stderr
    assert (tmp_path / "out.jsonl.part").read_bytes() == before
    (tmp_path / "out.csv.part").write_text("somebody's own\n")
    strange = lafd("detect", "many", "-o", "out.csv")
    assert strange.returncode == 2 and "in the way" in strange.stderr
    assert (tmp_path / "out.csv.part").read_text() == "somebody's own\n"


def test_two_runs_do_not_write_one_output(lafd: RunLafd, many: Path, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.jsonl.part", {"another": "run"})
    try:
        done = lafd("detect", many, "-o", "out.jsonl")
    finally:
        journal.close()
    assert done.returncode == 1 and "another run is writing it" in done.stderr


def test_files_listed_twice_and_marked_copies_are_the_same_after_a_stop(
    lafd: RunLafd, many: Path, tmp_path: Path
) -> None:
    (tmp_path / "many").symlink_to(many)
    (tmp_path / "list").write_text("many/00.jpg\nmany/01.jpg\nmany/00.jpg\n./many/00.jpg\n")
    arguments = ("detect", "-", "--threads", 1, "--draw", "marked", "-o", "out.jsonl")
    lafd(*arguments, stdin=(tmp_path / "list").read_text())
    first = lines(tmp_path / "out.jsonl")
    copies = {p.name: p.read_bytes() for p in (tmp_path / "marked").iterdir()}
    assert [entry["path"] for entry in first].count("many/00.jpg") == 3 and len(copies) == 2
    run = subprocess.run(
        [sys.executable, "-m", "lafd", *map(str, arguments)],
        cwd=tmp_path,
        input=(tmp_path / "list").read_text(),
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (900, resource.RLIM_INFINITY)),
    )
    assert run.returncode == 1
    lafd(*arguments, stdin=(tmp_path / "list").read_text())
    assert lines(tmp_path / "out.jsonl") == first
    assert {p.name: p.read_bytes() for p in (tmp_path / "marked").iterdir()} == copies


def test_lists_in_parquet_and_uris(lafd: RunLafd, many: Path, whole: Path, tmp_path: Path) -> None:
    paths = sorted(many.iterdir())[:8]
    names = [path.as_uri() if number % 2 else str(path) for number, path in enumerate(paths)]
    pq.write_table(pa.table({"size": [1] * 8, "path": names}), tmp_path / "list.parquet")
    done = lafd("detect", "list.parquet", "-o", "out.jsonl")
    assert done.returncode == 1 and "1 failures" in done.stderr
    found = lines(tmp_path / "out.jsonl")
    assert [entry["path"] for entry in found] == names
    assert [entry.get("faces") for entry in found] == [entry.get("faces") for entry in lines(whole)[:8]]
    assert names[5] in found[5]["error"]
    pq.write_table(pa.table({"file": names}), tmp_path / "other.parquet")
    for argument, hint in (
        ("other.parquet", "path"),
        ("none.parquet", "none.parquet"),
        ("x://y.png", "x://y.png"),
    ):
        failed = lafd("detect", argument)
        assert failed.returncode == 1 and hint in failed.stderr and "Traceback" not in failed.stderr, (
            failed.stderr
        )


def test_names_that_are_not_unicode_are_resumed_too(lafd: RunLafd, many: Path, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    for name in (b"\xff.jpg", b"\xfe \xe7\x94\xbb.jpg"):
        shutil.copy(os.fsencode(many / "00.jpg"), os.fsencode(tmp_path / "odd") + b"/" + name)
    for out in ("out.jsonl", "out.csv", "out/"):
        assert lafd("detect", "odd", "-o", out).returncode == 0
    assert "2 were done before" in lafd("detect", "odd", "-o", "out/").stderr
    assert "\udcff.jpg" in lines(tmp_path / "out.jsonl")[0]["path"] + lines(tmp_path / "out.jsonl")[1]["path"]
    assert lafd("detect", "odd").returncode == 0


def test_a_million_paths_start_at_once_and_take_no_memory(many: Path, tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(f"{many / '00.jpg'}\n" * 1_000_000)
    command = [sys.executable, "-m", "lafd", "detect", "-", "--format", "jsonl"]
    with listing.open() as stdin, subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for _ in range(20):
            assert b"00.jpg" in process.stdout.readline()
        memory = Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0]
        position = Path(f"/proc/{process.pid}/fdinfo/0").read_text().split("pos:")[1].split()[0]
        process.kill()
    assert int(position) < 1_000_000 and int(memory) < 400_000  # of 60 MB of paths; kB
