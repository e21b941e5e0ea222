"""Drawn anime-like characters and scenes with known face boxes, for demonstration, tests and training."""

from __future__ import annotations

from lafd.opencv import needed

needed("drawing scenes")

# ruff: noqa: E402 - an understandable error comes before that of an import
from lafd.drawing.backgrounds import BACKGROUNDS, draw_background
from lafd.drawing.character import Character, random_character
from lafd.drawing.demo import demo_scene
from lafd.drawing.figure import draw_figure, face_polygon
from lafd.drawing.scene import Placement, Scene, compose, draw_scene, scatter
from lafd.drawing.styles import STYLES

__all__ = [
    "BACKGROUNDS",
    "STYLES",
    "Character",
    "Placement",
    "Scene",
    "compose",
    "demo_scene",
    "draw_background",
    "draw_figure",
    "draw_scene",
    "face_polygon",
    "random_character",
    "scatter",
]
