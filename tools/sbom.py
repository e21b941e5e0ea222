"""Writes lafd's bill of materials (CycloneDX, JSON): the packages of every extra, and what the wheel itself carries.

`python tools/sbom.py OUT.json`, in an environment that has requirements.lock installed. The file depends on nothing but
what is installed there and in this checkout: no time of day, no random numbers.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import uuid
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
VENDORED = ROOT / "src/lafd/web/page/vendor"
WEIGHTS = ROOT / "src/lafd/weights"
DEVELOPMENT = {"docs", "test"}  # extras that no user needs


def requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    """What an installed package with some extras needs on this system."""
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def closure(name: str, extras: frozenset[str]) -> dict[str, set[str]]:
    """Every package that `name` with extras brings, and of each the packages that it needs itself."""
    needs: dict[str, set[str]] = {}
    visited: set[tuple[str, frozenset[str]]] = set()
    waiting = [(str(canonicalize_name(name)), extras)]
    while waiting:
        package = waiting.pop()
        if package in visited:
            continue
        visited.add(package)
        wanted = [(str(canonicalize_name(r.name)), frozenset(r.extras)) for r in requirements(*package)]
        needs.setdefault(package[0], set()).update(other for other, _ in wanted)
        waiting += wanted
    return needs


def licence(package: str) -> str:
    """What a package says about its licence: an SPDX expression, its classifiers, or the first line of its text."""
    about = metadata.metadata(package)
    if expression := about.get("License-Expression"):
        return expression
    classifiers = [
        c.rpartition(" :: ")[2] for c in about.get_all("Classifier", []) if c.startswith("License ::")
    ]
    text = (about.get("License") or "").strip().splitlines()
    return " AND ".join(classifiers) or (text[0] if text else "")


def of_package(name: str, scope: ComponentScope) -> Component:
    """The component of an installed package."""
    version = re.sub(r"\+.*", "", metadata.version(name))  # "+cpu" is no version of the registry
    return Component(
        name=name,
        version=version,
        bom_ref=name,
        purl=PackageURL("pypi", name=name, version=version),
        licenses=[LicenseFactory().make_from_string(licence(name))] if licence(name) else [],
        scope=scope,
    )


def of_file(path: Path, kind: ComponentType, about: dict[str, str]) -> Component:
    """The component of a file in the wheel, from its `version`, `licence` and `description`."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Component(
        name=path.name,
        type=kind,
        version=about["version"],
        description=about["description"],
        bom_ref=path.relative_to(ROOT / "src").as_posix(),
        licenses=[LicenseFactory().make_from_string(about["licence"])],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )


def carried() -> Iterator[Component]:
    """What the wheel carries besides lafd's own code: weights, and the parts of ONNX Runtime Web."""
    for path in sorted(WEIGHTS.glob("*.onnx")):
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        about = {"version": card["date"], "licence": card["licence"], "description": card["description"]}
        yield of_file(path, ComponentType.MACHINE_LEARNING_MODEL, about)
    script = (ROOT / "tools/vendor_web.sh").read_text(encoding="utf-8")
    version = re.search(r"^VERSION=(\S+)", script, re.MULTILINE)
    assert version is not None
    about = {"version": version[1], "licence": "MIT", "description": "part of onnxruntime-web"}
    for path in sorted(VENDORED.iterdir()):
        if path.suffix != ".txt":
            yield of_file(path, ComponentType.FILE, about)


def bill() -> Bom:
    """The whole bill."""
    extras = frozenset(metadata.metadata("lafd").get_all("Provides-Extra", []))
    everything = closure("lafd", extras)
    core, used = closure("lafd", frozenset()), closure("lafd", extras - DEVELOPMENT)
    bom = Bom(serial_number=uuid.UUID(int=0))
    components = {}
    for name in sorted(everything):
        scope = ComponentScope.REQUIRED if name in core else ComponentScope.OPTIONAL
        components[name] = of_package(name, scope if name in used else ComponentScope.EXCLUDED)
    bom.metadata.component = lafd = components["lafd"]
    bom.metadata.timestamp = None  # type: ignore[assignment]
    inside = list(carried())
    bom.components.update([component for component in components.values() if component is not lafd] + inside)
    for name, needs in everything.items():
        bom.register_dependency(components[name], [components[other] for other in sorted(needs - {name})])
    bom.register_dependency(lafd, inside)
    return bom


def main() -> None:
    """Writes the bill to the file that the command line names."""
    Path(sys.argv[1]).write_text(JsonV1Dot6(bill()).output_as_string(indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
