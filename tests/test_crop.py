"""Where crops lie, and what comes out of the files that the command crops."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lafd.cli import main
from lafd.crop import CropRule, Region, cut, face_region, frame_region, to_picture
from lafd.crop_names import Names, Template
from lafd.drawing import draw_scene
from lafd.errors import LafdError, UsageError
from lafd.images import load_image, save_image

NO_MARGIN = (0.0, 0.0, 0.0, 0.0)


def box(*sides: float) -> np.ndarray:
    return np.array(sides, np.float32)


def coordinates(width: int, height: int) -> np.ndarray:
    """uint8 (h, w, 3) with the place of each pixel in it: blue is x, green is y."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], 2).astype(np.uint8)


# Geometry


def test_margins_are_shares_of_the_side_they_lie_along() -> None:
    region = face_region(box(40, 60, 60, 100), (200, 200), CropRule((0.5, 0.25, 1, 0)))
    assert region.box == (30, 50, 80, 100)


def test_the_shorter_direction_grows_to_the_aspect_around_the_same_middle() -> None:
    assert face_region(box(90, 80, 110, 120), (200, 200), CropRule(NO_MARGIN, 1)).box == (80, 80, 120, 120)
    assert face_region(box(90, 80, 110, 120), (200, 200), CropRule(NO_MARGIN, 2)).box == (60, 80, 140, 120)
    assert face_region(box(90, 80, 110, 120), (200, 200), CropRule(NO_MARGIN, 0.25)).box == (90, 60, 110, 140)


def test_at_the_edge_a_crop_is_moved_or_filled() -> None:
    corner = box(0, 0, 20, 20)
    assert face_region(corner, (100, 100), CropRule((0.5,) * 4)).box == (0, 0, 40, 40)
    assert face_region(corner, (100, 100), CropRule((0.5,) * 4, pad=True)).box == (-10, -10, 30, 30)


def test_a_crop_larger_than_the_picture_becomes_smaller_and_keeps_the_aspect_asked_for() -> None:
    assert face_region(box(10, 10, 50, 30), (60, 40), CropRule((1,) * 4, 1)).box == (10, 0, 50, 40)
    assert face_region(box(10, 10, 50, 30), (60, 40), CropRule((1,) * 4)).box == (0, 0, 60, 40)


boxes_in_picture = st.tuples(
    st.floats(0, 0.98),
    st.floats(0, 0.98),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.integers(1, 900),
    st.integers(1, 900),
)


@settings(max_examples=200, deadline=None)
@given(boxes_in_picture, st.floats(-0.4, 3), st.none() | st.floats(0.1, 10))
def test_moved_crops_lie_on_whole_pixels_inside_the_picture(
    place: tuple[float, float, float, float, int, int], margin: float, aspect: float | None
) -> None:
    left, top, width, height, picture_width, picture_height = place
    x1, y1 = left * picture_width, top * picture_height
    face = box(
        x1,
        y1,
        min(x1 + width * picture_width, picture_width),
        min(y1 + height * picture_height, picture_height),
    )
    region = face_region(face, (picture_width, picture_height), CropRule((margin,) * 4, aspect))
    x1, y1, x2, y2 = region.box
    assert all(side.is_integer() for side in region.box)
    assert 0 <= x1 < x2 <= picture_width
    assert 0 <= y1 < y2 <= picture_height
    if aspect and min(x2 - x1, y2 - y1) > 20:
        assert (x2 - x1) / (y2 - y1) == pytest.approx(aspect, rel=0.1)


@pytest.mark.parametrize(
    "rule", [{"margin": (-0.6, 0, -0.5, 0)}, {"margin": (float("nan"),) * 4}, {"aspect": 0}, {"aspect": 1000}]
)
def test_impossible_rules_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        CropRule(**rule)  # type: ignore[arg-type]


# Cutting


def test_an_upright_cut_holds_exactly_its_pixels() -> None:
    image = coordinates(60, 40)
    crop = cut(image, Region(25, 20, 10, 20))
    np.testing.assert_array_equal(crop, image[10:30, 20:30])
    crop[:] = 7
    assert not (image == 7).all(2).any()


def test_outside_the_picture_is_the_colour_or_the_edge() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[:, 0] = (9, 9, 9)
    filled = cut(image, Region(0, 5, 10, 10), (255, 128, 0))
    assert filled[0, 0].tolist() == [0, 128, 255]  # RGB in, BGR out
    assert filled[0, 5].tolist() == [9, 9, 9]
    assert cut(image, Region(0, 5, 10, 10))[0, 0].tolist() == [9, 9, 9]
    with pytest.raises(UsageError, match="share at least a pixel"):
        cut(image, Region(50, 50, 4, 4))
    with pytest.raises(UsageError, match="too large"):
        cut(image, Region(5, 5, 40000, 10))


