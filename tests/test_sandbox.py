"""Decoding in other processes: the same pictures, and what crashes, hangs or grows there stays there."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import RunLafd
from lafd.errors import ImageError, UsageError
from lafd.images import load_frames, load_image, read_image
from lafd.sandbox import Sandbox
from pictures import FILES, encoded, scene

if os.name != "posix":
    pytest.skip("sandboxes need POSIX", allow_module_level=True)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as entered:
        yield entered


def readers() -> set[int | None]:
    """Their numbers; multiprocessing lists them in no order."""
    return {process.pid for process in multiprocessing.active_children() if process.name == "lafd-reader"}


def test_pictures_are_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    expected = {}
    for name, file in FILES.items():
        (tmp_path / name).write_bytes(file)
        with Image.open(tmp_path / name) as image:  # a Pillow image is decoded here
            expected[name] = list(load_frames(image))
    for name, file in FILES.items():
        for source in (tmp_path / name, str(tmp_path / name), file):
            assert (load_image(source) == expected[name][0]).all()
        with (tmp_path / name).open("rb") as stream:
            frames = list(load_frames(stream))
        assert [frame.tobytes() for frame in frames] == [frame.tobytes() for frame in expected[name]]
    assert len(sandbox.idle) == 1, "one thread needs one process"


def test_sizes_and_options_arrive(sandbox: Sandbox) -> None:
    large = np.kron(scene(), np.ones((20, 20, 1), np.uint8))
    picture = read_image(encoded(large, "JPEG"), reduce_to=280)
    assert (picture.width, picture.height, picture.pixels.shape) == (1120, 800, (200, 280, 3))
    clear = encoded(Image.new("RGBA", (9, 9)), "PNG")
    assert (load_image(clear, background=(1, 2, 3)) == (3, 2, 1)).all()
    with pytest.raises(ImageError, match="over the limit of 80"):
        load_image(clear, max_pixels=80)


def test_errors_are_those_of_this_process(sandbox: Sandbox, tmp_path: Path) -> None:
    before = readers()
    (tmp_path / "empty.png").touch()
    wrong = ((tmp_path / "empty.png", r"empty\.png: the file is empty"), (FILES["png"][:99], "the picture"))
    for source, said in wrong:
        with pytest.raises(ImageError, match=said):
            load_image(source)
    with pytest.raises(UsageError, match="give a path, bytes"):
        load_image(3)  # type: ignore[arg-type]
    assert load_image(FILES["png"]).any()
    assert readers() == before, "damaged pictures are no reason for a new process"


def test_frames_that_are_not_wanted_are_not_waited_for(sandbox: Sandbox) -> None:
    first = next(load_frames(FILES["animated gif"]))
    assert (load_image(FILES["animated gif"]) == first).all()


def test_threads_have_a_process_each(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert all(
            image.shape == (40, 56, 3) for image in pool.map(load_image, [FILES["png"], FILES["jpeg"]] * 10)
        )
    assert 1 <= len(sandbox.idle) <= 2


def test_a_hang_is_ended_and_the_next_picture_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.png")  # opening it waits for a writer, who never comes
    before = readers()
    with Sandbox(seconds=1):
        load_image(FILES["png"])
        with pytest.raises(ImageError, match=r"endless\.png: decoding it takes more than 1 s"):
            load_image(tmp_path / "endless.png")
        assert load_image(FILES["png"]).any()
    assert readers() == before


def test_a_decoder_that_dies_takes_nothing_with_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fatal.png")
    before = readers()
    with Sandbox():
        load_image(FILES["png"])
        (reader,) = readers() - before
        threading.Timer(0.3, os.kill, (reader, signal.SIGSEGV)).start()
        with pytest.raises(ImageError, match=r"fatal\.png: its decoder crashed \(SIGSEGV\)"):
            load_image(tmp_path / "fatal.png")
        assert load_image(FILES["png"]).any()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit of memory is Linux's")
def test_memory_is_limited() -> None:
    large = encoded(Image.new("RGB", (8000, 4000)), "PNG")
    with Sandbox(memory=60 * 2**20):
        with pytest.raises(ImageError, match="not enough memory"):
            load_image(large)
        assert load_image(FILES["png"]).any()


def test_limits_are_checked() -> None:
    for limits in ({"seconds": 0}, {"seconds": float("nan")}, {"memory": 5}):
        with pytest.raises(UsageError, match="sandbox must be"):
            Sandbox(**limits)


def test_the_commands_go_on_after_a_hang(lafd: RunLafd, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "c.png"):
        (tmp_path / "in" / name).write_bytes(FILES["png"])
    os.mkfifo(tmp_path / "b.png")
    sandbox = ("--sandbox", "--sandbox-seconds", 3, "--threads", 1)
    found = lafd("detect", "in/a.png", "b.png", "in/c.png", *sandbox, "--format", "jsonl")
    assert found.returncode == 1
    assert [("error" in line, "width" in line) for line in found.stdout.splitlines()] == [
        (False, True),
        (True, False),
        (False, True),
    ]
    assert "b.png: decoding it takes more than 3 s" in found.stderr
    made = lafd("crop", "in/a.png", "b.png", "in/c.png", *sandbox, "--frame", "1:1", "-o", "out")
    assert made.returncode == 1 and "b.png: decoding it takes more than 3 s" in made.stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "c.png"]
    assert lafd("detect", "in", "--sandbox", "--sandbox-memory", 0).returncode == 2
