"""Makes the documentation's picture of the review page; needs Playwright and Chromium."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tools")]

from web_screenshots import SCENES, VIEWS, save  # noqa: E402

from lafd import Detector, Options  # noqa: E402
from lafd.annotations import AnnotatedImage, Dataset, write_annotations  # noqa: E402
from lafd.drawing import demo_scene, draw_scene  # noqa: E402
from lafd.images import load_image, save_image  # noqa: E402
from reviewing import ReviewPage, reviewing  # noqa: E402
from webpage import started  # noqa: E402


def main() -> None:
    """Draws pictures, finds their faces, reviews some, and writes docs/images/review-*.png."""
    with tempfile.TemporaryDirectory() as name, started() as browser:
        folder = Path(name)
        save_image(folder / "cherry tree.png", demo_scene().image)
        for seed, (title, (width, height, faces)) in enumerate(SCENES.items()):
            save_image(folder / f"{title}.png", draw_scene(width, height, 40 + seed, faces=faces).image)
        detector = Detector()
        found = []
        for path in sorted(folder.glob("*.png")):
            faces_found = detector.detect(load_image(path), Options(confidence=0.3))
            found.append(AnnotatedImage.of_detections(path.name, faces_found))
        write_annotations(Dataset(tuple(found), root=folder), folder / "faces.json", "coco")
        for view in sys.argv[1:] or ["light"]:
            with reviewing(folder, "--compare", folder / "faces.json") as program:
                page = ReviewPage(browser, program.url, **VIEWS[view])
                page.press("ArrowRight", "a", "a", "r", "Home")
                page.tab.locator(".row").first.click()
                page.at(0)
                page.tab.locator(".face").nth(2).click()
                page.tab.locator("#area").focus()
                page.tab.wait_for_timeout(800)
                save(page.tab.screenshot(), ROOT / "docs" / "images" / f"review-{view}.png")
                assert page.complaints == [], page.complaints
                page.close()
            (folder / "faces.reviewed.json.journal").unlink()


if __name__ == "__main__":
    main()
