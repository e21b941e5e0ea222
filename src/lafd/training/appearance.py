"""Random changes of how a picture looks: light, colour, line art, screentone, compression, blur, noise, cut-outs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lafd.pixels import Pixels


def change_appearance(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Applies a few random changes to a BGR picture of uint8 (h, w, 3)."""
    style = rng.random()
    if style < 0.04:
        picture = line_art(picture)
    elif style < 0.08:
        picture = screentone(rng, picture)
    elif style < 0.2:
        picture = grey(picture)
    elif rng.random() < 0.5:
        picture = shift_colour(rng, picture)
    if rng.random() < 0.6:
        picture = shift_light(rng, picture)
    if rng.random() < 0.02:
        picture = 255 - picture
    if rng.random() < 0.25:
        picture = degrade(rng, picture)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
        picture = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return picture


def grey(picture: Pixels) -> Pixels:
    """Black and white."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def line_art(picture: Pixels) -> Pixels:
    """Dark lines on white where the picture has edges, as in a sketch."""
    value = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    around = cv2.dilate(value, np.ones((3, 3), np.uint8))
    lines = (
        np.clip(255 * (value + 1) / (around + 1), 0, 255) ** 2 / 255
    )  # "colour dodge": flat areas turn white
    return np.asarray(cv2.cvtColor(lines.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def screentone(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Black dots whose size follows the darkness, as in printed manga."""
    value = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    height, width = value.shape
    angle, period = rng.uniform(0, np.pi / 2), rng.uniform(2.5, 6)
    x, y = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
    u = (x * np.cos(angle) + y * np.sin(angle)) * (np.pi / period)
    v = (y * np.cos(angle) - x * np.sin(angle)) * (np.pi / period)
    pattern = (np.sin(u) * np.sin(v) + 1) / 2
    toned = np.clip((value * 1.3 - 0.15 - pattern) * 4 + 0.5, 0, 1)
    toned = np.where(value < 0.2, value, np.where(value > 0.85, 1, toned))
    return np.asarray(cv2.cvtColor((toned * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def shift_colour(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Turns the hue and changes the saturation; sometimes tints the whole picture."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    hue = rng.normal(0, 12) if rng.random() < 0.8 else rng.uniform(0, 180)
    table = np.arange(256, dtype=np.float32)
    hsv[..., 0] = cv2.LUT(hsv[..., 0], ((table + hue) % 180).astype(np.uint8))
    hsv[..., 1] = cv2.LUT(hsv[..., 1], np.clip(table * rng.uniform(0.3, 1.6), 0, 255).astype(np.uint8))
    picture = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)
    if rng.random() < 0.25:
        gains = np.clip(table[:, None] * rng.uniform(0.6, 1.25, 3), 0, 255).astype(np.uint8)
        picture = np.asarray(cv2.LUT(picture, gains[None]), np.uint8)
    return picture


def shift_light(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Brightness, contrast and gamma through one table; one in eight becomes a night scene."""
    table = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.3))
    table = (table - 0.5) * rng.uniform(0.6, 1.4) + 0.5 + rng.uniform(-0.15, 0.15)
    if rng.random() < 0.12:
        table = table * rng.uniform(0.12, 0.5)
    return np.asarray(cv2.LUT(picture, np.clip(table * 255, 0, 255).astype(np.uint8)), np.uint8)


def degrade(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Blur, noise or a lost resolution."""
    kind = rng.integers(3)
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    if kind == 1:
        noise = np.empty(picture.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(noise, np.zeros(3), np.full(3, rng.uniform(3, 18)))
        return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, None, fx=(f := rng.uniform(0.35, 0.8)), fy=f, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def cut_out(rng: np.random.Generator, picture: Pixels, box: NDArray[np.float32]) -> None:
    """Covers a part of a face (at most about a third) in place, as ornaments, hands and masks do."""
    x1, y1, x2, y2 = box
    width, height = (x2 - x1) * rng.uniform(0.2, 0.6), (y2 - y1) * rng.uniform(0.2, 0.5)
    left, top = (
        int(rng.uniform(x1 - width / 2, x2 - width / 2)),
        int(rng.uniform(y1 - height / 2, y2 - height / 2)),
    )
    patch = picture[max(top, 0) : max(top + int(height), 0), max(left, 0) : max(left + int(width), 0)]
    if not patch.size:
        return
    if rng.random() < 0.5:
        patch[:] = rng.integers(0, 256, 3, dtype=np.uint8)
        return
    source_x, source_y = (
        int(rng.integers(0, 1 + limit - size))
        for limit, size in ((picture.shape[1], patch.shape[1]), (picture.shape[0], patch.shape[0]))
    )
    patch[:] = picture[source_y : source_y + patch.shape[0], source_x : source_x + patch.shape[1]].copy()
