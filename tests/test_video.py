"""`lafd video` on drawn films: what comes in, what goes out, and what is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av")
pytest.importorskip("cjm_byte_track")

import av
import cv2
from PIL import Image

from films import HEIGHT, WIDTH, decoded, drawn, elsewhere, moving, packets, write_film
from lafd.boxes import iou
from lafd.cli import main

FRAMES = 16


@pytest.fixture(scope="session")
def scenes() -> list[tuple[np.ndarray, np.ndarray]]:
    return drawn(moving, FRAMES)


@pytest.fixture(scope="session")
def pictures(scenes: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    return [picture for picture, _ in scenes]


@pytest.fixture(scope="session")
def film(pictures: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """H.264 and AAC in MP4, 24 frames a second."""
    return write_film(
        tmp_path_factory.mktemp("film") / "film.mp4", pictures, sound="aac", metadata={"title": "Spring"}
    )


def video(*arguments: object) -> int:
    return main(["video", *map(str, arguments), "--size", "320", "--threads", "1"])


def frames_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["frames"])


def boxes_of(frame: dict[str, Any]) -> np.ndarray:
    return np.array([face["box"] for face in frame["faces"]], np.float32).reshape(-1, 4)


def test_pictures_sound_metadata_and_timestamps_are_kept(film: Path, tmp_path: Path) -> None:
    assert video(film, "-o", tmp_path / "out.mp4") == 0
    assert packets(tmp_path / "out.mp4", "audio") == packets(film, "audio")
    before, after = decoded(film), decoded(tmp_path / "out.mp4")
    assert [frame.time for frame in after] == [frame.time for frame in before]
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert out.metadata["title"] == "Spring"
        assert out.streams.audio[0].language == "jpn"
        assert out.streams.video[0].codec_context.name == "h264"
        assert out.streams.video[0].codec_context.pix_fmt == "yuv420p"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4"]


def test_boxes_are_drawn_around_the_faces_and_nowhere_else(
    film: Path, scenes: list[tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    out, results = tmp_path / "out.mkv", tmp_path / "out.json"
    assert video(film, "-o", out, "--json", results, "--codec", "ffv1") == 0
    for before, after, frame, (_, truth) in zip(
        decoded(film), decoded(out), frames_of(results), scenes, strict=True
    ):
        changed = np.abs(before.to_ndarray(format="gray").astype(int) - after.to_ndarray(format="gray")) > 0
        found = boxes_of(frame)
        assert (iou(truth, found).max(1) > 0.5).all()
        x1, y1, x2, y2 = found[0].round().astype(int)
        # the file's boxes are rounded to 0.01, so a side may come to lie on the next row
        assert changed[max(0, y1 - 1) : y1 + 2, x1 + 1 : x2 - 1].any(0).mean() > 0.8
        far = np.ones((HEIGHT, WIDTH), bool)
        for x1, y1, x2, y2 in found.round().astype(int):  # with the label's 14 rows, and again the next row
            far[max(0, y1 - 15) : y2 + 16, max(0, x1 - 3) : x2 + 60] = False
        assert not changed[far].any()


@pytest.mark.parametrize(("flag", "left"), [("--blur", 0.5), ("--pixelate", 0.8)])
def test_faces_can_be_hidden(film: Path, tmp_path: Path, flag: str, left: float) -> None:
    out, results = tmp_path / "out.mkv", tmp_path / "out.jsonl"
    assert video(film, "-o", out, "--json", results, "--codec", "ffv1", flag) == 0
    first = json.loads(results.read_text().splitlines()[0])
    before, after = (decoded(path)[0].to_ndarray(format="gray").astype(float) for path in (film, out))
    assert first["faces"]
    for x1, y1, x2, y2 in boxes_of(first).round().astype(int):
        face = np.s_[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2]
        detail = [np.abs(np.diff(picture[face], axis=1)).mean() for picture in (before, after)]
        assert detail[1] < left * detail[0]
    assert (before[:10, :10] == after[:10, :10]).all()


def test_tracks_keep_their_ids_until_the_scene_changes(pictures: list[np.ndarray], tmp_path: Path) -> None:
    other = [picture for picture, _ in drawn(elsewhere, 6, seed=2)]
    film = write_film(tmp_path / "cut.mkv", pictures + other)
    results = tmp_path / "out.json"
    assert video(film, "--no-video", "--track", "--json", results, "--crop", tmp_path / "crops") == 0
    frames = frames_of(results)
    ids = [{face["id"] for face in frame["faces"]} for frame in frames]
    assert all(found == {1, 2} for found in ids[:FRAMES])
    assert all(found == {3} for found in ids[FRAMES:])
    crops = sorted(path.parent.name for path in (tmp_path / "crops").glob("*/*.png"))
    assert set(crops) == {"face-0001", "face-0002", "face-0003"}
    assert max(crops.count(name) for name in crops) <= 5


@pytest.mark.parametrize("sharp_first", [True, False])
def test_the_sharpest_picture_of_a_face_is_kept(
    pictures: list[np.ndarray], tmp_path: Path, sharp_first: bool
) -> None:
    dull = [cv2.GaussianBlur(picture, (0, 0), 1.5) for picture in pictures[-6:]]
    order = [*pictures[-6:], *dull] if sharp_first else [*dull, *pictures[-6:]]
    film = write_film(tmp_path / "film.mkv", order, codec="ffv1", codec_options={})
    assert video(film, "--no-video", "--crop", tmp_path / "crops", "--crop-count", 1) == 0
    kept = [int(path.stem[-6:]) for path in (tmp_path / "crops").glob("*/*.png")]
    assert len(kept) == 2
    assert all((index < 6) == sharp_first for index in kept)


def test_faces_are_carried_over_frames_that_are_not_looked_at(
    film: Path, scenes: list[tuple[np.ndarray, np.ndarray]], tmp_path: Path
) -> None:
    sparse, dense = tmp_path / "sparse.json", tmp_path / "dense.json"
    assert video(film, "-o", tmp_path / "out.mp4", "--run-per-x-frames", 4, "--json", sparse) == 0
    assert video(film, "--no-video", "--json", dense) == 0
    assert [frame.time for frame in decoded(tmp_path / "out.mp4")] == [f.time for f in decoded(film)]
    for few, all_of_them, (_, truth) in zip(frames_of(sparse), frames_of(dense), scenes, strict=True):
        assert len(few["faces"]) == len(truth)
        overlap = iou(boxes_of(all_of_them), boxes_of(few)).max(1)
        assert (overlap > 0.75).all()


def test_an_interval_beyond_the_end_still_looks_at_the_first_frame(film: Path, tmp_path: Path) -> None:
    results = tmp_path / "out.json"
    assert video(film, "--no-video", "--run-per-x-frames", 1000, "--json", results) == 0
    assert [len(frame["faces"]) for frame in frames_of(results)] == [2] * FRAMES


def test_frame_count_ends_pictures_and_sound(film: Path, tmp_path: Path) -> None:
    assert video(film, "-o", tmp_path / "out.mp4", "--frame-count", 6) == 0
    assert len(decoded(tmp_path / "out.mp4")) == 6
    sound = packets(tmp_path / "out.mp4", "audio")
    assert 0.2 < sound[-1][0] < 6 / 24
    assert [data for _, data in sound] == [data for _, data in packets(film, "audio")][: len(sound)]


def test_fps_changes_the_rate_and_not_the_speed(film: Path, tmp_path: Path) -> None:
    for fps in (12, 48):
        out = tmp_path / f"{fps}.mp4"
        assert video(film, "-o", out, "--fps", fps, "--run-per-x-frames", 4) == 0
        times = [frame.time for frame in decoded(out)]
        assert len(times) == FRAMES * fps // 24
        assert np.allclose(np.diff(times), 1 / fps, atol=1e-3)


def test_roi_keeps_a_part(film: Path, tmp_path: Path) -> None:
    out, results = tmp_path / "out.mkv", tmp_path / "out.json"
    assert video(film, "-o", out, "--roi", "200,20,999,150", "--codec", "ffv1", "--json", results) == 0
    frame = decoded(out)[0]
    assert (frame.width, frame.height) == (120, 130)
    whole = decoded(film)[0].to_ndarray(format="gray")
    assert (frame.to_ndarray(format="gray")[-8:] == whole[142:150, 200:]).all()
    assert all(len(found["faces"]) == 1 for found in frames_of(results))


def test_variable_frame_rate_is_kept(pictures: list[np.ndarray], tmp_path: Path) -> None:
    pts = [0, 40, 80, 200, 210, 500, 1000, 1040]
    film = write_film(tmp_path / "vfr.mkv", pictures[: len(pts)], pts=pts)
    for name in ("out.mkv", "out.mp4"):
        assert video(film, "-o", tmp_path / name, "--json", tmp_path / "out.json") == 0
        times = [frame.time for frame in decoded(tmp_path / name)]
        assert [round(time * 1000) for time in times] == pts
    assert [round(frame["time"] * 1000) for frame in frames_of(tmp_path / "out.json")] == pts


def test_an_animation_is_a_film_whose_last_frame_stays(pictures: list[np.ndarray], tmp_path: Path) -> None:
    times = [40] * 8 + [120] * 8
    first, *others = [Image.fromarray(picture[..., ::-1]) for picture in pictures[: len(times)]]
    first.save(tmp_path / "film.gif", save_all=True, append_images=others, duration=times)
    for name in ("out.mp4", "out.webm"):
        assert video(tmp_path / "film.gif", "-o", tmp_path / name) == 0
        found = [round(frame.time * 1000) for frame in decoded(tmp_path / name)]
        assert found == [sum(times[:i]) for i in range(len(times))]


def test_rotated_films_play_upright(pictures: list[np.ndarray], tmp_path: Path) -> None:
    lying = [np.rot90(picture, -1) for picture in pictures[:4]]
    film = write_film(tmp_path / "turned.mp4", lying, rotation=90)
    assert decoded(film)[0].width == HEIGHT
    out, results = tmp_path / "out.mp4", tmp_path / "out.json"
    assert video(film, "-o", out, "--json", results, "--blur") == 0
    frame = decoded(out)[0]
    assert (frame.width, frame.height, frame.rotation) == (WIDTH, HEIGHT, 0)
    difference = np.abs(frame.to_ndarray(format="gray").astype(int)[:20] - pictures[0].mean(2)[:20])
    assert difference.mean() < 25
    assert all(len(found["faces"]) == 2 for found in frames_of(results))


def test_odd_sides_grow_by_a_line(pictures: list[np.ndarray], tmp_path: Path) -> None:
    film = write_film(
        tmp_path / "odd.mkv", [p[:171, :311] for p in pictures[:3]], codec="ffv1", codec_options={}
    )
    assert video(film, "-o", tmp_path / "out.mp4", "--json", tmp_path / "out.json") == 0
    frame = decoded(tmp_path / "out.mp4")[0]
    assert (frame.width, frame.height) == (312, 172)
    assert json.loads((tmp_path / "out.json").read_text())["width"] == 311


def test_ten_bits_stay_where_the_codec_has_them_and_play_in_browsers_otherwise(
    pictures: list[np.ndarray], tmp_path: Path
) -> None:
    film = write_film(
        tmp_path / "deep.mkv", pictures[:3], codec="ffv1", codec_options={}, pix_fmt="yuv420p10le"
    )
    for name, codec, pixels in (("a.mkv", "ffv1", "yuv420p10le"), ("b.mp4", "h264", "yuv420p")):
        for effect in ("--track", "--pixelate"):
            assert video(film, "-o", tmp_path / name, "--codec", codec, effect) == 0
            assert {frame.format.name for frame in decoded(tmp_path / name)} == {pixels}
            light = [decoded(path)[0].to_ndarray(format="rgb24").mean() for path in (film, tmp_path / name)]
            assert abs(light[0] - light[1]) < 6


def test_full_colour_range_is_kept(pictures: list[np.ndarray], tmp_path: Path) -> None:
    film = write_film(tmp_path / "full.mp4", pictures[:3], color_range=2)
    assert video(film, "-o", tmp_path / "out.mp4") == 0
    before, after = decoded(film)[0], decoded(tmp_path / "out.mp4")[0]
    assert before.color_range == after.color_range == 2
    luma = [frame.to_ndarray()[:20, 140:].astype(float).mean() for frame in (before, after)]
    assert abs(luma[0] - luma[1]) < 2


@pytest.mark.parametrize(
    ("name", "codec", "written"),
    [
        ("out.webm", None, "vp9"),
        ("out.avi", None, "mpeg4"),
        ("out.mov", "hevc", "hevc"),
        ("out.mkv", "av1", "av1"),
        ("out.ts", "h264", "h264"),
    ],
)
def test_other_codecs_and_containers(
    pictures: list[np.ndarray], tmp_path: Path, name: str, codec: str | None, written: str
) -> None:
    film = write_film(tmp_path / "silent.mp4", pictures[:6])
    assert video(film, "-o", tmp_path / name, *(["--codec", codec] if codec else [])) == 0
    with av.open(str(tmp_path / name)) as out:
        assert out.streams.video[0].codec_context.codec.canonical_name == written
    assert len(decoded(tmp_path / name)) == 6


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="tells threads apart by Linux's /proc")
def test_no_encoder_takes_the_machine(pictures: list[np.ndarray], tmp_path: Path) -> None:
    """SVT-AV1 would make this process and all that it starts a real-time one, as root."""
    film = write_film(tmp_path / "silent.mp4", pictures[:6])
    before = os.sched_getscheduler(0)
    assert video(film, "-o", tmp_path / "out.mkv", "--codec", "av1") == 0
    assert os.sched_getscheduler(0) == before
    policies = {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}
    assert policies == {before}


def test_encoder_options_are_passed_on(film: Path, tmp_path: Path) -> None:
    for crf in (10, 40):
        assert video(film, "-o", tmp_path / f"{crf}.mp4", "--codec-option", f"crf={crf}") == 0
    assert (tmp_path / "10.mp4").stat().st_size > 1.5 * (tmp_path / "40.mp4").stat().st_size


def test_the_time_of_the_stages_adds_up(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert video(film, "-o", tmp_path / "out.mp4") == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"{FRAMES} frames, ")
    seconds = float(said[0].split(" in ")[1].split()[0])
    stages = {words[0]: words for words in map(str.split, said[2:])}
    assert list(stages) == ["read", "detect", "write"]
    for words in stages.values():
        assert abs(float(words[2]) + float(words[4]) - seconds * int(words[1])) < 0.05
