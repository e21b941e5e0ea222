"""Reviewing without a browser: the journal, undo, bad input, the API, pictures for the screen, export."""

from __future__ import annotations

import dataclasses
import io
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lafd.annotations import FORMATS, AnnotatedImage, Annotation, Dataset, read_annotations, write_annotations
from lafd.cli import main
from lafd.errors import LafdError, UsageError
from lafd.images import save_image

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from lafd.review.export import export
from lafd.review.journal import Journal
from lafd.review.project import load
from lafd.review.session import Session
from lafd.review.sources import Output, Sources, find_annotations
from reviewing import Client, answering

JSON = {"content-type": "application/json"}
A = Annotation((10, 10, 30, 40), score=0.9)
B = Annotation((50, 20, 70, 44), score=0.45, attributes={"pose": "profile"}, tilt=15)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, and a file that has the boxes of two of them."""
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png", "c.png"):
        save_image(folder / name, np.full((60, 80, 3), 90, np.uint8))
    images = (AnnotatedImage("a.png", 80, 60, (A, B)), AnnotatedImage("sub/b.png", 80, 60, (A,)))
    write_annotations(Dataset(images, root=folder), folder / "faces.json", "coco")
    return folder


def begin(folder: Path, **more: Any) -> Session:
    project = load(Sources(folder, folder / "faces.json", **more))
    return Session(project, Journal(folder / "faces.reviewed.json.journal"))


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    session = begin(folder)
    with closing(session.journal):
        yield session


@pytest.fixture
def client(session: Session, folder: Path) -> Iterator[Client]:
    with answering(session, Output(folder / "faces.reviewed.json", "coco")) as client:
        yield client


def put(client: Client, index: int, **body: Any) -> Any:
    return client.put(f"/api/pictures/{index}", json=body)


def test_every_picture_is_there_with_its_boxes_and_doubts(client: Client) -> None:
    review = client.get("/api/review").json()
    assert review["names"] == ["a.png", "sub/b.png", "c.png"]
    assert review["faces"] == [2, 1, 0] and set(review["statuses"]) == {"unseen"}
    assert review["priorities"][0] > review["priorities"][1] > review["priorities"][2]
    assert any("1 pictures are not in" in warning for warning in review["warnings"])
    picture = client.get("/api/pictures/0").json()
    assert [box["box"] for box in picture["boxes"]] == [[10, 10, 30, 40], [50, 20, 70, 44]]
    assert [box["doubtful"] for box in picture["boxes"]] == [False, True]
    assert picture["boxes"][1]["attributes"] == {"pose": "profile"} and picture["boxes"][1]["tilt"] == 15


def test_what_is_put_survives_a_kill(client: Client, session: Session, folder: Path) -> None:
    new = {"box": [1, 2, 30.5, 40]}
    assert put(client, 2, status="edited", boxes=[new]).json()["version"] == 1
    assert put(client, 2, status="accepted", boxes=[new], version=1).status_code == 200
    session.journal.close()  # nothing else is done at the end
    again = begin(folder)
    assert again.states == session.states and again.identity == session.identity
    assert again.states[2].status == "accepted" and again.states[2].boxes[0].box == (1, 2, 30.5, 40)
    again.journal.close()


def test_a_half_written_line_is_left_out_and_written_over(session: Session, folder: Path) -> None:
    session.put(0, session.states[0].model_copy(update={"status": "accepted"}))
    session.journal.close()
    path = session.journal.path
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:20])
    again = begin(folder)
    assert again.states[0].status == "accepted"
    assert any("half written" in problem for problem in again.problems)
    again.put(1, again.states[1].model_copy(update={"status": "rejected"}))
    again.journal.close()
    path.write_bytes(path.read_bytes().replace(b'{"name":"a.png"', b'{"name:"a.png"'))
    damaged = begin(folder)
    assert damaged.states[0].status == "unseen" and damaged.states[1].status == "rejected"
    assert any("line 2 is damaged" in problem for problem in damaged.problems)
    damaged.journal.close()


def test_undo_and_redo_go_over_restarts(client: Client, session: Session, folder: Path) -> None:
    before = list(session.states)
    put(client, 0, status="edited", boxes=[])
    put(client, 1, status="accepted", boxes=[])
    assert client.post("/api/undo", headers=JSON).json()["index"] == 1
    session.journal.close()
    again = begin(folder)
    assert again.undo() == 0 and again.states == before
    assert again.undo() is None
    assert again.redo() == 0 and again.redo() == 1 and again.redo() is None
    assert [state.status for state in again.states] == ["edited", "accepted", "unseen"]
    again.undo()
    again.put(2, again.states[2].model_copy(update={"status": "rejected"}))
    assert again.redo() is None  # a new change ends what could be redone
    again.journal.close()


def test_two_tabs_do_not_overwrite_each_other(client: Client) -> None:
    first = {"status": "edited", "boxes": [{"box": [1, 1, 9, 9]}], "version": 0}
    assert put(client, 0, **first).status_code == 200
    assert put(client, 0, **first).status_code == 200  # the same again, because the answer was lost
    late = put(client, 0, status="edited", boxes=[], version=0)
    assert late.status_code == 409 and "changed meanwhile" in late.json()["error"]
    assert put(client, 0, status="edited", boxes=[]).status_code == 200  # a script that does not care


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ('{"status": "edited", "boxes": [{"box": [1, 2, NaN, 4]}]}', "box"),
        ('{"status": "edited", "boxes": [{"box": [9, 2, 3, 4]}]}', "before"),
        ('{"status": "edited", "boxes": [{"box": [1, 2, 3]}]}', "box"),
        ('{"status": "edited", "boxes": [{"box": [1, 2, 3, 4], "score": 2}]}', "score"),
        ('{"status": "edited", "boxes": [{"box": [1, 2, 3, 4], "attributes": {"x": NaN}}]}', "JSON"),
        ('{"status": "done", "boxes": []}', "status"),
        ('{"status": "edited", "boxen": []}', "boxen"),
        ("no JSON", "JSON"),
    ],
)
def test_wrong_bodies_are_refused_and_change_nothing(
    client: Client, session: Session, body: str, hint: str
) -> None:
    before, size = list(session.states), session.journal.path.stat().st_size
    answer = client.put("/api/pictures/0", content=body, headers=JSON)
    assert answer.status_code == 422 and hint in answer.json()["error"]
    assert session.states == before and session.journal.path.stat().st_size == size


def test_other_sites_and_other_files_stay_out(client: Client, session: Session, folder: Path) -> None:
    (folder.parent / "secret.png").write_bytes((folder / "a.png").read_bytes())
    for path in (
        "/../secret.png",
        "/%2e%2e/secret.png",
        "/style/..%2f..%2f..%2fapp.py",
        "/pictures/..%2fsecret.png",
    ):
        assert client.get(path).status_code in (404, 422), path
    assert client.get("/pictures/3").status_code == client.get("/api/pictures/-1").status_code == 404
    assert client.get("/api/review", headers={"host": "evil.example:8630"}).status_code == 400
    body = json.dumps({"status": "accepted", "boxes": []})
    plain = client.put("/api/pictures/0", content=body, headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    for origin in ("http://evil.example", "http://127.0.0.1:9999", "null"):
        foreign = client.put("/api/pictures/0", content=body, headers={**JSON, "origin": origin})
        assert foreign.status_code == 403
        assert client.post("/api/export", headers={**JSON, "origin": origin}).status_code == 403
    assert session.states[0].status == "unseen"
    own = client.put("/api/pictures/0", content=body, headers={**JSON, "origin": str(client.base_url)})
    assert own.status_code == 200
    page = client.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cross-origin-resource-policy"] == "same-origin"


def test_pictures_that_browsers_cannot_show_are_made_showable(tmp_path: Path) -> None:
    pixels = Image.fromarray(np.dstack([np.tile(np.arange(90, dtype=np.uint8), (60, 1))] * 3))
    turned = Image.Exif()
    turned[0x0112] = 6
    pixels.save(tmp_path / "a.tif")
    pixels.save(tmp_path / "b.png", exif=turned)
    pixels.save(tmp_path / "c.gif", save_all=True, append_images=[pixels.rotate(90)])
    pixels.resize((3000, 2000)).save(tmp_path / "d.jpg")
    pixels.save(tmp_path / "e.png")
    session = Session(load(Sources(tmp_path)), Journal(tmp_path / "x.journal"))
    with answering(session, Output(tmp_path / "x.json", "coco")) as client:
        kinds, sizes = [], []
        for i in range(5):
            answer = client.get(f"/pictures/{i}?side=512")
            with Image.open(io.BytesIO(answer.content)) as shown:
                kinds.append(answer.headers["content-type"])
                sizes.append(shown.size)
                assert not getattr(shown, "is_animated", False)
        assert kinds == ["image/jpeg"] * 4 + ["image/png"]
        assert sizes == [(90, 60), (60, 90), (90, 60), (512, 341), (90, 60)]
        assert client.get("/pictures/4").content == (tmp_path / "e.png").read_bytes()
        (tmp_path / "e.png").unlink()
        gone = client.get("/pictures/4")
        assert gone.status_code == 404 and "e.png" in gone.json()["error"]
    session.journal.close()


def test_bad_annotations_are_listed_and_the_rest_is_reviewed(folder: Path) -> None:
    content = json.loads((folder / "faces.json").read_bytes())
    content["images"] += [
        {"id": 7, "file_name": "gone.png", "width": 80, "height": 60},
        {"id": 8, "file_name": "c.png", "width": 800, "height": 600},
    ]
    content["annotations"] += [
        {"id": 70, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"id": 80, "image_id": 8, "category_id": 99, "bbox": [1, 2, 3, 4]},
        {"id": 81, "image_id": 8, "category_id": 1, "bbox": [float("nan"), 2, 3, 4]},
        {"id": 90, "image_id": 55, "category_id": 1, "bbox": [1, 2, 3, 4]},
    ]
    content["images"].append(content["images"][0])
    (folder / "faces.json").write_text(json.dumps(content))
    (folder / "broken.png").write_bytes(b"\x89PNG no")
    project = load(Sources(folder, folder / "faces.json"))
    assert [image.name for image in project.dataset.images] == ["a.png", "sub/b.png", "gone.png", "c.png"]
    assert sorted(project.faults) == [2, 3]
    assert project.states[3].boxes[0].category == "99"
    text = "\n".join(project.warnings)
    for hint in ("gone.png does not exist", "c.png has 80 x 60", "category 99", "[nan", "no image 55", "broken.png",
                 "a.png is there twice"):  # fmt: skip
        assert hint in text, hint


def test_an_order_file_says_what_is_doubtful(folder: Path) -> None:
    lines = [
        {"file_name": "sub/b.png", "priority": 5, "doubtful": [0]},
        {"file_name": "a.png", "priority": -2, "doubtful": [7]},
        {"file_name": "nowhere.png", "priority": 1},
        {"file_name": "a.png", "priority": "high"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "order.jsonl").write_text(text + "{half")
    project = load(Sources(folder, folder / "faces.json"))
    assert project.priorities[1] == 5 > project.priorities[0] == -2 > project.priorities[2]
    assert project.states[1].boxes[0].doubtful and not any(box.doubtful for box in project.states[0].boxes)
    problems = [warning for warning in project.warnings if "order.jsonl" in warning]
    assert len(problems) == 4 and "nowhere.png" in problems[1]


def test_comparison_counts_boxes_without_a_counterpart(folder: Path, tmp_path: Path) -> None:
    near = dataclasses.replace(A, box=(11, 11, 31, 41))
    ignored = dataclasses.replace(A, ignore=True)
    boxes = {"pictures/a.png": near, "pictures/sub/b.png": ignored}
    other = tuple(AnnotatedImage(name, 80, 60, (box,)) for name, box in boxes.items())
    write_annotations(Dataset(other, root=tmp_path), tmp_path / "other.xml", "cvat")
    session = begin(folder, other=tmp_path / "other.xml")
    with answering(session, Output(folder / "o.json", "coco")) as client:
        assert client.get("/api/review").json()["differences"] == [1, 2, 0]
        picture = client.get("/api/pictures/1").json()
        assert picture["other"][0]["ignore"] and client.get("/api/pictures/2").json()["other"] is None
        assert put(client, 1, status="edited", boxes=picture["other"]).json()["differences"] == 0
    session.journal.close()


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_gets_what_was_decided(session: Session, tmp_path: Path, format_name: str) -> None:
    pictures = FORMATS[format_name].picture_folder(tmp_path / "out")
    for name in ("a.png", "sub/b.png", "c.png"):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        save_image(pictures / name, np.full((60, 80, 3), 90, np.uint8))
    state = session.states[0]
    session.put(0, state.model_copy(update={"status": "accepted", "boxes": state.boxes[:1]}))
    output = Output(
        tmp_path / "out" if format_name in ("yolo", "voc", "labelme") else tmp_path / "out.x", format_name
    )
    export(session, output)
    session.put(1, session.states[1].model_copy(update={"status": "rejected"}))
    written = export(session, output)
    assert written.boxes == 1 and written.pictures == 2
    assert "1 rejected pictures are left out." in written.left_out
    read = read_annotations(output.path, format_name, pictures if format_name == "yolo" else None)
    boxes = {Path(image.name).name: image.annotations for image in read.images}
    assert boxes["a.png"][0].box == pytest.approx(A.box, abs=1e-3) and boxes["a.png"][0].score is None
    assert boxes["c.png"] == () and not boxes.get("b.png")


def test_what_is_not_accepted_keeps_its_scores_and_its_status(client: Client, folder: Path) -> None:
    put(client, 0, status="accepted", boxes=client.get("/api/pictures/0").json()["boxes"])
    answer = client.post("/api/export", headers=JSON).json()
    assert answer["pictures"] == 3 and answer["boxes"] == 3 and answer["left_out"] == []
    read = read_annotations(folder / "faces.reviewed.json")
    assert [image.attributes["review"] for image in read.images] == ["accepted", "unseen", "unseen"]
    assert read.images[0].annotations[1] == dataclasses.replace(B, score=None)
    assert read.images[1].annotations == (A,)


def test_annotations_are_found_in_the_folder(folder: Path) -> None:
    assert find_annotations(folder) == (folder / "faces.json", "coco")
    (folder / "faces.reviewed.json").write_text("{}")  # of an earlier review
    (folder / "package.json").write_text('{"name": "x"}')
    assert find_annotations(folder) == (folder / "faces.json", "coco")
    (folder / "more.json").write_bytes((folder / "faces.json").read_bytes())
    with pytest.raises(UsageError, match="--annotations"):
        find_annotations(folder)
    (folder / "more.json").write_text("{half")
    with pytest.raises(LafdError, match=r"more\.json.*--annotations"):
        find_annotations(folder)
    assert find_annotations(folder / "sub") is None


def test_names_may_start_from_the_folder_of_pictures(folder: Path, tmp_path: Path) -> None:
    (folder / "faces.json").rename(tmp_path / "faces.json")
    project = load(Sources(folder, tmp_path / "faces.json"))
    assert [image.name for image in project.dataset.images] == ["a.png", "sub/b.png", "c.png"]
    text = (tmp_path / "faces.json").read_text().replace("a.png", "z.png").replace("b.png", "y.png")
    (tmp_path / "faces.json").write_text(text)
    with pytest.raises(LafdError, match="none of its 2 pictures"):
        load(Sources(folder, tmp_path / "faces.json"))


def test_a_file_that_is_no_journal_is_left_alone(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text('{"precious": true}\n')
    with closing(Journal(path)) as journal, pytest.raises(LafdError, match="not a journal"):
        Session(session.project, journal)
    assert path.read_text() == '{"precious": true}\n'


def test_wrong_usage_is_one_clear_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        cases: list[tuple[list[object], str]] = [
            ([folder / "a.png"], "not a folder"),
            ([folder, "--annotations", "no.json"], "no.json does not exist"),
            ([folder, "--format", "yolo", "-o", folder / "a.png"], "needs a folder"),
            ([folder, "--port", taken.getsockname()[1]], "choose another with --port"),
            ([folder, "--port", 99999], "between 0 and 65535"),
        ]
        for arguments, hint in cases:
            assert (
                main(["review", *map(str, arguments), *([] if "--port" in arguments else ["--port", "0"])])
                == 2
            )
            assert hint in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "c.png", "faces.json", "sub"]
