"""What was decided so far, picture by picture, with every step back."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from lafd.errors import LafdError
from lafd.review.journal import Journal
from lafd.review.project import Project
from lafd.review.schema import State

FORMAT = 1  # of the journal


class StaleError(Exception):
    """The picture was changed meanwhile, as in another tab."""


@dataclass(frozen=True)
class Change:
    """One step: the picture's index, and its state before and after."""

    index: int
    before: State
    after: State


class Session:
    """The states of all pictures; many threads may use it.

    Args:
        project: What is reviewed.
        journal: Where changes are kept; those that it holds are done again.

    Attributes:
        identity: Of the journal, for pages that remember what they could not send yet.
        states: The state of every picture.
        versions: How often every picture was changed.
        exported: Whether the annotations have been written since the last change.
        problems: What of the journal could not be used, one sentence each.

    Raises:
        LafdError: The file is no journal of a review, or cannot be written.
    """

    def __init__(self, project: Project, journal: Journal) -> None:
        self.project, self.journal = project, journal
        self.states = list(project.states)
        self.versions = [0] * len(self.states)
        self.changes: list[Change] = []
        self.done = 0  # of the changes; those after it were undone
        self.lock = threading.Lock()
        self.problems = list(journal.problems)
        self.identity = self.begin()
        self.replay()
        self.exported = not self.changes

    def begin(self) -> str:
        """Reads the journal's first line, or writes it."""
        if not self.journal.entries:
            head = {"lafd_review": FORMAT, "id": secrets.token_hex(8)}
            self.journal.append(head)
            self.journal.entries.append(head)
        head = self.journal.entries[0]
        if head.get("lafd_review") != FORMAT or not isinstance(head.get("id"), str):
            raise LafdError(f"{self.journal.path}: not a journal of lafd review; choose another -o.")
        return str(head["id"])

    def replay(self) -> None:
        """Does the journal's changes again."""
        indices = {image.name: i for i, image in enumerate(self.project.dataset.images)}
        unknown: dict[str, None] = {}
        for entry in self.journal.entries[1:]:
            name = str(entry.get("name"))
            if name not in indices:
                unknown[name] = None
                continue
            try:
                state = State.model_validate(entry.get("state"))
            except ValidationError as error:
                self.problems.append(f"{self.journal.path}: a change of {name} is left out: {reason(error)}.")
                continue
            self.apply(indices[name], state, str(entry.get("step")))
        self.problems += [
            f"{self.journal.path}: {name} is not among the pictures; its changes wait in the journal."
            for name in unknown
        ]

    def put(self, index: int, state: State, version: int | None = None) -> None:
        """Sets the state of a picture.

        Args:
            index: Of the picture.
            state: The new state.
            version: The one that the state was made from; None overwrites any.

        Raises:
            StaleError: The picture has another version and another state by now.
            LafdError: The change cannot be written; nothing has changed.
            ValueError: An attribute is not a JSON value.
        """
        with self.lock:
            if state == self.states[index]:  # sent twice, because the answer to the first was lost
                return
            if version is not None and version != self.versions[index]:
                raise StaleError
            self.record(index, state, "do")

    def undo(self) -> int | None:
        """Takes the last change back; the index of its picture, or None if there is none.

        Raises:
            LafdError: It cannot be written; nothing has changed.
        """
        with self.lock:
            if self.done == 0:
                return None
            change = self.changes[self.done - 1]
            self.record(change.index, change.before, "undo")
            return change.index

    def redo(self) -> int | None:
        """Does the change again that was taken back last; the index of its picture, or None if there is none.

        Raises:
            LafdError: It cannot be written; nothing has changed.
        """
        with self.lock:
            if self.done == len(self.changes):
                return None
            change = self.changes[self.done]
            self.record(change.index, change.after, "redo")
            return change.index

    def record(self, index: int, state: State, step: str) -> None:
        """Writes a change, then applies it."""
        name = self.project.dataset.images[index].name
        entry: dict[str, Any] = {"name": name, "state": state.model_dump(exclude_defaults=True), "step": step}
        self.journal.append(entry)
        self.apply(index, state, step)
        self.exported = False

    def apply(self, index: int, state: State, step: str) -> None:
        """Sets a state and keeps the way back."""
        if step == "undo":
            self.done = max(self.done - 1, 0)
        else:
            if step != "redo":
                self.changes[self.done :] = [Change(index, self.states[index], state)]
            self.done = min(self.done + 1, len(self.changes))
        self.states[index] = state
        self.versions[index] += 1


def reason(error: ValidationError) -> str:
    """The first fault that was found, in one line."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
