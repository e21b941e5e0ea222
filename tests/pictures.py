"""Pictures that tests draw, and files made of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lafd.drawing import draw_scene
from lafd.images import save_image

HEIGHT, WIDTH = 40, 56


def scene() -> np.ndarray:
    """RGB (40, 56, 3): smooth, and different under every turn and mirror."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 4, y * 6, 255 - (x + y) * 2], 2).astype(np.uint8)


def blocks(seed: int, side: int = 8) -> np.ndarray:
    """RGB (40, 56, 3) of flat blocks in few colours, so that GIF stores it exactly."""
    colours = np.random.default_rng(seed).integers(0, 256, (HEIGHT // side, WIDTH // side, 3))
    return np.kron(colours, np.ones((side, side, 1))).astype(np.uint8)


def encoded(pixels: np.ndarray | Image.Image, file_format: str, **options: Any) -> bytes:
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def assert_same(bgr: np.ndarray, rgb: np.ndarray, tolerance: int = 0) -> None:
    assert bgr.dtype == np.uint8
    assert bgr.flags.c_contiguous
    assert bgr.shape == rgb.shape
    assert np.abs(bgr[..., ::-1].astype(int) - rgb).max() <= tolerance


def many_drawn(folder: Path, count: int) -> None:
    """Writes so many small drawn pictures, 00.jpg and so on."""
    scenes = [draw_scene(200, 150, seed, faces=seed % 3).image for seed in range(6)]
    for number in range(count):
        save_image(folder / f"{number:02d}.jpg", scenes[number % 6])


def animation(file_format: str, **options: Any) -> tuple[bytes, list[np.ndarray]]:
    """Three frames of which the later ones change a part alone, as encoders store them."""
    frames = [blocks(1) for _ in range(3)]
    frames[1][8:16, 8:24] = 200, 30, 30
    frames[2][24:32, 40:] = 30, 30, 200
    first, *others = [Image.fromarray(frame) for frame in frames]
    if file_format == "WEBP":
        options["lossless"] = True
    return encoded(first, file_format, save_all=True, append_images=others, duration=50, **options), frames


FILES = {
    "jpeg": encoded(scene(), "JPEG"),
    "progressive": encoded(scene(), "JPEG", progressive=True),
    "cmyk": encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG"),
    "png": encoded(scene(), "PNG"),
    "apng": animation("PNG")[0],
    "webp": encoded(scene(), "WEBP"),
    "lossless webp": encoded(scene(), "WEBP", lossless=True),
    "animated webp": animation("WEBP")[0],
    "gif": encoded(blocks(0), "GIF"),
    "animated gif": animation("GIF")[0],
    "tiff": encoded(scene(), "TIFF"),
    "avif": encoded(scene(), "AVIF"),
}
