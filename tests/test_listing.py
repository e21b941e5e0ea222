"""Listing pictures in files, folders and patterns."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from lafd.errors import UsageError
from lafd.listing import list_images


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def listed(root: Path, *names: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in list_images([root / name for name in names])]


def test_files_are_taken_as_they_are(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a.dat", ".hidden")
    assert listed(tmp_path, "b.jpg", "a.dat", ".hidden") == ["b.jpg", "a.dat", ".hidden"]


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    make(
        tmp_path,
        "b.jpg",
        "a.PNG",
        "notes.txt",
        "z/2.webp",
        "z/1.Jpeg",
        "c/d/e.avif",
        "no_ending",
        "10.gif",
        "c/a.tif",
    )
    expected = ["10.gif", "a.PNG", "b.jpg", "c/a.tif", "c/d/e.avif", "z/1.Jpeg", "z/2.webp"]
    assert listed(tmp_path, "") == expected
    assert list(list_images(tmp_path)) == [tmp_path / name for name in expected]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "._a.jpg", ".cache/b.jpg", "c/.thumbs/d.jpg", "folder.jpg/e.png")
    assert listed(tmp_path, "") == ["a.jpg", "folder.jpg/e.png"]
    assert listed(tmp_path, ".cache") == [".cache/b.jpg"]


def test_names_are_relative_if_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "photos/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert list(list_images(["photos"])) == [Path("photos/a.jpg")]
    assert list(list_images(["photos/*"])) == [Path("photos/a.jpg")]
    assert list(list_images(["."])) == [Path("photos/a.jpg")]


def test_the_same_file_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.jpg", "b.jpg", "c/d.jpg")
    assert listed(tmp_path, "b.jpg", "", "a.jpg", "c", "b.jpg", "*.jpg") == ["b.jpg", "a.jpg", "c/d.jpg"]
    monkeypatch.chdir(tmp_path)
    assert list(list_images(["a.jpg", tmp_path / "a.jpg"])) == [Path("a.jpg")]


def test_links_are_followed_without_loops(tmp_path: Path) -> None:
    make(tmp_path, "photos/a.jpg", "photos/sub/b.jpg", "elsewhere/c.jpg")
    photos = tmp_path / "photos"
    try:
        (photos / "loop").symlink_to(photos)
        (photos / "sub" / "loop").symlink_to(photos)
        (photos / "more").symlink_to(tmp_path / "elsewhere")
        (photos / "link.jpg").symlink_to(photos / "a.jpg")
        (photos / "broken.jpg").symlink_to(photos / "nothing")
    except OSError:
        pytest.skip("links cannot be made here")
    assert listed(tmp_path, "photos") == [
        "photos/a.jpg",
        "photos/link.jpg",
        "photos/more/c.jpg",
        "photos/sub/b.jpg",
    ]
    assert sorted(listed(tmp_path, "photos/**/*.jpg"))[0] == "photos/a.jpg"
    with pytest.raises(UsageError, match=r"broken\.jpg does not exist"):
        list_images([photos / "broken.jpg"])


def test_patterns(tmp_path: Path) -> None:
    make(
        tmp_path,
        "a1.jpg",
        "a2.png",
        "a3.txt",
        "b1.jpg",
        "s1/c.jpg",
        "s1/t/d.jpg",
        "s2/e.jpg",
        ".h/f.jpg",
        ".g.jpg",
    )
    assert listed(tmp_path, "a*") == ["a1.jpg", "a2.png"]
    assert listed(tmp_path, "?1.jpg") == ["a1.jpg", "b1.jpg"]
    assert listed(tmp_path, "[ab]1.*") == ["a1.jpg", "b1.jpg"]
    assert listed(tmp_path, "s*") == ["s1/c.jpg", "s1/t/d.jpg", "s2/e.jpg"]
    assert listed(tmp_path, "s?/*.jpg") == ["s1/c.jpg", "s2/e.jpg"]
    everything = ["a1.jpg", "a2.png", "b1.jpg", "s1/c.jpg", "s1/t/d.jpg", "s2/e.jpg"]
    assert sorted(listed(tmp_path, "**")) == everything
    assert sorted(listed(tmp_path, "**/*.*")) == everything
    assert listed(tmp_path, "**/d.jpg") == ["s1/t/d.jpg"]
    assert listed(tmp_path, ".h/*.jpg") == [".h/f.jpg"]


def test_a_name_with_brackets_wins_over_the_pattern(tmp_path: Path) -> None:
    make(tmp_path, "page[1].jpg", "page1.jpg", "set [2]/a.jpg", "set 2/b.jpg")
    assert listed(tmp_path, "page[1].jpg") == ["page[1].jpg"]
    assert listed(tmp_path, "set [2]") == ["set [2]/a.jpg"]


@pytest.mark.parametrize("name", ["missing.jpg", "missing/a.jpg", "*.webp", "missing*/a.jpg", "a**b/c.jpg"])
def test_what_does_not_exist_is_an_error_before_the_first_picture(tmp_path: Path, name: str) -> None:
    make(tmp_path, "a.jpg", "notes.txt")
    with pytest.raises(UsageError) as caught:
        list_images([tmp_path / "a.jpg", tmp_path / name])
    assert str(tmp_path / name) in str(caught.value)


def test_nothing_at_all_is_an_error(tmp_path: Path) -> None:
    make(tmp_path, "empty/notes.txt", "full/a.jpg")
    with pytest.raises(UsageError, match=r"no pictures in .*empty"):
        next(list_images([tmp_path / "empty"]))
    with pytest.raises(UsageError, match="no pictures"):
        next(list_images([]))
    with pytest.raises(UsageError, match="empty"):
        list_images([""])
    assert listed(tmp_path, "empty", "full") == ["full/a.jpg"]


def test_folders_are_read_only_when_they_are_reached(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "later/b.jpg")
    pictures = list_images([tmp_path])
    assert list(islice(pictures, 1)) == [tmp_path / "a.jpg"]
    make(tmp_path, "later/c.jpg")
    assert [path.name for path in pictures] == ["b.jpg", "c.jpg"]


def test_a_folder_that_goes_away_is_skipped_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path, "a.jpg", "b/c.jpg", "d/e.jpg")
    pictures = list_images([tmp_path])
    next(pictures)
    (tmp_path / "b" / "c.jpg").unlink()
    (tmp_path / "b").rmdir()
    assert [path.name for path in pictures] == ["e.jpg"]
    assert str(tmp_path / "b") in caplog.text


def test_a_folder_that_may_not_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make(tmp_path, "a.jpg", "b/c.jpg", "d/e.jpg")
    (tmp_path / "b").chmod(0)
    try:
        if os.access(tmp_path / "b", os.R_OK):
            pytest.skip("this user may read everything")
        assert listed(tmp_path, "") == ["a.jpg", "d/e.jpg"]
        assert f"{tmp_path / 'b'}: Permission denied" in caplog.text
        with pytest.raises(UsageError, match=r"c\.jpg"):
            list_images([tmp_path / "b" / "c.jpg"])
    finally:
        (tmp_path / "b").chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_no_picture(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "b.jpg")
    assert listed(tmp_path, "") == ["a.jpg"]
