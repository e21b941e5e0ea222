from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import RunLafd
from lafd.images import load_image


def test_a_line_per_picture_and_a_summary(lafd: RunLafd, pictures: Path) -> None:
    done = lafd("detect", pictures)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"{pictures / 'a.png'}: 2 faces  (")
    assert lines[1].startswith(f"{pictures / 'sub' / 'B.JPG'}: 1 face  (")
    assert lines[2] == f"{pictures / 'sub' / 'c.webp'}: 0 faces"
    assert "3 pictures, 3 faces, 0 failures" in done.stderr


def test_json_jsonl_and_csv_say_the_same(lafd: RunLafd, pictures: Path) -> None:
    array = json.loads(lafd("detect", pictures, "--format", "json").stdout)
    lines = [json.loads(line) for line in lafd("detect", pictures, "--format", "jsonl").stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(lafd("detect", pictures, "--format", "csv").stdout)))
    assert array == lines
    assert [len(entry["faces"]) for entry in array] == [2, 1, 0]
    assert (array[1]["width"], array[1]["height"]) == (300, 400)
    assert [row["path"] for row in rows] == [array[0]["path"]] * 2 + [array[1]["path"], array[2]["path"]]
    assert [float(rows[0][key]) for key in ("x1", "y1", "x2", "y2")] == array[0]["faces"][0]["box"]
    assert float(rows[0]["score"]) == array[0]["faces"][0]["score"]
    assert rows[3]["x1"] == "" and rows[3]["width"] == "320"


def test_results_do_not_depend_on_threads_or_batches(lafd: RunLafd, pictures: Path) -> None:
    reference = json.loads(lafd("detect", pictures, "--format", "json", "--threads", 1).stdout)
    for arguments in (["--threads", 3], ["--batch", 4], ["--threads", 2, "--batch", 2]):
        other = json.loads(lafd("detect", pictures, "--format", "json", *arguments).stdout)
        assert [entry["path"] for entry in other] == [entry["path"] for entry in reference]
        for a, b in zip(reference, other, strict=True):
            assert len(a["faces"]) == len(b["faces"])
            for one, same in zip(a["faces"], b["faces"], strict=True):
                assert one["box"] == pytest.approx(same["box"], abs=0.02)


def test_files_globs_and_lists(lafd: RunLafd, pictures: Path) -> None:
    assert len(lafd("detect", pictures / "**" / "*.webp").stdout.splitlines()) == 1
    listed = f"{pictures / 'a.png'}\n{pictures / 'sub' / 'B.JPG'}\n"
    assert len(lafd("detect", "-", stdin=listed).stdout.splitlines()) == 2
    assert len(lafd("detect", "-", pictures / "sub", stdin=listed).stdout.splitlines()) == 4


def test_one_bad_file_does_not_end_the_run(lafd: RunLafd, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes((pictures / "a.png").read_bytes()[:500])
    done = lafd("detect", tmp_path, pictures, "--format", "jsonl")
    assert done.returncode == 1
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (
        sum("error" in record for record in records) == 3
        and sum("faces" in record for record in records) == 3
    )
    for name in ("empty.png", "text.jpg", "cut.png"):
        assert any(name in line for line in done.stderr.splitlines())
    assert "3 failures" in done.stderr and "Traceback" not in done.stderr


def test_output_file_is_chosen_by_ending_and_complete(lafd: RunLafd, pictures: Path, tmp_path: Path) -> None:
    done = lafd("detect", pictures, "-o", "faces.csv")
    assert done.returncode == 0 and done.stdout == ""
    assert (tmp_path / "faces.csv").read_text().startswith("path,frame,width,height,x1")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["faces.csv"]


def test_unwritable_output_is_an_error_before_the_work(lafd: RunLafd, pictures: Path) -> None:
    done = lafd("detect", pictures, "-o", "no/such/folder/faces.json")
    assert (
        done.returncode == 1 and "no/such/folder/faces.json" in done.stderr and "Traceback" not in done.stderr
    )
    blocked = lafd("detect", pictures, "--draw", pictures / "a.png")
    assert blocked.returncode == 1 and "a.png" in blocked.stderr and "Traceback" not in blocked.stderr


def test_a_failed_run_leaves_an_existing_output_alone(lafd: RunLafd, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "faces.json").write_text("precious")
    done = lafd("detect", tmp_path / "nothing-here", "-o", "faces.json")
    assert done.returncode == 2
    assert (tmp_path / "faces.json").read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["faces.json"]


def test_draw_writes_marked_pictures(lafd: RunLafd, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("one", "two"):
        (tmp_path / "in" / name).mkdir()
        (tmp_path / "in" / name / "a.png").write_bytes((pictures / "a.png").read_bytes())
    assert lafd("detect", "in", "--draw", "out", "--threads", 1).returncode == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-2.png", "a.png"]
    before, after = load_image(pictures / "a.png"), load_image(tmp_path / "out" / "a.png")
    assert before.shape == after.shape and (before != after).any()


def test_all_frames_of_an_animation(lafd: RunLafd, pictures: Path, tmp_path: Path) -> None:
    from PIL import Image

    face = Image.open(pictures / "sub" / "B.JPG")
    blank = Image.new("RGB", face.size, (90, 140, 200))
    blank.save(tmp_path / "film.gif", save_all=True, append_images=[face, blank], duration=100)
    first = [json.loads(line) for line in lafd("detect", "film.gif", "--format", "jsonl").stdout.splitlines()]
    assert len(first) == 1 and first[0]["faces"] == []
    every = lafd(
        "detect", "film.gif", "--format", "jsonl", "--all-frames", "--draw", "out"
    ).stdout.splitlines()
    assert [len(json.loads(line)["faces"]) for line in every] == [0, 1, 0]
    assert [json.loads(line)["frame"] for line in every] == [0, 1, 2]
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["no-such-file.png"], "no-such-file.png"),
        (["."], "no pictures"),
        (["PICTURES", "--confidence", "1.5"], "confidence"),
        (["PICTURES", "--iou", "-1"], "iou"),
        (["PICTURES", "--size", "0"], "size"),
        (["PICTURES", "--resize-scale", "0"], "resize scale"),
        (["PICTURES", "--batch", "0"], "batch"),
        (["PICTURES", "--threads", "0"], "threads"),
        (["PICTURES", "--max-faces", "0"], "max faces"),
        (["PICTURES", "--background", "red"], "background"),
        (["PICTURES", "--max-pixels", "0"], "max pixels"),
        (["PICTURES", "--model", "nothing"], "nothing"),
        (["PICTURES", "--device", "quantum"], "quantum"),
        (["PICTURES", "--device", "coreml"], "coreml"),
        (["-"], "standard input"),
        (["PICTURES", "--format", "xml"], "xml"),
        ([], "PATH"),
    ],
)
def test_wrong_usage_is_one_clear_sentence(
    lafd: RunLafd, pictures: Path, arguments: list[str], hint: str
) -> None:
    done = lafd("detect", *(str(pictures) if a == "PICTURES" else a for a in arguments))
    assert done.returncode == 2, done.stderr
    assert hint in done.stderr and "Traceback" not in done.stderr


