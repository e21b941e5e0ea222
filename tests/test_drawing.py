from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lafd.cli.demo import FACES, PICTURE
from lafd.drawing import (
    BACKGROUNDS,
    STYLES,
    Character,
    Placement,
    Scene,
    compose,
    demo_scene,
    draw_scene,
    face_polygon,
    random_character,
)
from lafd.drawing.character import EXPRESSIONS, FRINGES, HAIR_STYLES, HEADWEAR, OUTFITS
from lafd.errors import UsageError
from lafd.images import load_image
from lafd.training.samples import read_samples

GREEN = (40, 200, 40)


def blank(width: int = 120, height: int = 120) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREEN, np.uint8)


def portrait(character: Character, size: float = 60) -> Scene:
    return compose(blank(), [Placement(character, 60, 60, size)])


def assert_boxes_are_sound(scene: Scene) -> None:
    height, width = scene.image.shape[:2]
    assert scene.boxes.dtype == np.float32
    assert scene.boxes.shape == (len(scene.characters), 4)
    assert (scene.boxes[:, 2:] > scene.boxes[:, :2]).all()
    assert (scene.boxes >= 0).all()
    assert (scene.boxes <= (width, height, width, height)).all()


@pytest.mark.parametrize("faces", [0, 1, 4, 12])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_scene_has_the_faces_asked_for(faces: int, seed: int) -> None:
    scene = draw_scene(320, 240, seed, faces=faces)
    assert scene.image.shape == (240, 320, 3)
    assert scene.image.dtype == np.uint8
    assert len(scene.boxes) == faces
    assert_boxes_are_sound(scene)


def test_the_same_seed_gives_the_same_pixels() -> None:
    first, second, other = (draw_scene(160, 120, seed) for seed in (5, 5, 6))
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.boxes, second.boxes)
    assert first.characters == second.characters
    assert not np.array_equal(first.image, other.image)


def test_random_characters_come_from_the_generator() -> None:
    cast = [random_character(np.random.default_rng(3), "cel") for _ in range(2)]
    assert cast[0] == cast[1]
    assert cast[0].style == "cel"
    rng = np.random.default_rng(3)
    assert len({random_character(rng) for _ in range(20)}) == 20


def test_the_demo_is_always_the_same_and_varied() -> None:
    scene = demo_scene()
    assert scene.image.shape == (720, 1280, 3)
    assert np.array_equal(scene.image, demo_scene().image)
    assert_boxes_are_sound(scene)
    cast = scene.characters
    assert 7 <= len(cast) <= 9
    assert any(c.chibi for c in cast)
    assert any(c.profile for c in cast)
    assert any(c.style == "manga" for c in cast)
    assert any(c.headwear != "none" for c in cast)
    assert any(min(c.tilt % 360, -c.tilt % 360) > 15 for c in cast)


def test_the_command_demo_shows_this_picture() -> None:
    scene, shipped = demo_scene(), load_image(PICTURE)
    assert shipped.shape == scene.image.shape
    assert np.abs(shipped.astype(int) - scene.image).mean() < 3
    assert len(scene.boxes) == FACES


def test_the_box_holds_the_skin_of_the_face() -> None:
    character = Character(hair_style="short", fringe="parted", skin="#ff00ff", style="flat", outfit="hoodie")
    size = 400
    scene = compose(blank(600, 600), [Placement(character, 300, 300, size)])
    left, top, right, bottom = scene.boxes[0]
    assert bottom - top == pytest.approx(size, abs=1)
    blue, green, red = (scene.image[..., i].astype(int) for i in range(3))
    skin = (blue > 200) & (red > 200) & (green < 90)
    outline = face_polygon(character, (300, 300), size)
    # Ears hide the widest place, and the neck joins at the chin: look at the cheek below the ear and at the jaw.
    for height in (0.28, 0.1):
        row = int(bottom - height * size)
        columns = np.flatnonzero(skin[row])
        edge = outline[np.abs(outline[:, 1] - row) < 0.04 * size, 0]
        assert columns.min() == pytest.approx(edge.min(), abs=0.05 * size)
        assert columns.max() == pytest.approx(edge.max(), abs=0.05 * size)
        assert left < columns.min() < columns.max() < right
    assert skin[int(bottom) - 3, 300]
    assert skin[int(bottom) - 3, 240:360].sum() < 0.5 * skin[int(bottom - 0.1 * size)].sum()


@pytest.mark.parametrize(
    "character", [Character(), Character(yaw=0.5), Character(yaw=1.0), Character(chibi=True)]
)
def test_a_quarter_turn_swaps_the_sides_of_the_box(character: Character) -> None:
    upright, quarter, half = (portrait(replace(character, tilt=tilt)).boxes[0] for tilt in (0.0, 90.0, 180.0))
    width, height = upright[2:] - upright[:2]
    assert quarter[2:] - quarter[:2] == pytest.approx((height, width), abs=0.01)
    assert half[2:] - half[:2] == pytest.approx((width, height), abs=0.01)
    # Clockwise by a quarter, the chin points left: what was below the centre is left of it.
    assert 60 - quarter[0] == pytest.approx(upright[3] - 60, abs=0.01)


def test_a_tilted_face_is_boxed_by_its_outline_not_by_a_turned_box() -> None:
    character = Character(tilt=45.0)
    box = portrait(character).boxes[0]
    outline = face_polygon(character, (60, 60), 60)
    assert box == pytest.approx((*outline.min(0), *outline.max(0)), abs=0.01)
    width, height = portrait(Character()).boxes[0][2:] - portrait(Character()).boxes[0][:2]
    assert box[2] - box[0] < 0.9 * (width + height) / np.sqrt(2)


