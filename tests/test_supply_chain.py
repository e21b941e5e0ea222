"""What lafd is made of: pinned by hash, of licences that allow every use, listed, and never unpickled."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lafd

ROOT = Path(__file__).parents[1]
COPYLEFT = re.compile(r"\bA?GPL|Affero|(?<!Lesser )General Public|SSPL|EUPL|CC-BY-(NC|SA)", re.IGNORECASE)
PERMISSIVE = re.compile(
    r"\b(MIT|MIT-CMU|0?BSD|FreeBSD|Apache|ISC|Zlib|CC0|BSL-1\.0|PSF|Python Software Foundation|Unlicense)\b",
    re.IGNORECASE,
)
# Not permissive, but of no consequence for a program that uses the unchanged package.
FILE_COPYLEFT = re.compile(r"\bMPL\b|Mozilla Public License", re.IGNORECASE)

# Libraries under the GPL that some package's wheel brings along, as file names; each with the reason why it may.
GPL_LIBRARIES = re.compile(
    r"lib(x264|x265|xvidcore|postproc|fftw3|gsl|readline|rubberband|vidstab|cdio|davs2|xavs)\b"
)
BUNDLED = {
    (
        "av",
        "libx264",
    ): "PyAV's wheels carry it for H.264. The extra `video` is optional; docs/supply-chain.md tells.",
    ("av", "libx265"): "The same for HEVC.",
}


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of materials, as the release has it."""
    path = tmp_path_factory.mktemp("sbom") / "sbom.json"
    subprocess.run([sys.executable, ROOT / "tools/sbom.py", path], check=True)
    text = path.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return dict(json.loads(text))


def licences(component: dict[str, Any]) -> str:
    found = [entry.get("expression") or entry["license"] for entry in component.get("licenses", [])]
    return " AND ".join(x if isinstance(x, str) else x.get("id") or x["name"] for x in found)


def locked() -> dict[str, str]:
    """Names and versions of requirements.lock for this system."""
    pins = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if re.match(r"\w", line):
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                pins[str(canonicalize_name(requirement.name))] = str(requirement.specifier).removeprefix("==")
    return pins


def test_every_licence_allows_every_use(bill: dict[str, Any]) -> None:
    for component in bill["components"]:
        licence = licences(component)
        assert not COPYLEFT.search(licence), f"{component['name']}: {licence}"
        assert PERMISSIVE.search(licence) or FILE_COPYLEFT.search(licence), (
            f"{component['name']}: the licence {licence!r} is not known; read it before you depend on this package"
        )


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-3.0", False),
        ("MIT", False),
        ("Apache Software License", False),
    ],
)
def test_the_audit_knows_a_copyleft_licence(licence: str, refused: bool) -> None:
    assert bool(COPYLEFT.search(licence)) is refused


def test_no_wheel_brings_a_library_under_the_gpl_unsaid(bill: dict[str, Any]) -> None:
    found = set()
    for component in bill["components"]:
        if component.get("purl", "").startswith("pkg:pypi/"):
            for file in metadata.files(component["name"]) or []:
                if match := GPL_LIBRARIES.match(file.name):
                    found.add((component["name"], match[0]))
    assert found <= BUNDLED.keys(), "a wheel brings a library under the GPL: leave it out or say why it may"


def test_the_bill_lists_all_that_is_required_and_all_that_the_wheel_carries(bill: dict[str, Any]) -> None:
    listed = {component["name"]: component for component in bill["components"]}
    assert bill["metadata"]["component"]["version"] == lafd.__version__
    for text in metadata.requires("lafd") or []:
        name = str(canonicalize_name(Requirement(text).name))
        assert name in listed or name == "lafd", name
    assert listed["numpy"]["scope"] == "required" and listed["pytest"]["scope"] == "excluded"
    card = json.loads((ROOT / "src/lafd/weights/base.json").read_text(encoding="utf-8"))
    assert listed["base.onnx"]["hashes"] == [{"alg": "SHA-256", "content": card["sha256"]}]
    binary = {path.name for path in (ROOT / "src/lafd/web/page/vendor").iterdir() if path.suffix != ".txt"}
    assert binary <= listed.keys()


def test_the_lock_has_a_hash_for_everything_and_names_no_host(bill: dict[str, Any]) -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text and "file:" not in text and "--index" not in text and "--find" not in text
    for entry in re.split(r"\n(?=\w)", text)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    needed = {c["name"] for c in bill["components"] if c.get("purl", "").startswith("pkg:pypi/")}
    assert needed <= locked().keys(), "run python tools/lock.py"


def test_the_constraints_are_the_versions_of_the_lock() -> None:
    pattern = re.compile(
        r"^([\w.-]+)==([^\s+]+)", re.M
    )  # without "+cpu", of which the registry knows nothing
    lock, constraints = (
        set(pattern.findall((ROOT / name).read_text(encoding="utf-8")))
        for name in ("requirements.lock", "constraints.txt")
    )
    assert lock == constraints, "run python tools/lock.py"


def test_nothing_is_unpickled() -> None:
    modules = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [str(node.module)]
                )
                assert not modules & {name.partition(".")[0] for name in names}, where
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"torch.load", "torch.save", "pd.read_pickle", "eval"}, (
                    where
                )
                allowed = [
                    k for k in node.keywords if k.arg == "allow_pickle" and ast.unparse(k.value) != "False"
                ]
                assert not allowed, where


def test_no_file_of_the_package_can_hold_a_pickle() -> None:
    for path in (ROOT / "src").rglob("*"):
        assert path.suffix not in {".pkl", ".pickle", ".pt", ".pth", ".npy", ".npz", ".joblib", ".ckpt"}, path
