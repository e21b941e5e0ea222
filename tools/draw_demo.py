"""Draws the picture of `lafd demo`, which is shipped so that the command needs no OpenCV."""

from lafd.cli.demo import PICTURE
from lafd.drawing import demo_scene
from lafd.images import save_image

if __name__ == "__main__":
    save_image(PICTURE, demo_scene().image, quality=90)
