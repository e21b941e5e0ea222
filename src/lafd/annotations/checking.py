"""Whether annotations fit their pictures."""

from __future__ import annotations

from lafd.annotations.dataset import Dataset
from lafd.annotations.reading import image_size
from lafd.errors import ImageError


def picture_faults(dataset: Dataset) -> dict[int, str]:
    """What is wrong with pictures that are missing, unreadable, or of another size than the annotations say.

    Returns:
        One sentence per such picture, by its index in `dataset.images`.
    """
    faults = {}
    for i, image in enumerate(dataset.images):
        path = dataset.path(image)
        if not path.is_file():
            faults[i] = f"{path} does not exist."
            continue
        try:
            width, height = image_size(path)
        except ImageError as error:
            faults[i] = str(error)
            continue
        if (width, height) != (image.width, image.height):
            stated = f"{image.width} x {image.height}"
            faults[i] = f"{path} has {width} x {height} pixels, its annotations say {stated}."
    return faults
