"""XML, read safely, and the text of attribute values in it."""

from __future__ import annotations

import importlib
import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lafd.annotations.writing import write_bytes
from lafd.errors import LafdError, UsageError

_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def parse(path: Path) -> Element:
    """The root element of an XML file; entities and external references are refused.

    Raises:
        UsageError: defusedxml is not installed.
        LafdError: The file cannot be read or is not safe XML.
    """
    try:
        tree = importlib.import_module("defusedxml.ElementTree")
    except ImportError:
        raise UsageError("XML needs the package defusedxml: pip install 'lafd[annotations]'") from None
    try:
        root: Element = tree.parse(str(path), forbid_dtd=True).getroot()
    except OSError as error:
        raise LafdError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (
        tree.ParseError,
        ValueError,
        LookupError,
        RecursionError,
    ) as error:  # defusedxml's own are ValueErrors
        raise LafdError(f"{path}: not readable XML ({' '.join(str(error).split())}).") from None
    return root


def write(path: Path, root: Element) -> None:
    """Writes an element as a file.

    Raises:
        LafdError: It cannot be written, or a name has characters that XML cannot hold.
    """
    for element in root.iter():
        for text in (element.text or "", *element.attrib.values()):
            if _UNWRITABLE.search(text):
                raise LafdError(f"{path}: {text!r} has characters that XML cannot hold; rename it.")
    indent(root)
    write_bytes(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def add(parent: Element, tag: str, text: object) -> Element:
    """Adds an element with a text."""
    element = SubElement(parent, tag)
    element.text = str(text)
    return element


def text_of(element: Element, tag: str) -> str:
    """The text of the first such child, without space around it; empty where there is none."""
    return (element.findtext(tag) or "").strip()


def to_text(value: Any) -> str:
    """An attribute's value as text: a string as it is, all else as JSON, and quoted where it would read as JSON.

    Raises:
        LafdError: The value is not a JSON value.
    """
    if isinstance(value, str) and from_text(value) == value:
        return value
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise LafdError(f"the attribute value {value!r} cannot be written ({error}).") from None


def from_text(text: str) -> Any:
    """The value that `to_text` made the text from; true, false and numbers of other programs are read as such."""
    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, float) and not math.isfinite(value) else value


def refuse(constant: str) -> None:
    """Refuses NaN and Infinity, which are not JSON."""
    raise ValueError(constant)
