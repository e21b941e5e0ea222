"""What accompanies the pictures of a film: subtitles, chapters, attached files; and films that are no files."""

from __future__ import annotations

import functools
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("cjm_byte_track")

import av
import cv2

from films import decoded, drawn, moving, packets, write_film
from lafd.cli import main

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nHello\n\n2\n00:00:00,350 --> 00:00:00,480\nAgain\n"


def video(*arguments: object) -> int:
    return main(["video", *map(str, arguments), "--size", "320", "--threads", "1"])


@pytest.fixture
def rich_film(tmp_path: Path) -> Path:
    """Pictures, FLAC, subtitles in SubRip, two chapters and an attached file, in Matroska."""
    pictures = [picture for picture, _ in drawn(moving, 12)]
    plain = write_film(tmp_path / "plain.mkv", pictures, sound="flac")
    (tmp_path / "subtitles.srt").write_text(SUBTITLES)
    with (
        av.open(str(plain)) as film,
        av.open(str(tmp_path / "subtitles.srt")) as texts,
        av.open(str(tmp_path / "rich.mkv"), "w") as rich,
    ):
        copies = [rich.add_stream_from_template(stream) for stream in film.streams]
        titles = rich.add_stream_from_template(texts.streams.subtitles[0])
        titles.metadata["language"] = "eng"
        rich.add_attachment("notes.txt", "text/plain", b"drawn for a test")
        base = Fraction(1, 1000)
        rich.set_chapters(
            [
                {"id": 1, "start": 0, "end": 250, "time_base": base, "metadata": {"title": "One"}},
                {"id": 2, "start": 250, "end": 500, "time_base": base, "metadata": {"title": "Two"}},
            ]
        )
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                rich.mux(packet)
        for packet in texts.demux():
            if packet.dts is not None:
                packet.stream = titles
                rich.mux(packet)
    return tmp_path / "rich.mkv"


def test_subtitles_chapters_and_attachments_are_kept(rich_film: Path, tmp_path: Path) -> None:
    assert video(rich_film, "-o", tmp_path / "out.mkv") == 0
    for kind in ("audio", "subtitle"):
        assert packets(tmp_path / "out.mkv", kind) == packets(rich_film, kind)
    assert len(packets(tmp_path / "out.mkv", "subtitle")) == 2
    with av.open(str(tmp_path / "out.mkv")) as out:
        assert [chapter["metadata"]["title"] for chapter in out.chapters()] == ["One", "Two"]
        assert out.streams.subtitles[0].language == "eng"
        assert [bytes(stream.data) for stream in out.streams.attachments] == [b"drawn for a test"]


def test_subtitles_that_do_not_fit_are_left_out_with_a_message(
    rich_film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert video(rich_film, "-o", tmp_path / "out.mp4") == 0
    assert "the subtitle stream 2 (subrip) is left out" in capsys.readouterr().err
    assert packets(tmp_path / "out.mp4", "audio")
    assert len(decoded(tmp_path / "out.mp4")) == 12


def test_a_transport_stream_starts_at_zero(tmp_path: Path) -> None:
    pictures = [picture for picture, _ in drawn(moving, 12)]
    write_film(tmp_path / "early.ts", pictures, sound="mp2")
    film = tmp_path / "film.ts"
    with av.open(str(tmp_path / "early.ts")) as early, av.open(str(film), "w") as late:
        copies = [late.add_stream_from_template(stream) for stream in early.streams]
        for packet in early.demux():
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts = packet.pts + 5 * 90_000, packet.dts + 5 * 90_000
                packet.stream = copies[packet.stream_index]
                late.mux(packet)
    assert decoded(film)[0].time > 5
    assert video(film, "-o", tmp_path / "out.mp4") == 0
    before, after = ([frame.time for frame in decoded(path)] for path in (film, tmp_path / "out.mp4"))
    assert after[0] < 0.1
    assert [time - after[0] for time in after] == pytest.approx([t - before[0] for t in before], abs=1e-4)
    first = [packets(path, "audio")[0][0] for path in (film, tmp_path / "out.mp4")]
    assert after[0] - first[1] == pytest.approx(before[0] - first[0], abs=1e-3)


def test_a_film_can_come_from_a_url(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv", [picture for picture, _ in drawn(moving, 12)], sound="flac")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_port}"
        try:
            assert video(f"{site}/film.mkv", "-o", tmp_path / "out.mkv") == 0
            assert video(f"{site}/none.mkv", "-o", tmp_path / "none.mkv") == 1
        finally:
            server.shutdown()
    assert packets(tmp_path / "out.mkv", "audio") == packets(film, "audio")
    assert len(decoded(tmp_path / "out.mkv")) == 12
    assert not (tmp_path / "none.mkv").exists()


# a webcam that gives Motion JPEG without end, at its own pace, as many do; then the command
WITH_CAMERA = """
import itertools, sys, time
from pathlib import Path
import av
from lafd.cli import main
from lafd.video import source

class Camera:
    def __init__(self, folder):
        self.pictures = itertools.cycle([path.read_bytes() for path in sorted(Path(folder).iterdir())])

    def read(self, size=-1):
        time.sleep(1 / 24)
        return next(self.pictures)

def open_camera(number):
    assert number == 3
    return av.open(Camera(sys.argv[1]), format="mjpeg", options={"framerate": "24"})

source.open_camera = open_camera
sys.exit(main(["video", "3", *sys.argv[2:], "--size", "320", "--threads", "1"]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of another kind")
def test_a_webcam_is_recorded_until_ctrl_c(tmp_path: Path) -> None:
    camera, films = tmp_path / "camera", tmp_path / "films"
    camera.mkdir()
    films.mkdir()
    for number, (picture, _) in enumerate(drawn(moving, 12)):
        jpeg = cv2.imencode(".jpg", cv2.resize(picture, (160, 96)))[1].tobytes()
        assert len(jpeg) < 32768  # FFmpeg asks for so much at a time
        (camera / f"{number:02}.jpg").write_bytes(jpeg)

    def recording(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WITH_CAMERA, camera, *arguments]
        return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)

    counted = recording("-o", films / "counted.mp4", "--frame-count", 10)
    assert counted.communicate(timeout=120) and counted.returncode == 0
    assert [round(24 * frame.time) for frame in decoded(films / "counted.mp4")] == list(range(10))
    endless = recording("-o", films / "recorded.mp4", "--json", films / "faces.json")
    part, end = films / "recorded.part.mp4", time.monotonic() + 120
    while not part.exists() or part.stat().st_size < 1000:
        assert endless.poll() is None and time.monotonic() < end
        time.sleep(0.1)
    endless.send_signal(signal.SIGINT)
    _, said = endless.communicate(timeout=120)
    assert endless.returncode == 0, said
    assert len(decoded(films / "recorded.mp4")) > 0
    assert sorted(path.name for path in films.iterdir()) == ["counted.mp4", "faces.json", "recorded.mp4"]
