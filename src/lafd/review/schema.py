"""What is decided of a picture: in memory, in the journal and on the way to the page, in one form."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lafd.annotations import FACE, Annotation

Side: TypeAlias = Annotated[float, Field(gt=-3e38, lt=3e38)]  # what float32 holds
Status: TypeAlias = Literal["unseen", "edited", "accepted", "rejected"]


class Box(BaseModel):
    """One box, as `lafd.annotations.Annotation`.

    Attributes:
        box: (x1, y1, x2, y2) in pixels of the upright picture.
        category: What it is.
        ignore: The region is neither face nor background.
        score: Of the model that drew it, in [0, 1]; None for boxes of people.
        doubtful: A person should look at it.
        tilt: Degrees by which it is turned clockwise around its centre.
        attributes: Whatever else the annotations say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    box: tuple[Side, Side, Side, Side]
    category: str = FACE
    ignore: bool = False
    score: float | None = Field(None, ge=0, le=1)
    doubtful: bool = False
    tilt: float = Field(0, allow_inf_nan=False)
    attributes: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def check_edges(self) -> Box:
        """Refuses a box whose right or bottom edge comes before the other one."""
        x1, y1, x2, y2 = self.box
        if x2 < x1 or y2 < y1:
            raise ValueError(f"the right or bottom edge of {self.box} comes before the other one")
        return self

    @classmethod
    def of(cls, annotation: Annotation, *, doubtful: bool = False) -> Box:
        """The box of an annotation."""
        return cls(
            box=annotation.box,
            category=annotation.category,
            ignore=annotation.ignore,
            score=annotation.score,
            doubtful=doubtful,
            tilt=annotation.tilt,
            attributes=dict(annotation.attributes),
        )

    def annotation(self, *, scored: bool) -> Annotation:
        """The box as an annotation, with its score or without."""
        score = self.score if scored else None
        return Annotation(self.box, self.category, self.ignore, score, self.tilt, self.attributes)


class State(BaseModel):
    """What is decided of a picture.

    Attributes:
        status: "unseen"; "edited", whose boxes were changed but not accepted yet; "accepted"; or "rejected", which
            does not belong to the data set.
        boxes: The boxes as they are now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status = "unseen"
    boxes: tuple[Box, ...] = ()
