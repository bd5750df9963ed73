"""Two small sets: boxes around solar panels on Korean roofs, and green space in Karachi and Swat."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segmenter.data.blobs import Blobs, EncodedImage, PackError, grey, raster, rgb

SOLAR_COMMIT = "7cc670a49a2c953bd3c8a8d36c4719ab0c9d7e74"
SOLAR_CLASSES = ("solar_panel", "?solar_panel")
#: Share of a box's width and height, around its centre, that is surely panel.
SURE_SHARE = 0.6
#: Runs of ten neighbouring numbers are held out together, one run in so many.
RUN, HELD_OUT_ONE_IN = 10, 7

GREEN_COMMIT = "59b0b03e2375214da7c5594dde31db360803b581"
GREEN_CLASSES = ("vegetation",)


def solar_split(number: int) -> str:
    """Split of a picture by its number."""
    return "validation" if number // RUN % HELD_OUT_ONE_IN == 3 else "train"


def solar(git_dir: Path) -> Iterator[EncodedImage]:
    """171 pictures of 640 px, about 0.2 m, with 605 boxes."""
    blobs = Blobs(git_dir, SOLAR_COMMIT)
    for path, match in blobs.matching(r"test/images/(sp(\d+)_png\.rf\.\w+)\.jpg"):
        encoded = blobs.read(path)
        height, width = rgb(encoded).shape[:2]
        boxes = blobs.read(f"test/labels/{match[1]}.txt").decode()
        yield EncodedImage(match[1], solar_split(int(match[2])), encoded, box_labels(boxes, height, width), None)


def box_labels(text: str, height: int, width: int) -> np.ndarray:
    """Bits of `SOLAR_CLASSES` from YOLO boxes `class x y width height`, shares of the picture; all is one class.

    The inside of a box is panel, between that and its edge it is not known. Raises PackError for a malformed line.
    """
    inner, outer = np.zeros((2, height, width), bool)
    for line in text.splitlines():
        numbers = [float(n) for n in line.split()]
        if not numbers:
            continue
        if len(numbers) != 5 or numbers[0] != 0:
            raise PackError(f"box line with class and {len(numbers) - 1} numbers, expected class 0 and 4: {line[:60]!r}")
        _, x, y, across, down = numbers
        for mask, share in ((outer, 1.0), (inner, SURE_SHARE)):
            top, bottom = round((y - share * down / 2) * height), round((y + share * down / 2) * height)
            left, right = round((x - share * across / 2) * width), round((x + share * across / 2) * width)
            mask[max(0, top) : bottom, max(0, left) : right] = True
    return raster(SOLAR_CLASSES, solar_panel=inner, unsure_solar_panel=outer & ~inner)


def green_space(git_dir: Path) -> Iterator[EncodedImage]:
    """10 tiles of 256 px at 0.14 m; too few to hold any out."""
    blobs = Blobs(git_dir, GREEN_COMMIT)
    for path, match in blobs.matching(r"((?:Karachi|Swat)_new)/images/(ges_(\d+_\d+)_.*)\.jpg"):
        mask = grey(blobs.read(f"{match[1]}/masks/{match[2]}_mask.png")) > 127
        key = f"{match[1].removesuffix('_new').lower()}_{match[3]}"
        yield EncodedImage(key, "train", blobs.read(path), raster(GREEN_CLASSES, vegetation=mask), None)