def test_a_leaning_face_comes_out_upright() -> None:
    """A face whose forehead is red and whose chin is blue, drawn upright, then turned clockwise with the picture."""
    upright = np.full((200, 200, 3), 255, np.uint8)
    cv2.rectangle(upright, (80, 60), (119, 99), (0, 0, 255), -1)
    cv2.rectangle(upright, (80, 100), (119, 139), (255, 0, 0), -1)
    for tilt in (30.0, -75.0, 160.0):
        matrix = cv2.getRotationMatrix2D((99.5, 99.5), -tilt, 1)  # OpenCV counts anticlockwise
        turned = cv2.warpAffine(upright, matrix, (200, 200), borderValue=(255, 255, 255))
        region = face_region(box(80, 60, 120, 140), (200, 200), CropRule(NO_MARGIN), tilt)
        crop = cut(np.asarray(turned, np.uint8), region)
        assert crop.shape == (80, 40, 3)
        np.testing.assert_allclose(crop[4:36, 4:-4], np.broadcast_to((0, 0, 255), (32, 32, 3)), atol=2)
        np.testing.assert_allclose(crop[44:-4, 4:-4], np.broadcast_to((255, 0, 0), (32, 32, 3)), atol=2)


def test_margins_of_a_leaning_face_lean_with_it() -> None:
    region = face_region(box(90, 90, 110, 110), (400, 400), CropRule((0, 1, 0, 0)), 90)
    assert (region.x, region.y) == pytest.approx((110, 100))  # its top points to the right
    assert (region.width, region.height) == (20, 40)


def test_the_map_of_a_turned_crop_leads_back_to_the_picture() -> None:
    matrix = to_picture(Region(50, 40, 20, 10, 90), (20, 10))
    np.testing.assert_allclose(matrix @ (9.5, 4.5, 1), (49.5, 39.5), atol=1e-9)  # centre to centre
    np.testing.assert_allclose(matrix @ (19.5, 4.5, 1), (49.5, 49.5), atol=1e-9)  # right becomes down


# Framing


def test_a_frame_is_the_largest_of_its_aspect_and_holds_all_faces_that_fit() -> None:
    region = frame_region(np.stack([box(100, 200, 160, 260), box(500, 220, 540, 260)]), (800, 800), 16 / 9)
    x1, y1, x2, y2 = region.box
    assert (x1, x2) == (0, 800)
    assert y2 - y1 == 450
    assert y1 <= 200 - 0.6 * 60  # hair is in
    assert y2 >= 260


def test_a_frame_puts_faces_above_the_middle() -> None:
    _, y1, _, y2 = frame_region(box(300, 900, 400, 1000)[None], (800, 2000), 1).box
    assert (950 - y1) / (y2 - y1) == pytest.approx(0.4, abs=0.01)


def test_a_frame_holds_the_main_face_when_not_all_fit() -> None:
    faces = np.stack([box(10, 40, 60, 90), box(800, 20, 900, 120)])
    x1, _, x2, _ = frame_region(faces, (1000, 200), 1).box
    assert x2 - x1 == 200
    assert x1 <= 800
    assert x2 >= 900


def test_a_close_frame_holds_the_faces_with_their_margin() -> None:
    region = frame_region(box(480, 480, 520, 520)[None], (1000, 1000), 1, margin=0.5)
    assert region.width == region.height == pytest.approx(40 + 0.6 * 40 + 2 * 0.5 * 40, abs=1)


def test_a_frame_without_faces_is_the_middle() -> None:
    assert frame_region(np.zeros((0, 4), np.float32), (400, 200), 1).box == (100, 0, 300, 200)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), max_size=5),
    st.integers(1, 700),
    st.integers(1, 700),
    st.floats(0.2, 5),
    st.none() | st.floats(0, 3),
)
def test_frames_never_leave_the_picture_and_hold_the_main_face_if_it_fits(
    sides: list[tuple[float, float, float, float]],
    width: int,
    height: int,
    aspect: float,
    margin: float | None,
) -> None:
    scale = np.array([width, height], np.float32)
    corners = np.array(sides, np.float32).reshape(-1, 2, 2)
    faces = np.concatenate([corners.min(1) * scale, corners.max(1) * scale], 1)
    x1, y1, x2, y2 = frame_region(faces, (width, height), aspect, margin).box
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    if len(faces):
        main = faces[np.argmax((faces[:, 2:] - faces[:, :2]).prod(1))]
        if main[2] - main[0] < x2 - x1 - 1:
            assert x1 - 1 <= main[0] <= main[2] <= x2 + 1
        if main[3] - main[1] < y2 - y1 - 1:
            assert y1 - 1 <= main[1] <= main[3] <= y2 + 1


# Names


