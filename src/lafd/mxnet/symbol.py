"""MXNet's symbol files: a graph in JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lafd.errors import ModelError, UsageError

MAX_BYTES = 16_000_000  # a symbol of this family has 60 kB
NAME = re.compile(r"[\w.:/-]{1,200}")


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        op: Its operator; "null" for an input or a parameter.
        name: Unique in the graph.
        attributes: Settings of the operator, as text.
        inputs: Positions of earlier nodes.
    """

    op: str
    name: str
    attributes: dict[str, str]
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Symbol:
    """A graph: its nodes in an order in which they can be computed, and the positions of its outputs."""

    nodes: tuple[Node, ...]
    heads: tuple[int, ...]


def read_json(path: Path) -> Any:
    """Reads a small JSON file.

    Raises:
        UsageError: There is no such file.
        ModelError: The file is too large or not JSON.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file.")
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path}: too large, more than {MAX_BYTES // 1_000_000} MB.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not a JSON file ({error}).") from None


def read_symbol(path: Path) -> Symbol:
    """Reads a symbol file of any MXNet version.

    Raises:
        UsageError: There is no such file.
        ModelError: The file is not a symbol, or its graph is damaged.
    """
    data = read_json(path)
    if not (
        isinstance(data, dict) and isinstance(data.get("nodes"), list) and isinstance(data.get("heads"), list)
    ):
        raise ModelError(f"{path}: not an MXNet symbol: it must have lists of nodes and heads.")
    nodes: list[Node] = []
    for number, entry in enumerate(data["nodes"]):
        try:
            nodes.append(parse_node(entry, number))
        except ValueError as error:
            raise ModelError(f"{path}: node {number} {error}.") from None
    if len({node.name for node in nodes}) != len(nodes):
        raise ModelError(f"{path}: two nodes have the same name.")
    try:
        heads = tuple(parse_reference(head, len(nodes)) for head in data["heads"])
    except ValueError as error:
        raise ModelError(f"{path}: an output {error}.") from None
    return Symbol(tuple(nodes), heads)


def parse_node(entry: Any, number: int) -> Node:
    """One entry of the list of nodes; a ValueError says what is wrong with it."""
    if not isinstance(entry, dict) or not isinstance(entry.get("op"), str):
        raise ValueError("is not an object with an operator")
    name, inputs = entry.get("name"), entry.get("inputs")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("has no usable name")
    # "param" and "attr" are what older versions wrote
    attributes = entry.get("attrs", entry.get("param", entry.get("attr", {})))
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise ValueError(f"({name}) has attributes that are not text")
    if not isinstance(inputs, list):
        raise ValueError(f"({name}) has no list of inputs")
    try:
        return Node(entry["op"], name, attributes, tuple(parse_reference(i, number) for i in inputs))
    except ValueError as error:
        raise ValueError(f"({name}) {error}") from None


def parse_reference(entry: Any, before: int) -> int:
    """The position in [node, output] or [node, output, version]; every operator that is known has one output."""
    numbers = entry if isinstance(entry, list) else []
    if len(numbers) not in (2, 3) or not all(type(number) is int for number in numbers):
        raise ValueError("refers to no node")
    if not 0 <= numbers[0] < before or numbers[1] != 0:
        raise ValueError(f"refers to output {numbers[1]} of node {numbers[0]}, which is not before it")
    return int(numbers[0])
