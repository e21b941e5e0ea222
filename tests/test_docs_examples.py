"""Every block of code in the README and the documentation, run in a folder with the files that it names."""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import inspect
import json
import re
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("fastapi")
pytest.importorskip("onnx")
if importlib.util.find_spec("ray") is None:  # lafd.cluster is to import it, after it has set its variables
    pytest.skip("Ray is not installed", allow_module_level=True)

import workshop
from lafd.cli import main
from serving import Service, serving

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("docs/**/*.md")),
]
SERVICE = "http://127.0.0.1:8000"

# Programs whose lines are not run, and why. Of lafd's own commands the arguments are checked all the same.
NOT_RUN = {
    "pip": "installs packages: continuous integration runs these lines",
    "python": "makes an environment, or measures for minutes",
    "docker": "there is no container engine in the tests",
    "torchrun": "trains for minutes; tests/test_training.py does it briefly",
    "stage": "the function beside it, which trains for half an hour",
    "gpu": "the function beside it, which needs a GPU",
    "curl": "asks the service: see the test of the service's page",
    "printf": "the same",
    "ray": "starts a cluster",
    "jq": "is a program that the tests do not have",
    "lafd train": "trains for minutes; tests/test_training.py does it briefly",
    "lafd export": "needs what the line before would have trained",
    "lafd benchmark": "measures for minutes; tests/test_benchmark.py does it briefly",
    "lafd serve": "runs until it is stopped; tests/test_serve_processes.py does it",
    "lafd review": "the same; tests/test_review_page.py does it",
    "lafd web": "the same; tests/test_web_files.py does it",
    "lafd webcam": "needs a camera and a display",
    "lafd view": "needs a display; tests/test_view.py does it",
}
# The page's last block loads weights of the original, which are not part of the project.
WITHOUT_WEIGHTS = {"docs/from-the-original.md": 'LffdNet(LAYOUTS["lffd"])'}


def blocks(page: str, *languages: str) -> list[str]:
    """The blocks of a page in some languages."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        code
        for language, code in re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M)
        if language in languages
    ]


def lines(page: str) -> Iterator[str]:
    """The commands of a page, continued lines joined, comments gone."""
    for block in blocks(page, "sh", "bash", "console", ""):
        for line in block.replace("\\\n", " ").splitlines():
            command = (
                shlex.join(shlex.split(line, comments=True)) if "|" not in line else line.partition("  #")[0]
            )
            if command and re.match(r"(find|\w+)\s", command) and ":" not in command.split()[0]:
                yield command


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every page gets a copy of."""
    folder = tmp_path_factory.mktemp("workshop")
    workshop.fill(folder)
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, filled."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_runs(page: str, folder: Path) -> None:
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks(page, "python"):
        if (without := WITHOUT_WEIGHTS.get(page)) and without in block:
            compile(block, page, "exec")
        else:
            exec(compile(block, page, "exec"), names)


@pytest.mark.parametrize("page", [page for page in PAGES if list(lines(page))])
def test_commands_run(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in lines(page):
        for output in ("crops", "thumbnails"):  # a page's lines are alternatives that share an output folder
            shutil.rmtree(folder / output, ignore_errors=True)
        words = shlex.split(line)
        if "|" in words:
            done = subprocess.run(["bash", "-euc", line], capture_output=True, text=True, check=False)
            assert words[0] in NOT_RUN or done.returncode == 0, f"{line}: {done.stderr}"
        elif "--address" in words or (" ".join(words[:2]) in NOT_RUN and "--export" not in words):
            with monkeypatch.context() as patch:
                patch.setattr(
                    importlib.import_module(f"lafd.cli.{words[1].replace('-', '_')}"), "run", lambda _: 0
                )
                assert main(words[1:]) == 0, line
        elif words[0] == "lafd":
            assert main(words[1:]) == 0, line
        else:
            assert words[0] in NOT_RUN, f"nothing runs {line!r}: teach this test to"


@pytest.mark.parametrize("page", PAGES)
def test_data_is_well_formed(page: str) -> None:
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "xml"):
        ET.fromstring(block)


def test_the_service_answers_as_its_page_says(folder: Path, service: Service) -> None:
    asking = [b.replace(SERVICE, service.url) for b in blocks("docs/service.md", "sh") if "curl" in b]
    for block in asking:
        script = block.replace("curl ", "curl -sSf ")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, check=False)
        assert done.returncode == 0, f"{block}{done.stderr.decode()}"
    assert (folder / "marked.png").read_bytes().startswith(b"\x89PNG")
    for block in blocks("docs/service.md", "py"):
        code = compile(
            block.replace(SERVICE, service.url), "service.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        names: dict[str, object] = {}
        if inspect.isawaitable(result := eval(code, names)):
            asyncio.run(result)  # type: ignore[arg-type]
        assert names["many"]