def test_faces_that_look_the_other_way_are_mirrored() -> None:
    right, left = (portrait(Character(yaw=yaw)).boxes[0] for yaw in (0.9, -0.9))
    assert left[[0, 2]] == pytest.approx(120 - right[[2, 0]], abs=0.01)
    assert left[[1, 3]] == pytest.approx(right[[1, 3]])


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("style", tuple(STYLES)),
        ("expression", EXPRESSIONS),
        ("hair_style", HAIR_STYLES),
        ("fringe", FRINGES),
        ("headwear", HEADWEAR),
        ("outfit", OUTFITS),
    ],
)
def test_every_choice_draws_something_of_its_own(field: str, values: tuple[str, ...]) -> None:
    pictures = set()
    for value in values:
        scene = portrait(replace(Character(), **{field: value}))  # type: ignore[arg-type]
        assert len(scene.boxes) == 1
        pictures.add(scene.image.tobytes())
    assert len(pictures) == len(values)


@pytest.mark.parametrize("style", ["manga", "sketch"])
@pytest.mark.parametrize("background", ["sky", "pattern"])
def test_manga_and_sketches_have_no_colour(style: str, background: str) -> None:
    image = draw_scene(160, 120, 1, faces=2, style=style, background=background).image.astype(int)
    assert np.ptp(image, axis=2).max() < 40


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_every_background_draws_without_faces(background: str) -> None:
    scene = draw_scene(97, 61, 2, faces=0, background=background, style="cel")
    assert scene.image.shape == (61, 97, 3)
    assert scene.boxes.shape == (0, 4)
    assert scene.characters == ()


@pytest.mark.parametrize("size", [8, 20, 1000])
def test_faces_of_all_sizes(size: int) -> None:
    scene = draw_scene(size + 40, size + 40, 3, faces=[((size + 40) / 2, (size + 40) / 2, size)], style="cel")
    assert len(scene.boxes) == 1
    assert_boxes_are_sound(scene)
    assert max(scene.boxes[0][2:] - scene.boxes[0][:2]) == pytest.approx(size, rel=0.3)


def test_explicit_faces_are_where_they_were_put() -> None:
    places = [(40 + 60 * (i % 5), 30 + 50 * (i // 5), 16) for i in range(20)]
    scene = draw_scene(320, 220, 8, faces=places, style="soft")
    assert len(scene.boxes) == 20
    centers = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
    for x, y, size in places:
        assert np.abs(centers - (x, y)).max(1).min() < 0.25 * size


def test_touching_faces_are_both_found() -> None:
    faces = [Placement(Character(hair_style="short"), x, 60, 50) for x in (36, 84)]
    assert len(compose(blank(), faces).boxes) == 2


def test_hidden_faces_have_no_box() -> None:
    behind, front = Placement(Character(), 60, 60, 20), Placement(Character(chibi=True), 60, 60, 60)
    scene = compose(blank(), [behind, front])
    assert scene.characters == (front.character,)
    outside = compose(blank(), [Placement(Character(), 60, 135, 60), Placement(Character(), -500, 60, 60)])
    assert len(outside.boxes) == 0


def test_boxes_are_clipped_at_the_edge() -> None:
    scene = compose(blank(), [Placement(Character(), 0, 60, 80)])
    assert scene.boxes[0][0] == 0
    assert_boxes_are_sound(scene)


def test_compose_leaves_the_background_alone() -> None:
    background = blank()
    scene = compose(background, [Placement(Character(), 60, 60, 60)])
    assert (background == GREEN).all()
    assert (scene.image != background).any()


def test_hard_faces_are_drawn_beside_the_pictures_of_a_data_set(tmp_path: Path) -> None:
    data = {"images": [], "annotations": [], "categories": [{"id": 3, "name": "face"}]}
    (tmp_path / "data.json").write_text(json.dumps(data))
    tool = Path(__file__).parents[1] / "tools/draw_hard_faces.py"
    subprocess.run([sys.executable, tool, tmp_path / "data.json", "3", tmp_path / "more.json"], check=True)
    samples = read_samples(tmp_path / "more.json")
    assert [sample.style for sample in samples] == ["drawn"] * 3
    assert sum(len(sample.boxes) for sample in samples) >= 3
    for sample in samples:
        height, width = load_image(sample.path).shape[:2]
        assert sample.size == (width, height)
        assert (sample.boxes >= 0).all() and (sample.boxes <= (width, height) * 2).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Character(style="oil"), "style is 'oil'; choose one of cel"),
        (lambda: Character(expression="bored"), "expression is 'bored'"),
        (lambda: Character(yaw=2.0), "yaw is 2.0"),
        (lambda: Character(hair_colour="red"), "hair_colour is 'red'"),
        (lambda: draw_scene(8, 200, 0), "8 x 200 pixels is too small"),
        (lambda: draw_scene(200, 200, 0, style="oil"), "no drawing style 'oil'"),
        (lambda: draw_scene(200, 200, 0, background="moon"), "no background 'moon'"),
        (lambda: draw_scene(200, 200, 0, faces=-1), "faces is -1"),
        (lambda: compose(blank(), [Placement(Character(), 9, 9, 0)]), "size of a face is 0"),
    ],
)
def test_bad_arguments_are_named(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=message):
        call()
