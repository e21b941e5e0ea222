"""Faces that lie or hang are found in turned pictures, where they are, and once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from conftest import RunLafd
from lafd import Detector, Options
from lafd import boxes as box_maths
from lafd.drawing import Scene, draw_scene
from lafd.images import Picture, save_image
from lafd.turning import turn, turn_back


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Two upright faces in a picture of 500 x 320."""
    return draw_scene(500, 320, 9, faces=[(130, 150, 110), (360, 170, 140)], style="cel", background="sky")


@pytest.mark.parametrize("quarters", range(4))
def test_boxes_turn_back_to_the_pixels_they_were_found_on(quarters: int) -> None:
    pixels = np.zeros((50, 80, 3), np.uint8)
    pixels[10:24, 33:69] = 255
    turned = turn(Picture(pixels, 160, 100), quarters)  # a picture that was read at half its size
    assert turned.pixels.shape[:2] == (turned.height // 2, turned.width // 2)
    rows, columns = np.nonzero(turned.pixels[..., 0])
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32) * 2
    assert turn_back(box, quarters, Picture(pixels, 160, 100)).tolist() == [[66, 20, 138, 48]]


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_faces_are_found_once_however_the_picture_is_turned(
    detector: Detector, scene: Scene, quarters: int
) -> None:
    upright = detector.detect(scene.image, Options(turned=True))
    assert ((box_maths.iou(scene.boxes, upright.boxes) > 0.5).sum(1) == 1).all()
    picture = turn(Picture(scene.image, 500, 320), quarters)
    found = detector.detect(picture.pixels, Options(turned=True))
    assert (found.width, found.height) == (picture.width, picture.height)
    back = turn_back(found.boxes, quarters, Picture(scene.image, 500, 320))
    assert np.allclose(back[:2], upright.boxes[:2], atol=0.01)
    assert np.allclose(found.scores[:2], upright.scores[:2], atol=1e-3)
    best = detector.detect(picture.pixels, Options(turned=True, max_faces=1))
    assert best.boxes.tolist() == found.boxes[:1].tolist()


def test_a_scene_upside_down_needs_it_on_the_command_line_too(
    lafd: RunLafd, detector: Detector, scene: Scene, tmp_path: Path
) -> None:
    hanging = np.ascontiguousarray(scene.image[::-1, ::-1])
    alone = detector.detect(scene.image, Options(confidence=0.6))
    save_image(tmp_path / "hanging.png", hanging)
    arguments = ["detect", "hanging.png", "--confidence", 0.6, "--format", "json", "--threads", 1]
    counts = [len(json.loads(lafd(*arguments, *more).stdout)[0]["faces"]) for more in ((), ("--turned",))]
    assert len(alone) == 2 and counts[0] < 2 and counts[1] == 2


def test_tiles_are_turned_too(detector: Detector) -> None:
    crowd = draw_scene(
        960, 640, 4, faces=[(90 + 110 * i, 320, 28) for i in range(7)], style="cel", background="sky"
    )
    hanging = np.ascontiguousarray(crowd.image[::-1, ::-1])
    upright = detector.detect(crowd.image, Options(size=320, slice=320))
    found = detector.detect(hanging, Options(size=320, slice=320, turned=True))
    assert len(upright) > 4 and len(found) >= len(upright) - 1