def test_transparent_pixels_show_the_chosen_background(lafd: RunLafd, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "clear.png"), np.zeros((40, 50, 4), np.uint8))
    for colour, expected in (("ffffff", (255, 255, 255)), ("#ff8000", (0, 128, 255))):
        assert lafd("detect", "clear.png", "--background", colour, "--draw", "out").returncode == 0
        assert (load_image(tmp_path / "out" / "clear.png") == expected).all()


def test_pictures_over_the_limit_are_refused(lafd: RunLafd, pictures: Path) -> None:
    done = lafd("detect", pictures / "a.png", "--max-pixels", 1000)
    assert done.returncode == 1 and "1000" in done.stderr.replace(",", "").replace(" ", "")


def test_help_and_version_are_quick_and_complete(lafd: RunLafd) -> None:
    assert lafd("--version").stdout.startswith("lafd ")
    text = lafd("--help").stdout
    assert "detect" in text and "models" in text
    options = lafd("detect", "--help").stdout
    for option in ("--size", "--resize-scale", "--confidence", "--iou", "--max-faces", "--min-face", "--model",
                   "--device", "--threads", "--batch", "--draw", "--format"):  # fmt: skip
        assert option in options


def test_models_lists_size_cost_accuracy_licence_and_origin(lafd: RunLafd) -> None:
    text = lafd("models").stdout
    for word in ("base (default)", "MB", "multiply-adds", "AP50", "MIT", "trained by"):
        assert word in text
    cards = json.loads(lafd("models", "--format", "json").stdout)
    assert cards[0]["name"] == "base" and len(cards[0]["sha256"]) == 64


def test_demo_draws_and_finds(lafd: RunLafd, tmp_path: Path) -> None:
    done = lafd("demo")
    assert done.returncode == 0, done.stderr
    assert "drawn faces found" in done.stdout
    assert load_image(tmp_path / "lafd-demo.png").shape == (720, 1280, 3)


def test_a_reader_that_leaves_early_is_no_error(pictures: Path) -> None:
    command = f"{sys.executable} -m lafd detect {' '.join([str(pictures)] * 5)} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1 and "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_progress_shows_on_a_terminal_only(pictures: Path, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "lafd", "detect", str(pictures), "-o", str(tmp_path / "faces.json")]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += (chunk := os.read(ours, 4096))
            except OSError:
                break
            if not chunk:
                break
        process.wait()
    os.close(ours)
    assert b"pictures/s" in shown and b"\r" in shown
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\r" not in plain.stderr


def test_import_stays_light() -> None:
    code = "import sys, lafd; print([m for m in ('torch', 'onnx', 'matplotlib', 'tqdm') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_works_from_a_path_with_spaces_and_without_a_home(pictures: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a folder ä 画"
    odd.mkdir()
    (odd / "[1] face.png").write_bytes((pictures / "a.png").read_bytes())
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "lafd", "detect", "[1] face.png"]
    done = subprocess.run(command, cwd=odd, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[1] face.png: 2 faces")


def test_a_picture_of_one_colour_in_every_written_format(lafd: RunLafd, tmp_path: Path) -> None:
    for ending in (".png", ".jpg", ".webp", ".bmp", ".tiff"):
        cv2.imwrite(str(tmp_path / f"x{ending}"), np.full((40, 50, 3), 77, np.uint8))
    done = lafd("detect", ".", "--format", "jsonl")
    assert done.returncode == 0
    assert [json.loads(line)["width"] for line in done.stdout.splitlines()] == [50] * 5
