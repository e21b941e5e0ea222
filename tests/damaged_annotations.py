"""Damaged annotation files: written by us in every format, then changed at random but always in the same way."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from damage import DAMAGES
from lafd.annotations import FORMATS, AnnotatedImage, Annotation, Dataset, write_annotations
from lafd.images import save_image

Place = tuple[str | int, ...]

NESTED: Any = 0
for _ in range(900):  # as deep as the parser goes, so that what goes on from there is too deep
    NESTED = [NESTED]
HOSTILE: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**63,
        10**400,
        0.5,
        -0.0,
        1e-320,
        1e38,
        1e300,
        float("nan"),
        float("inf"),
    ),
    *(
        "",
        " ",
        "a",
        "1",
        "nan",
        "1e400",
        "٣",
        "a\0b",
        "\ud800",
        "\x1b[31m",
        "a\nb",
        "a" * 300,
        "/" * 5000,
        "ignore",
    ),
    *(
        "../../a.png",
        "/",
        ".",
        "..",
        "con",
        "C:\\a",
        "http://[",
        "//[/",
        "%00",
        "/data/local-files/?d=%ff",
        "file:///x",
    ),
    *(
        [],
        [[]],
        [None],
        [1, 2, 3, 4],
        [[1, 2], [3, 4]],
        ["a"],
        [{}],
        {},
        {"a": {}},
        {"id": []},
        {"rotation": 10**400},
    ),
    NESTED,
)
YAML = (
    *(
        "!!int ''",
        "!!bool x",
        "!!timestamp x",
        "!!float ''",
        "!!python/name:os.system",
        "!!set {a}",
        "!!binary '*'",
    ),
    *(
        "*a",
        "&a [*a]",
        "{[1]: 2}",
        "{<<: 1}",
        "0x",
        "1:99:99",
        "2026-99-99",
        "'a",
        "[a, {b: [c",
        "\t",
        "? a",
        "---",
    ),
)


@lru_cache(maxsize=1)
def intact() -> dict[str, dict[str, bytes]]:
    """The files of a small data set in every format, by format and by name in its folder."""
    turned = Annotation((4, 4, 20, 24), "face", score=0.5, tilt=30, attributes={"blurred": True, "by": "us"})
    boxes = (turned, Annotation((1, 2, 30, 20), "cat", ignore=True))
    found: dict[str, dict[str, bytes]] = {}
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            pictures = FORMATS[name].picture_folder(
                folder / "a.json" if name in ("coco", "label-studio") else folder
            )
            for picture in ("a.png", "b.png"):
                (pictures / picture).parent.mkdir(parents=True, exist_ok=True)
                save_image(pictures / picture, np.full((30, 40, 3), 200, np.uint8))
            images = (
                AnnotatedImage("a.png", 40, 30, boxes, {"split": "train"}),
                AnnotatedImage("b.png", 40, 30, (), {"split": "val"}),
            )
            path = folder / {"cvat": "annotations.xml"}.get(name, "a.json")
            data = Dataset(images, ("face", "cat"), pictures)
            write_annotations(data, folder if name in ("yolo", "voc", "labelme") else path, name)
            files = {
                file.relative_to(folder).as_posix(): file
                for file in sorted(folder.rglob("*"))
                if file.is_file()
            }
            found[name] = {file: path.read_bytes() for file, path in files.items()}
    return found


def damaged_annotations(number: int, seed: int = 0) -> tuple[str, str, dict[str, bytes]]:
    """The damaged data set of a number: what was done, its format, and its files by name."""
    sets = intact()
    kind = list(sets)[number % len(sets)]
    random = np.random.default_rng((seed, number))
    files = dict(sets[kind])
    texts = [name for name in files if not name.endswith(".png")]
    name = texts[int(random.integers(len(texts)))]
    if random.random() < 0.4:
        how = list(DAMAGES)[int(random.integers(len(DAMAGES)))]
        files[name] = bytes(DAMAGES[how](bytearray(files[name] or b"\n"), random))
    else:
        how = "wrong values"
        for _ in range(int(random.integers(1, 4))):
            files[name] = with_wrong_value(name, files[name], random)
    if random.random() < 0.3:  # what the file says of sizes is then not looked up
        files = {file: data for file, data in files.items() if not file.endswith("a.png")}
    return f"{kind}, {name}, {how}", kind, files


def with_wrong_value(name: str, data: bytes, random: np.random.Generator) -> bytes:
    """The file with something else in the place of one of its values."""
    if name.endswith(".json"):
        content = json.loads(data)
        place = list(places(content))
        value = HOSTILE[int(random.integers(len(HOSTILE)))]
        return json.dumps(replaced(content, place[int(random.integers(len(place)))], value)).encode()
    text = data.decode(errors="replace")
    value = YAML[int(random.integers(len(YAML)))] if name.endswith(".yaml") else hostile_text(random)
    words = list(
        re.finditer(r'(?<=")[^"<>]*(?=")|(?<=>)[^<>\n]+(?=<)|(?<=: )[^\n]+|(?<![^\s])[^\s<>"]+', text)
    )
    if not words:
        return value.encode(errors="replace")
    word = words[int(random.integers(len(words)))]
    return (text[: word.start()] + value + text[word.end() :]).encode(errors="replace")


def hostile_text(random: np.random.Generator) -> str:
    """One of the hostile values as text."""
    value = HOSTILE[int(random.integers(len(HOSTILE)))]
    return value if isinstance(value, str) else json.dumps(value)


def places(value: Any, here: Place = ()) -> Iterator[Place]:
    """The places of all values in a value of JSON."""
    yield here
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inside:
        yield from places(below, (*here, key))


def replaced(value: Any, place: Place, new: Any) -> Any:
    """A value of JSON with something new at a place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy
