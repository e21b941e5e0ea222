"""Adds to the documentation site what is not in `docs`: the README, the reports and the reference (an MkDocs hook).

Pages keep the path that they have in the repository below `docs`, or below its root. Links between them are turned
accordingly; a link to a file of the repository that is no page becomes its text.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lafd.cli import COMMANDS

ROOT = Path(__file__).parents[1]
NAMES = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
REFERENCE = {  # public modules and what they are for
    "lafd": "the detector",
    "lafd.images": "reading and writing pictures",
    "lafd.draw": "marking faces",
    "lafd.crop": "cutting faces out",
    "lafd.annotations": "annotation formats",
    "lafd.client": "the service's client",
    "lafd.evaluation": "measuring accuracy",
    "lafd.models": "models and their cards",
    "lafd.web": "the page in the browser",
    "lafd.lffd_api": "the original's interface",
    "lafd.drawing": "drawing test pictures",
    "lafd.errors": "errors",
}
SECTIONS = {  # pages of `docs` that are not recipes
    "Concepts": ["concepts.md", "evaluation.md", "security.md", "supply-chain.md"],
    "Coming from the original": ["from-the-original.md"],
}


def source_of(uri: str) -> str:
    """Where a page of the site lies in the repository."""
    for source, name in NAMES.items():
        if uri == name:
            return source
    return uri if uri.startswith("benchmarks/") else f"docs/{uri}"


def page_of(source: str) -> str:
    """Where a file of the repository is in the site."""
    return NAMES.get(source, source.removeprefix("docs/"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages."""
    for source in [*NAMES, *(p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob("benchmarks/**/*.*")))]:
        if source.endswith((".md", ".svg", ".png")):
            files.append(File.generated(config, page_of(source), abs_src_path=str(ROOT / source)))
    generated = {"reference/command-line.md": command_line_page()}
    for module, purpose in REFERENCE.items():
        title = f"# {module}: {purpose}\n\n" if module != "lafd" else "# lafd\n\n"
        generated[f"reference/{module}.md"] = f"{title}::: {module}\n"
    for uri, content in generated.items():
        files.append(File.generated(config, uri, content=content))
    config.nav = navigation({file.src_uri for file in files.documentation_pages()})
    return files


def navigation(pages: set[str]) -> list[dict[str, Any]]:
    """The navigation: every page is in it, those of `docs` that no section names as recipes."""
    named = {page for section in SECTIONS.values() for page in section}
    models = {p for p in pages if p.startswith(("models", "benchmarks/"))}
    recipes = {p for p in pages if not p.startswith("reference/")} - named - models - set(NAMES.values())
    sections = {title: [page for page in section if page in pages] for title, section in SECTIONS.items()}
    reference = ["reference/command-line.md", *(f"reference/{module}.md" for module in REFERENCE)]
    return [
        {"Start": "index.md"},
        {"Concepts": sections["Concepts"]},
        {"Recipes": sorted(recipes)},
        {"Coming from the original": sections["Coming from the original"]},
        {"Models": sorted(models, key=lambda page: (page.startswith("benchmarks/"), page))},
        {"Reference": reference},
        {"Project": ["contributing.md", "changelog.md"]},
    ]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links of the repository into links of the site."""
    folder = posixpath.dirname(source_of(page.file.src_uri))

    def turn(link: re.Match[str]) -> str:
        target, hash_sign, anchor = link["target"].partition("#")
        if not target or "://" in target or page.file.src_uri.startswith("reference/"):
            return link[0]
        source = posixpath.normpath(posixpath.join(folder, target))
        if files.get_file_from_path(page_of(source)) is None and (ROOT / source).exists():
            return link["text"]
        relative = os.path.relpath(page_of(source), posixpath.dirname(page.file.src_uri)).replace(os.sep, "/")
        return f"{link['image']}[{link['text']}]({relative}{hash_sign}{anchor})"

    return re.sub(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)", turn, markdown)


def command_line_page() -> str:
    """The help of every command."""
    parts = ["# The command line\n", "Every command takes `--help`.\n"]
    for name, summary in COMMANDS.items():
        parser = argparse.ArgumentParser(
            f"lafd {name}", formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100)
        )
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(f"lafd.cli.{name.replace('-', '_')}").add_arguments(parser)
        parts.append(
            f"## lafd {name}\n\n{summary[0].upper() + summary[1:]}.\n\n```text\n{parser.format_help()}```\n"
        )
    return "\n".join(parts)
