"""`lafd video` when something is wrong: what it says, its exit status, and what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cjm_byte_track")

from films import decoded, drawn, moving, packets, write_film
from lafd.cli import main


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [picture for picture, _ in drawn(moving, 12)]
    return write_film(tmp_path_factory.mktemp("film") / "film.mkv", pictures, sound="flac")


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Works in an empty folder."""
    monkeypatch.chdir(tmp_path)


def video(*arguments: object) -> int:
    return main(["video", *map(str, arguments), "--size", "320", "--threads", "1"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.mp4", "-o", "out.mp4"], "nowhere.mp4 does not exist"),
        ([".", "-o", "out.mp4"], "is a folder"),
        (["77", "-o", "out.mp4"], "no webcam 77"),
        (["FILM"], "-o OUT"),
        (["FILM", "--no-video"], "--json FILE or --crop DIR"),
        (["FILM", "--no-video", "-o", "out.mp4"], "contradict"),
        (["FILM", "-o", "FILM"], "the film that is read"),
        (["FILM", "-o", "missing/out.mp4"], "folder missing does not exist"),
        (["FILM", "-o", "out.xyz"], "use .mp4, .mkv or .webm"),
        (["FILM", "-o", "out.mkv", "--codec", "h265x"], "no video encoder 'h265x'"),
        (["FILM", "-o", "out.mkv", "--codec", "aac"], "cannot be used"),
        (["FILM", "-o", "out.mkv", "--codec-option", "crf"], "KEY=VALUE"),
        (["FILM", "-o", "out.mkv", "--codec-option", "preset=warp"], "libx264"),
        (["FILM", "-o", "out.mkv", "--roi", "1,2,3"], "four whole numbers"),
        (["FILM", "-o", "out.mkv", "--roi", "900,0,950,50"], "outside the film of 320x180"),
        (["FILM", "-o", "out.mkv", "--run-per-x-frames", "0"], "at least 1"),
        (["FILM", "-o", "out.mkv", "--frame-count", "0"], "at least 1"),
        (["FILM", "-o", "out.mkv", "--fps", "0"], "--fps must be between"),
        (["FILM", "-o", "out.webm"], "cannot hold the audio stream 1 (flac)"),
    ],
)
@pytest.mark.usefixtures("inside")
def test_wrong_usage_says_what_to_do_and_leaves_nothing(
    film: Path, arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert video(*(str(film) if a == "FILM" else a for a in arguments)) == 2
    message = capsys.readouterr().err
    assert said in message
    assert message.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_no_film_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "empty.mp4"):
        assert video(tmp_path / name, "-o", tmp_path / "out.mp4") == 1
        assert f"{name}: cannot be opened as a film" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.mp4", "text.mp4"]


def test_sound_without_pictures_is_refused(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import av

    with av.open(str(film)) as source, av.open(str(tmp_path / "sound.mkv"), "w") as target:
        copy = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    assert video(tmp_path / "sound.mkv", "-o", tmp_path / "out.mp4") == 1
    assert "has no pictures, only audio" in capsys.readouterr().err


def test_corrupt_frames_are_counted_and_the_rest_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [picture for picture, _ in drawn(moving, 8)]
    film = write_film(
        tmp_path / "film.mkv", pictures, codec="mjpeg", codec_options={}, pix_fmt="yuvj420p", color_range=2
    )
    data = bytearray(film.read_bytes())
    _, broken = packets(film, "video")[3]
    place = data.find(broken)
    data[place : place + len(broken)] = bytes(len(broken))
    film.write_bytes(data)
    assert video(film, "-o", tmp_path / "out.mkv") == 0
    assert "1 corrupt frames left out" in capsys.readouterr().err
    assert len(decoded(tmp_path / "out.mkv")) == 7


def test_a_truncated_film_is_done_as_far_as_it_goes(film: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.mkv"
    short.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert video(short, "-o", tmp_path / "out.mkv") in (0, 1)
    assert 1 <= len(decoded(tmp_path / "out.mkv")) < 12


def start(film: Path, folder: Path) -> subprocess.Popen[str]:
    """A run that lasts long enough to be stopped in its middle."""
    run = subprocess.Popen(
        [sys.executable, "-m", "lafd", "video", film, "-o", "out.mp4", "--threads", "1", "--size", "640"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = folder / "out.part.mp4"
    patience = time.monotonic() + 240
    while (not part.exists() or part.stat().st_size < 30_000) and time.monotonic() < patience:
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.05)
    return run


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """13 s; the noise makes it write often."""
    pictures = [picture for picture, _ in drawn(moving, 8)]
    rng = np.random.default_rng(0)
    noisy = [np.clip(p + rng.normal(0, 12, p.shape), 0, 255).astype(np.uint8) for p in pictures]
    return write_film(tmp_path_factory.mktemp("long") / "long.mp4", noisy * 40, sound="aac")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_run_that_is_stopped_or_killed_leaves_a_film(long_film: Path, tmp_path: Path) -> None:
    for number, status in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        folder = tmp_path / number.name
        folder.mkdir()
        run = start(long_film, folder)
        run.send_signal(number)
        _, said = run.communicate(timeout=240)
        assert run.returncode == status
        assert not (folder / "out.mp4").exists()
        frames = decoded(folder / "out.part.mp4")
        assert 5 < len(frames) < 320
        if number == signal.SIGTERM:
            assert f"stopped after {len(frames)} frames" in said
            assert "out.part.mp4" in said
            assert packets(folder / "out.part.mp4", "audio")