@pytest.mark.parametrize(
    "pattern",
    [
        "../{stem}-{index}",
        "/tmp/{stem}-{index}",
        "a//{stem}-{index}",
        "..\\{stem}-{index}",
        "{stem}-{index}/..",
        "{stem.__class__}-{index}",
        "{stem!r}-{index}",
        "{0}-{stem}-{index}",
        "{stem}-{index:9999d}",
        "{stem}-{index:{width}}",
        "{stem:d}-{index}",
        "{stem}",
        "{index}",
        "{stem}-{index",
        "",
    ],
)
def test_names_that_are_wrong_or_dangerous_are_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        Template(pattern, many=True)


@pytest.mark.parametrize(
    "stem", ["..", ".", "", "a/b", "..\\x", "con: <1>", "ö" * 300, ".hidden", "tab\there"]
)
def test_no_stem_leads_out_of_the_folder(stem: str) -> None:
    name = Template("{folder}/{stem}-{index:02d}", many=True).name({"folder": "..", "stem": stem, "index": 3})
    assert len(name.parts) == 2
    assert ".." not in name.parts
    assert name.name.endswith("-03")
    assert len(name.name.encode()) < 200


def test_the_same_paths_get_the_same_different_stems() -> None:
    paths = [Path("a/x.png"), Path("b/x.png"), Path("c/X.jpg"), Path("x_2.png")]
    first, second = Names(), Names()
    stems = [first.stem(path) for path in paths]
    assert stems == [second.stem(path) for path in paths]
    assert len({stem.lower() for stem in stems}) == 4


def test_no_file_is_written_twice() -> None:
    names = Names()
    names.claim_all(["a11.png"])
    with pytest.raises(LafdError, match=r"A11\.png"):
        names.claim_all(["A11.png"])


