"""Films that tests draw: faces that move, grow and turn before a drawn background, with a tone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from lafd.drawing import Character, Placement, compose, draw_background
from lafd.drawing.styles import style_named

WIDTH, HEIGHT = 320, 180
HEROINE = Character(hair_colour="#e9c46f", hair_style="bob", fringe="parted", eye_colour="#2fa58c")
FRIEND = Character(hair_colour="#3a3346", hair_style="ponytail", fringe="swept", eye_colour="#c8862c")

Scenario = Callable[[float], list[Placement]]


def moving(share: float) -> list[Placement]:
    """One face goes from left to right, grows and turns; another stays; `share` is in [0, 1]."""
    heroine = dataclasses.replace(HEROINE, tilt=-10 + 20 * share, yaw=-0.3 + 0.6 * share)
    return [
        Placement(heroine, 60 + 100 * share, 90, 56 + 14 * share),
        Placement(FRIEND, 262, 84, 60),
    ]


def elsewhere(share: float) -> list[Placement]:
    """One other face, at the place where the heroine of `moving` is at the end."""
    other = dataclasses.replace(HEROINE, hair_colour="#5b6fc4", outfit="kimono")
    return [Placement(other, 158 + 4 * share, 92, 70)]


def drawn(
    scenario: Scenario, frames: int, seed: int = 1, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures, uint8 (h, w, 3) BGR, and the boxes of their faces."""
    rng = np.random.default_rng(seed)
    background = draw_background("room" if seed == 1 else "sky", size, rng, style_named("cel"))
    scenes = [compose(background, scenario(i / max(1, frames - 1))) for i in range(frames)]
    return [(scene.image, scene.boxes) for scene in scenes]


def write_film(path: Path, pictures: Sequence[np.ndarray], **options: Any) -> Path:
    """Encodes a film.

    Options are: codec, codec_options, pix_fmt, rate (frames per second), pts (of every frame, in 1/1000 s),
    rotation (degrees, as a player turns it, anticlockwise), sound (a codec), subtitles (text), metadata,
    color_range.
    """
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as film:
        film.metadata.update(options.get("metadata", {}))
        rate = Fraction(options.get("rate", 24))
        stream: Any = film.add_stream(
            options.get("codec", "libx264"),
            rate=rate,
            options=options.get("codec_options", {"preset": "ultrafast"}),
        )
        stream.width, stream.height = width, height
        stream.pix_fmt = options.get("pix_fmt", "yuv420p")
        if "pts" in options:
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if "color_range" in options:
            stream.codec_context.color_range = options["color_range"]
        if "rotation" in options:
            stream.set_display_rotation(options["rotation"])
        sound: Any = film.add_stream(options["sound"], rate=44100) if "sound" in options else None
        if sound is not None:
            sound.metadata["language"] = "jpn"
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "bgr24")
            frame = frame.reformat(format=stream.pix_fmt, dst_color_range=options.get("color_range"))
            if "pts" in options:
                frame.pts, frame.time_base = options["pts"][i], Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        if sound is not None:
            for packet in _tone(sound, len(pictures) / rate):
                film.mux(packet)
    return path


def _tone(stream: Any, seconds: Fraction) -> Any:
    step = 1024
    for start in range(0, int(seconds * 44100), step):
        wave = (0.2 * np.sin(2 * np.pi * 440 * (start + np.arange(step)) / 44100)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
        frame.rate, frame.pts = 44100, start
        yield from stream.encode(frame)
    yield from stream.encode(None)


def packets(path: Path, kind: str) -> list[tuple[Any, bytes]]:
    """Time in seconds and bytes of every packet of the first stream of a kind."""
    with av.open(str(path)) as film:
        stream = next(s for s in film.streams if s.type == kind)
        return [
            (float(p.pts * p.time_base), bytes(p)) for p in film.demux(stream) if p.pts is not None and p.size
        ]


def decoded(path: Path) -> list[av.VideoFrame]:
    """Every frame."""
    with av.open(str(path)) as film:
        return list(film.decode(video=0))
