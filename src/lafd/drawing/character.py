"""What a drawn character looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from lafd.drawing.styles import STYLES, Colour, bgr
from lafd.errors import UsageError

HAIR_STYLES = ("bob", "long", "twintails", "ponytail", "short", "spiky", "buns", "wavy")
# Hair without long locks; its wearers wear trousers.
CUT_SHORT = ("short", "spiky")
FRINGES = ("swept", "straight", "parted", "messy")
EXPRESSIONS = ("smile", "open", "closed_eyes", "wink", "surprised", "calm")
HEADWEAR = ("none", "cat_ears", "ribbon", "hat", "glasses", "headphones", "flower")
OUTFITS = ("sailor", "blazer", "hoodie", "kimono", "dress")

HAIR_COLOURS = (
    *("#3a3346", "#4a3328", "#7d4b32", "#b97843", "#e9c46f", "#f6dfa0", "#f3a9bf", "#e0697f", "#c23b3f"),
    *("#8f6bc0", "#5b6fc4", "#6fb7e0", "#7fd0c6", "#6aa86a", "#d9dbe6", "#a9a4b8", "#ee8f4c", "#2f3f63"),
)
EYE_COLOURS = (
    "#7a4a2a",
    "#c8862c",
    "#3f7fd0",
    "#2fa58c",
    "#8a55c8",
    "#c8405a",
    "#5a8f3a",
    "#d96a9a",
    "#566a8a",
)
SKINS = ("#fde6d8", "#fbdcc8", "#f6d0b4", "#e8b890", "#c08a62")
ACCENTS = ("#2f4a86", "#b8383f", "#3f7a5f", "#6a4f94", "#d98a3a", "#4a4a5a", "#d7688a", "#4f9ac4")

# Beyond this turn a head is drawn in profile; below it, features slide over the front of the head.
PROFILE_YAW = 0.75


@dataclass(frozen=True)
class Character:
    """A head with its bust; colours are texts like `#ffd0a0`.

    Attributes:
        hair_colour: Colour of hair and brows.
        hair_style: One of HAIR_STYLES.
        fringe: One of FRINGES.
        eye_colour: Colour of the irises.
        skin: Colour of the skin.
        expression: One of EXPRESSIONS.
        headwear: One of HEADWEAR.
        outfit: One of OUTFITS.
        accent: Main colour of outfit and headwear.
        tilt: Clockwise turn in the plane of the picture, in degrees.
        yaw: Turn of the head from -1 (full profile to the left) through 0 (frontal) to 1 (to the right).
        slant: From -1 (drooping eyes) to 1 (sharp eyes).
        chibi: A broad head on a tiny body.
        style: Way of drawing, a name in STYLES.
        variant: Picks the strands of the hair.
    """

    hair_colour: str = "#7d4b32"
    hair_style: str = "bob"
    fringe: str = "swept"
    eye_colour: str = "#3f7fd0"
    skin: str = "#fde6d8"
    expression: str = "smile"
    headwear: str = "none"
    outfit: str = "sailor"
    accent: str = "#2f4a86"
    tilt: float = 0.0
    yaw: float = 0.0
    slant: float = 0.0
    chibi: bool = False
    style: str = "cel"
    variant: int = 0

    def __post_init__(self) -> None:
        choices = {
            "hair_style": HAIR_STYLES,
            "fringe": FRINGES,
            "expression": EXPRESSIONS,
            "headwear": HEADWEAR,
            "outfit": OUTFITS,
            "style": tuple(STYLES),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise UsageError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(allowed)}")
        for name in ("hair_colour", "eye_colour", "skin", "accent"):
            if not re.fullmatch("#[0-9a-fA-F]{6}", getattr(self, name)):
                raise UsageError(f"{name} is {getattr(self, name)!r}; write a colour like #ffd0a0")
        if not -1 <= self.yaw <= 1:
            raise UsageError(f"yaw is {self.yaw}; choose a number from -1 to 1")

    @property
    def profile(self) -> bool:
        """Whether the head is seen from the side."""
        return abs(self.yaw) > PROFILE_YAW

    @property
    def turn(self) -> float:
        """How far a head that is not in profile turns to the right of the canvas, 1 for a three-quarter view."""
        return 0.0 if self.profile else abs(self.yaw) / 0.6

    def colour(self, name: str) -> Colour:
        """The colour field of this name as (blue, green, red)."""
        return bgr(getattr(self, name))


def random_character(rng: np.random.Generator, style: str | None = None) -> Character:
    """A character drawn at random; the same state of `rng` gives the same character.

    Args:
        rng: Source of randomness.
        style: A name in STYLES, or None for any of them.
    """

    def pick(choices: tuple[str, ...], *weights: float) -> str:
        p = np.array(weights or [1.0] * len(choices))
        return str(rng.choice(choices, p=p / p.sum()))

    kind = rng.random()
    yaw = float(rng.choice([-1, 1])) if kind < 0.1 else float(np.clip(rng.normal(0, 0.33), -0.7, 0.7))
    tilt = float(rng.uniform(0, 360)) if rng.random() < 0.15 else float(rng.normal(0, 9)) % 360
    return Character(
        hair_colour=pick(HAIR_COLOURS),
        hair_style=pick(HAIR_STYLES),
        fringe=pick(FRINGES),
        eye_colour=pick(EYE_COLOURS),
        skin=pick(SKINS, 4, 4, 3, 2, 1),
        expression=pick(EXPRESSIONS, 3, 3, 1.5, 1, 1, 2),
        headwear=pick(HEADWEAR, 5, 1, 1, 1, 1, 1, 1),
        outfit=pick(OUTFITS),
        accent=pick(ACCENTS),
        tilt=tilt,
        yaw=yaw,
        slant=float(rng.uniform(-1, 1)),
        chibi=bool(rng.random() < 0.15),
        style=style or pick(tuple(STYLES), 5, 3, 2, 1, 1),
        variant=int(rng.integers(1 << 16)),
    )