# The command, on the boxes of an annotation file


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two drawn pictures, a file that is none, and their boxes."""
    folder = tmp_path / "pictures"
    images, boxes = [], []
    for i, (name, width, height) in enumerate((("a.png", 320, 240), ("sub/a.png", 200, 260))):
        scene = draw_scene(width, height, seed=i, faces=[(80, 90, 50), (150, 120, 60)])
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_image(folder / name, scene.image)
        images.append({"id": i, "file_name": name, "width": width, "height": height})
        for j, (x, y, side) in enumerate(((60, 60, 40), (120, 90, 60), (0, 0, 30))):
            boxes.append(
                {
                    "image_id": i,
                    "category_id": 1,
                    "bbox": [x, y, side, side],
                    "score": 0.9 - j / 10,
                    "iscrowd": j // 2,
                }
            )
    (folder / "bad.png").write_bytes(b"no picture")
    images.append({"id": 9, "file_name": "bad.png", "width": 10, "height": 10})
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "face"}]}
    (folder / "boxes.json").write_text(json.dumps(content))
    return folder


def crop(pictures: Path, out: Path, *more: str) -> int:
    return main(["crop", "--annotations", str(pictures / "boxes.json"), "-o", str(out), *more])


def test_one_bad_picture_stops_nothing(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crop(pictures, tmp_path / "out") == 1
    written = sorted(p.name for p in (tmp_path / "out").glob("*.png"))
    assert written == ["a-01.png", "a-02.png", "a_2-01.png", "a_2-02.png"]  # ignore regions are no faces
    assert "3 pictures, 4 crops, 1 failures" in capsys.readouterr().err


def test_the_manifest_leads_back_to_the_source(pictures: Path, tmp_path: Path) -> None:
    crop(pictures, tmp_path / "out", "--margin", "0.5", "--name", "{folder}/{stem}-{index}")
    records = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]
    assert [Path(r["path"]).relative_to(pictures).as_posix() for r in records] == [
        "a.png",
        "sub/a.png",
        "bad.png",
    ]
    assert "error" in records[2]
    entry = records[0]["crops"][0]
    assert entry["file"] == "pictures/a-1.png"
    assert entry["faces"] == [{"box": [60, 60, 100, 100], "score": 0.9}]
    x1, y1, x2, y2 = map(int, entry["region"])
    assert (x1, y1, x2, y2) == (40, 40, 120, 120)
    source = load_image(pictures / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "out" / entry["file"]), source[y1:y2, x1:x2])
    with (tmp_path / "out/manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4
    assert (rows[0]["file"], rows[0]["x1"], rows[0]["score"]) == ("pictures/a-1.png", "60.0", "0.9")


def test_top_by_area_size_and_quality(pictures: Path, tmp_path: Path) -> None:
    crop(
        pictures,
        tmp_path / "out",
        "--top",
        "1",
        "--by",
        "area",
        "--resize",
        "64x96",
        "--format",
        "jpg",
        "--name",
        "{stem}",
    )
    crops = sorted((tmp_path / "out").glob("*.jpg"))
    assert [p.name for p in crops] == ["a.jpg", "a_2.jpg"]
    assert load_image(crops[0]).shape == (96, 64, 3)
    entry = json.loads((tmp_path / "out/manifest.jsonl").read_text().splitlines()[0])["crops"][0]
    assert entry["faces"][0]["box"] == [120, 90, 180, 150]
    x1, y1, x2, y2 = entry["region"]
    assert (x2 - x1) / (y2 - y1) == pytest.approx(64 / 96, rel=0.02)


def test_small_crops_are_left_out(pictures: Path, tmp_path: Path) -> None:
    crop(pictures, tmp_path / "out", "--margin", "0", "--min-size", "50")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.png")) == ["a-01.png", "a_2-01.png"]


def test_a_run_that_was_stopped_goes_on(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    crop(pictures, out)
    manifest = out / "manifest.jsonl"
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text(lines[0] + lines[1][:40])  # killed while the second line was written
    before = (out / "a-01.png").stat().st_mtime_ns
    (out / "a_2-01.png").unlink()
    capsys.readouterr()
    assert crop(pictures, out) == 2
    assert "--resume" in capsys.readouterr().err
    assert crop(pictures, out, "--resume") == 1
    assert "2 pictures, 2 crops, 1 failures" in capsys.readouterr().err
    assert (out / "a_2-01.png").is_file()
    assert (out / "a-01.png").stat().st_mtime_ns == before
    paths = [json.loads(line)["path"] for line in manifest.read_text().splitlines()]
    assert len(paths) == len(set(paths)) == 3
    assert len((out / "manifest.csv").read_text().splitlines()) == 5


def test_frames_are_one_per_picture(pictures: Path, tmp_path: Path) -> None:
    crop(pictures, tmp_path / "out", "--frame", "2:1", "--resize", "100", "--format", "webp")
    crops = sorted((tmp_path / "out").glob("*.webp"))
    assert [p.name for p in crops] == ["a.webp", "a_2.webp"]
    assert load_image(crops[0]).shape == (50, 100, 3)
    entry = json.loads((tmp_path / "out/manifest.jsonl").read_text().splitlines()[0])["crops"][0]
    assert len(entry["faces"]) == 2


def test_an_annotated_tilt_turns_the_crop(tmp_path: Path) -> None:
    picture = np.full((100, 100, 3), 255, np.uint8)
    picture[40:60, 50:80] = (
        0,
        0,
        255,
    )  # what lies to the right is the top of a face that leans by 90 degrees
    save_image(tmp_path / "a.png", picture)
    face = {"image_id": 1, "category_id": 1, "bbox": [40, 20, 20, 60], "attributes": {"rotation": 90.0}}
    image = {"id": 1, "file_name": "a.png", "width": 100, "height": 100}
    content = {"images": [image], "annotations": [face], "categories": [{"id": 1, "name": "face"}]}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    assert crop(tmp_path, tmp_path / "out", "--margin", "0") == 0
    upright = load_image(tmp_path / "out/a-01.png")
    assert upright.shape == (60, 20, 3)
    assert upright[4:26, 4:16].reshape(-1, 3).max(0).tolist() == [0, 0, 255]
    assert upright[34:, 4:16].min() == 255


@pytest.mark.parametrize(
    "wrong",
    [
        ["--frame", "16x9"],
        ["--frame", "1:1", "--top", "2"],
        ["--aspect", "1:0"],
        ["--aspect", "1:1", "--resize", "10x20"],
        ["--resize", "0"],
        ["--margin", "1,2"],
        ["--margin", "-0.5"],
        ["--pad", "pink"],
        ["--top", "0"],
        ["--quality", "0", "--format", "jpg"],
        ["--name", "../{stem}{index}"],
        ["a.png"],
    ],
)
def test_wrong_arguments_are_told_before_anything_is_written(
    wrong: list[str], pictures: Path, tmp_path: Path
) -> None:
    assert crop(pictures, tmp_path / "out", *wrong) == 2
    assert not (tmp_path / "out").exists()


def test_faces_are_found_by_the_detector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_image(tmp_path / "a.png", draw_scene(320, 240, seed=1, faces=2).image)
    arguments = [
        "crop",
        str(tmp_path / "a.png"),
        "-o",
        str(tmp_path / "out"),
        "--confidence",
        "0.01",
        "--top",
        "1",
    ]
    assert main([*arguments, "--threads", "1", "--aspect", "1:1"]) == 0
    crop_made = load_image(tmp_path / "out/a-01.png") if (tmp_path / "out/a-01.png").exists() else None
    assert crop_made is not None
    assert crop_made.shape[0] == crop_made.shape[1]
    assert "1 pictures, 1 crops, 0 failures" in capsys.readouterr().err
