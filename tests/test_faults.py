"""A part of what benchmarks/faults.py runs, and the faults that it has found."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from damage import damaged, intact
from damaged_annotations import damaged_annotations
from hostile import gif_of_frames, hostile, jpeg_of_scans, with_size
from lafd import Detector, Options
from lafd.annotations import FORMATS, Annotation, read_annotations, write_annotations
from lafd.errors import ImageError, LafdError
from lafd.images import load_frames, load_image
from lafd.pipeline import Work, detect_files
from test_annotations_bad_input import coco, region, write

LIMIT = 1_000_000
SLOW_TO_MAKE = ("in one colour", "scans", "5000 frames", "200 MB", "100 MB", "6000 x 6000", "5000 packed")


def assert_clear(error: BaseException) -> None:
    assert 10 < len(str(error)) < 700
    assert str(error).isprintable()


def test_damaged_pictures_are_read_or_refused(detector: Detector, tmp_path: Path) -> None:
    options, refused = Options(size=64, max_pixels=LIMIT), 0
    for number in range(0, 10_000, 31):
        what, data = damaged(number)
        (tmp_path / "picture").write_bytes(data)
        for result in detect_files(detector, [tmp_path / "picture"], options, Work(all_frames=True)):
            assert (result.error is None) != (result.detections is None), what
            if result.error:
                refused += 1
                assert_clear(ImageError(result.error))
    assert 100 < refused < 280


def test_hostile_pictures_are_read_or_refused() -> None:
    for name, make in hostile().items():
        if not any(slow in name for slow in SLOW_TO_MAKE):
            try:
                assert load_image(make(), max_pixels=LIMIT).size <= 3 * LIMIT, name
            except ImageError as error:
                assert_clear(error)


def test_damaged_annotations_are_read_or_refused(tmp_path: Path) -> None:
    for number in range(0, 3_000, 13):
        _, kind, files = damaged_annotations(number)
        folder = tmp_path / str(number)
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        file = {"coco": "a.json", "label-studio": "a.json", "cvat": "annotations.xml"}.get(kind, "")
        other = list(FORMATS)[number // len(FORMATS) % len(FORMATS)]
        try:
            data_set = read_annotations(folder / file, kind if number % 2 else None)
            assert all(problem.isprintable() for problem in data_set.problems)
            write_annotations(
                data_set, folder / ("out" if other in ("yolo", "voc", "labelme") else "out.x"), other
            )
        except LafdError as error:
            assert 10 < len(str(error)) < 6000  # a name may be long


def test_files_that_wrap_others_stay_shut() -> None:
    """Pillow would hand what an IPTC file wraps to Ghostscript, and decode what an ICO wraps at any size."""
    for name, make in hostile().items():
        if name.startswith(("IPTC", "ICO", "PostScript")):
            with pytest.raises(ImageError, match=r"known format|\(cannot load this image\)"):
                load_image(make())


def test_the_service_looks_at_all_of_a_signature() -> None:
    pytest.importorskip("fastapi")
    from lafd.serve.faces import SIGNATURES

    for kind, file in intact().items():
        served = kind.startswith(("jpeg", "mpo", "png", "apng", "gif", "webp", "avif", "bmp", "tiff"))
        assert bool(SIGNATURES.match(file)) == served, kind
    for name in ("PSD dressed up as WebP", "IPTC that holds PostScript, dressed up as WebP"):
        assert not SIGNATURES.match(hostile()[name]())


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    with pytest.raises(ImageError, match=r"it has 30\d scans"):
        load_image(jpeg_of_scans(4000, 300))
    assert load_image(jpeg_of_scans(64, 300)).shape == (64, 64, 3)


def test_frames_are_not_all_in_memory_at_once(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(gif_of_frames(1000, 60))
    tracemalloc.start()
    try:
        results = list(detect_files(detector, [tmp_path / "a.gif"], Options(size=32), Work(all_frames=True)))
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert [result.frame for result in results] == list(range(60))


def test_an_apng_that_promises_frames_has_those_that_it_has() -> None:
    frames = load_frames(hostile()["APNG that promises 2147483647 frames"]())
    assert [next(frames).shape for _ in range(3)] == [(72, 96, 3)] * 3
    with pytest.raises(ImageError, match="truncated"):
        next(frames)


def test_a_file_of_very_many_frames_is_given_up(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "a.tiff").write_bytes(hostile()["TIFF of 20000 pages"]())
    (result,) = detect_files(detector, [tmp_path / "a.tiff"], Options(size=32), Work(all_frames=True))
    assert result.error is not None and "more than 5000 frames; make several files" in result.error


def test_sizes_over_the_limit_are_named() -> None:
    for kind in ("png rgb", "gif", "bmp", "tga", "qoi", "jpeg baseline", "tiff", "ppm"):
        with pytest.raises(ImageError, match=r"65500 x 65500 pixels are over the limit|Pillow's own limit"):
            load_image(with_size(kind, 65_500, 65_500))


@pytest.mark.parametrize(
    "text",
    [
        "!!int ''",
        "!!bool x",
        "!!timestamp x",
        "names: &a [*a]",
        "a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b, *b]",
    ],
)
def test_yaml_that_is_a_trap_is_refused(text: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(LafdError, match=r"a\.yaml: not readable YAML"):
        read_annotations(write(tmp_path / "a.yaml", text))


def test_xml_of_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("defusedxml")
    with pytest.raises(LafdError, match="not readable XML"):
        read_annotations(write(tmp_path / "a.xml", '<?xml version="1.0" encoding="x"?><annotations/>'))


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000, "a\0b", "\ud800", "http://[", "\x1b[31m"])
def test_names_that_no_system_takes_are_listed(name: str, tmp_path: Path) -> None:
    task = {"data": {"image": name}, "annotations": [{"result": []}]}
    shapes = {"shapes": [], "imagePath": name}
    lists: dict[str, Any] = {"coco": coco(file_name=name, width=0), "label-studio": [task], "labelme": shapes}
    for kind, content in lists.items():
        found = read_annotations(write(tmp_path / kind / "a.json", content), kind)
        assert found.images == () and len(found.problems) == 1
        assert found.problems[0].isprintable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": []},
        {"value": {"width": 1, "rectanglelabels": 5}},
        {"value": {"width": 1, "rectanglelabels": {"a": 1}}},
        {"type": "choices", "value": {"choices": 7}},
        {"type": "labels", "id": {}},
    ],
)
def test_label_studio_regions_may_hold_anything(wrong: dict[str, Any], tmp_path: Path) -> None:
    for results in ([region(**wrong), region()], 7, {"a": 1}):
        task = {"data": {"image": "a.png"}, "annotations": [{"result": results}], "predictions": 3.5}
        assert len(read_annotations(write(tmp_path / "a.json", [task]), "label-studio").images) <= 1
    task = {"data": {"image": "a.png", "width": 9, "height": 9}, "annotations": 0.5}
    assert len(read_annotations(write(tmp_path / "a.json", [task])).images) == 1


def test_turns_of_any_number_are_turns(tmp_path: Path) -> None:
    assert Annotation((1, 2, 3, 4), tilt=1e300).tilt == pytest.approx(
        Annotation((1, 2, 3, 4), tilt=1e300 % 360).tilt
    )
    found = read_annotations(write(tmp_path / "a.json", coco({"attributes": {"rotation": 10**400}})))
    assert found.images[0].annotations[0].tilt == 0


def test_names_of_thousands_of_characters_make_messages_of_hundreds(tmp_path: Path) -> None:
    for name in ("[" * 5000, "a/" * 5000 + "b.png"):
        with pytest.raises(ImageError) as caught:
            load_image(tmp_path / name)
        assert_clear(caught.value)
        assert "long" in str(caught.value)[-30:]
