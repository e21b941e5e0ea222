"""OpenCV makes lafd faster and changes nothing else: the same faces, crops and pixels are found without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lafd.drawing import demo_scene, draw_scene
from lafd.images import read_image, save_image
from lafd.transform import halve, interpolate, turn

WITHOUT = "import sys; sys.modules['cv2'] = None; "
SIZES = [(800, 600), (501, 703), (37, 211), (640, 360), (1920, 1080)]

PIXELS = (
    WITHOUT
    + """
from pathlib import Path
import numpy as np
from lafd.images import read_image
from lafd.transform import halve, interpolate, turn
folder = Path(sys.argv[1])
found = {}
for path in sorted(folder.glob("*.*")):
    for side in (None, 100):
        found[f"{path.name} {side}"] = read_image(path, reduce_to=side).pixels
    image = read_image(path).pixels
    target = np.zeros((240, 320, 3), np.uint8)
    interpolate(image, target)
    found[f"{path.name} scaled"] = target
    if min(image.shape[:2]) > 1:
        found[f"{path.name} half"] = halve(image)
    for quarters in (1, 2, 3):
        found[f"{path.name} turned {quarters}"] = turn(image, quarters)
np.savez(sys.argv[2], **found)
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures of many sizes, JPEG in colour, in grey and with a turn among them."""
    folder = tmp_path_factory.mktemp("pictures")
    for number, (width, height) in enumerate(SIZES):
        save_image(folder / f"{number}.png", draw_scene(width, height, number, faces=2).image)
    save_image(folder / "five pixels.png", np.arange(15, dtype=np.uint8).reshape(5, 1, 3))
    scene = demo_scene().image
    save_image(folder / "scene.jpg", scene)
    picture = Image.fromarray(scene[..., ::-1])
    picture.convert("L").save(folder / "grey.jpeg")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "turned.jpg", exif=exif)
    return folder


def lafd(*arguments: str, opencv: bool, cwd: Path) -> str:
    """Runs the command in a process of its own and returns its output."""
    code = ("" if opencv else WITHOUT) + "from lafd.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pixels_are_the_same(folder: Path, tmp_path: Path) -> None:
    found = tmp_path / "found.npz"
    subprocess.run([sys.executable, "-c", PIXELS, str(folder), str(found)], check=True)
    with np.load(found) as arrays:
        without = dict(arrays)
    for path in sorted(folder.glob("*.*")):
        image = read_image(path).pixels
        for side in (None, 100):
            assert np.array_equal(without[f"{path.name} {side}"], read_image(path, reduce_to=side).pixels)
        target = np.zeros((240, 320, 3), np.uint8)
        interpolate(image, target)
        assert np.abs(without[f"{path.name} scaled"].astype(int) - target).max() <= 1
        if min(image.shape[:2]) > 1:
            assert np.array_equal(without[f"{path.name} half"], halve(image))
        for quarters in (1, 2, 3):
            assert np.array_equal(without[f"{path.name} turned {quarters}"], turn(image, quarters))


@pytest.mark.parametrize("options", [[], ["--size", "320"], ["--turned"], ["--slice", "400"]])
def test_faces_are_the_same(folder: Path, options: list[str]) -> None:
    arguments = ["detect", str(folder), "--format", "jsonl", *options]
    pairs = [lafd(*arguments, opencv=opencv, cwd=folder).splitlines() for opencv in (True, False)]
    assert len(pairs[0]) == len(pairs[1]) == len(SIZES) + 4
    for with_it, without in (map(json.loads, pair) for pair in zip(*map(sorted, pairs), strict=True)):
        assert with_it["path"] == without["path"]
        boxes = [np.array([face["box"] for face in line["faces"]]) for line in (with_it, without)]
        assert boxes[0].shape == boxes[1].shape
        assert np.abs(boxes[0] - boxes[1]).max(initial=0) < 1.5


def test_what_an_uninstalled_package_leaves_is_not_used(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2/__init__.py").touch()
    detect = [sys.executable, "-m", "lafd", "detect", str(folder / "scene.jpg"), "--format", "jsonl"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(detect, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0 and done.stdout.count('"score"') == 8, done.stderr


def test_what_needs_it_says_how_to_get_it(folder: Path, tmp_path: Path) -> None:
    code = WITHOUT + "import lafd.drawing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert "pip install 'lafd[opencv]'" in done.stderr
    code = WITHOUT + "from lafd.cli import main; raise SystemExit(main())"
    train = [sys.executable, "-c", code, "train", "--data", "a.json", "--out", str(tmp_path)]
    done = subprocess.run(train, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2 and "pip install 'lafd[train]'" in done.stderr
