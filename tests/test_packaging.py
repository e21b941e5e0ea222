"""The release as its users get it: small, the same from every build, and working in awkward places."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lafd.drawing import draw_scene
from lafd.images import save_image

ROOT = Path(__file__).parents[1]
LIMIT = 250  # MB, bytecode included
# Root may write where the permissions forbid it, unless it gives up that right.
AS_A_USER = (
    ["setpriv", "--bounding-set=-dac_override"] if sys.platform == "linux" and not os.geteuid() else []
)
on_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="permissions of folders mean something else there"
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the release script makes; it fails where two builds differ or the wheel is too large."""
    folder = tmp_path_factory.mktemp("release") / "dist"
    script = ["sh", str(ROOT / "tools/release.sh"), str(folder)]
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def core() -> set[str]:
    """Names of the packages that the core install brings."""
    names: set[str] = set()
    waiting = ["lafd"]
    while waiting:
        for requirement in map(Requirement, metadata.requires(waiting.pop()) or []):
            marker = requirement.marker
            if requirement.name not in names and (marker is None or marker.evaluate({"extra": ""})):
                names.add(requirement.name)
                waiting.append(requirement.name)
    return names


@pytest.fixture(scope="module")
def place(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A read-only virtual environment of the wheel and the core packages alone, in a folder with an awkward name."""
    folder = tmp_path_factory.mktemp("somewhere") / "Ünï çødé 顔 'quoted' folder"
    environment = folder / "my env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, check=True, capture_output=True, encoding="utf-8").stdout.strip())
    for name in core():
        for part in {file.parts[0] for file in metadata.files(name) or []} - {"..", "__pycache__"}:
            (packages / part).symlink_to(str(metadata.distribution(name).locate_file(part)))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-compile"]
    subprocess.run([*pip, "--no-deps", "--no-index", *release.glob("*.whl")], check=True)
    save_image(
        folder / "a picture 絵.png", draw_scene(400, 300, 1, faces=[(110, 150, 90)], style="cel").image
    )
    entries = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    for entry in entries:
        entry.chmod(entry.stat().st_mode & ~0o222)
    yield folder
    for entry in entries:
        entry.chmod(entry.stat().st_mode | 0o200)


def alone(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of the environment in its folder, with no variables at all and without root's rights."""
    whole = [*AS_A_USER, str(place / "my env/bin" / command[0]), *command[1:]]
    return subprocess.run(whole, cwd=place, env={}, capture_output=True, encoding="utf-8", check=False)


def test_the_wheel_holds_the_package_and_nothing_else(release: Path) -> None:
    (wheel,) = release.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert {re.sub(r"-[^/]*", "-*", name.partition("/")[0]) for name in names} == {"lafd", "lafd-*"}
    for part in ("weights/base.onnx", "weights/base.json", "py.typed", "web/page/index.html"):
        assert f"lafd/{part}" in names
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    assert any("onnxruntime-web.LICENSE" in name for name in names)


def test_the_release_has_a_bill_and_checksums(release: Path) -> None:
    sums = (release / "SHA256SUMS").read_text(encoding="utf-8")
    others = [path.name for path in release.iterdir() if path.name != "SHA256SUMS"]
    assert sorted(re.findall(r"\S+$", sums, re.M)) == sorted(others)
    assert len(list(release.glob("*.cdx.json"))) == 1


@on_posix
def test_nothing_can_be_written_there(place: Path) -> None:
    assert "Permission denied" in alone(place, "python", "-c", "open('new', 'w')").stderr


@on_posix
def test_it_works_from_an_odd_read_only_place_without_home(place: Path) -> None:
    before = sorted(place.rglob("*"))
    done = alone(place, "lafd", "detect", "a picture 絵.png")
    assert done.returncode == 0, done.stderr
    assert "0 failures" in done.stderr and "a picture 絵.png" in done.stdout
    assert sorted(place.rglob("*")) == before


@on_posix
def test_the_core_has_no_need_of_the_extras(place: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('av'), u.find_spec('cv2'))"
    assert alone(place, "python", "-c", code).stdout == "None None None\n"
    assert alone(place, "lafd", "models").returncode == 0
    shown = alone(place, "lafd", "demo", "-o", str(tmp_path / "demo.png"))
    assert shown.stdout.startswith("8 of 8 drawn faces found") and (tmp_path / "demo.png").exists()
    refused = alone(place, "lafd", "video", "film.mp4", "-o", "/dev/null")
    assert refused.returncode == 2 and "pip install 'lafd[video]'" in refused.stderr
    refused = alone(place, "lafd", "detect", ".", "--engine", "ray", "-o", "faces/")
    assert refused.returncode == 2 and "pip install 'lafd[ray]'" in refused.stderr


def test_the_core_install_stays_small() -> None:
    files = [file for name in core() for file in metadata.files(name) or []]
    size = sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())
    assert size < LIMIT * 1e6, f"the core's packages take {size / 1e6:.0f} MB: see docs/supply-chain.md"
