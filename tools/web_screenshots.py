"""Makes the documentation's pictures of the page, best on a quiet machine; needs Playwright and Chromium."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from lafd.drawing import demo_scene, draw_scene  # noqa: E402
from lafd.images import save_image  # noqa: E402
from lafd.web.server import make_server  # noqa: E402
from webpage import WebPage, running, started  # noqa: E402

Faces = list[tuple[float, float, float]]  # x, y and height of each
SCENES: dict[str, tuple[int, int, Faces]] = {
    "class photo": (960, 640, [(200, 260, 190), (480, 240, 190), (760, 260, 190)]),
    "festival": (800, 600, [(240, 270, 200), (560, 270, 200)]),
    "library": (640, 800, [(320, 320, 260)]),
    "night train": (960, 640, [(330, 280, 220), (680, 260, 180)]),
    "portrait": (600, 760, [(300, 330, 300)]),
    "rooftop": (1000, 640, [(220, 260, 170), (500, 240, 190), (790, 270, 170)]),
}
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1360, "height": 850}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1360, "height": 850}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "is_mobile": True},
}


def main() -> None:
    """Draws pictures, opens them in the page, and writes docs/images/web-*.png."""
    with (
        tempfile.TemporaryDirectory() as name,
        started() as browser,
        running(make_server(0)) as address,
    ):
        folder = Path(name)
        save_image(folder / "cherry tree.png", demo_scene().image)
        for seed, (title, (width, height, faces)) in enumerate(SCENES.items()):
            save_image(folder / f"{title}.png", draw_scene(width, height, 40 + seed, faces=faces).image)
        whole = (folder / "portrait.png").read_bytes()
        (folder / "torn page.png").write_bytes(whole[: len(whole) // 20])
        for view, context in VIEWS.items():
            page = WebPage(browser, address, **context)
            page.add(sorted(folder.iterdir()))
            page.tab.locator(".entry", has_text="cherry").click()
            for size in (672, 640):  # the times of a detector that has warmed up
                page.slide("size", size)
                page.finish(len(SCENES) + 2)
            page.tab.wait_for_selector(".crop:last-child img[src]")
            page.tab.wait_for_timeout(500)
            save(page.tab.screenshot(), ROOT / "docs" / "images" / f"web-{view}.png")
            page.close()


def save(png: bytes, path: Path) -> None:
    """Writes a screenshot with 256 colours, a third of the size."""
    with Image.open(io.BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    path.parent.mkdir(parents=True, exist_ok=True)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
