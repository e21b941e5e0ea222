"""What many tests need: the detector, drawn pictures, the command line, and real pictures where they are at hand."""

from __future__ import annotations

import importlib.util
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from lafd import Detector
from lafd.drawing import Scene, demo_scene, draw_scene
from lafd.images import save_image

# Nothing that tests run may reach another machine: neither this process nor the Python processes that it starts.
os.environ["LAFD_ATTEMPTS"] = str(Path(tempfile.mkdtemp(prefix="lafd-tests-")) / "attempts")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(Path(__file__).parent / "offline"), *filter(None, [os.environ.get("PYTHONPATH")])]
)
runpy.run_path(str(Path(__file__).parent / "offline" / "sitecustomize.py"))


class RunLafd(Protocol):
    """Runs the command in a process of its own."""

    def __call__(self, *arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Fails the test during which something tried to reach another machine, even if the error was swallowed."""
    attempts = Path(os.environ["LAFD_ATTEMPTS"])
    attempts.write_text("")
    yield
    assert (found := attempts.read_text(encoding="utf-8")) == "", f"tried to use the network: {found}"


@pytest.fixture(scope="session")
def detector() -> Detector:
    """The default detector, one thread."""
    return Detector(threads=1)


@pytest.fixture(scope="session")
def scene() -> Scene:
    """The demonstration picture."""
    return demo_scene()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn pictures: a.png, sub/B.JPG and sub/c.webp, with 2, 1 and 0 faces."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "sub").mkdir()
    save_image(
        folder / "a.png", draw_scene(400, 300, 1, faces=[(110, 150, 90), (290, 150, 90)], style="cel").image
    )
    save_image(folder / "sub" / "B.JPG", draw_scene(300, 400, 2, faces=[(150, 200, 120)], style="cel").image)
    save_image(folder / "sub" / "c.webp", draw_scene(320, 200, 3, faces=0).image)
    return folder


@pytest.fixture
def lafd(tmp_path: Path) -> RunLafd:
    """Runs `lafd` in an empty folder."""

    def run(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lafd", *map(str, arguments)],
            cwd=tmp_path,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The data set of real pictures, which is not part of the project."""
    folder = Path(os.environ.get("LAFD_SHARED", Path(__file__).parents[2] / "shared")) / "data"
    if not (folder / "val.json").is_file():
        pytest.skip("the real pictures are not here (set LAFD_SHARED to the folder that has data/)")
    return folder


def needs_openvino() -> None:
    """Skips the test where OpenVINO is not installed; importing it here would make it report over the network."""
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")
