"""Road masks: aerial images of ETH's road challenge of 2022, and crops of the Massachusetts roads (Mnih 2013)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segmenter.data.blobs import Blobs, EncodedImage, grey, png, raster, rgb

ROADS_COMMIT = "ec960c626cfbd29a817562bab05ea0eae0ada5a3"
ROAD_CLASSES = ("road", "?road")
#: Massachusetts roads are centre lines of a fixed width: so many pixels inside and outside of their edges may be either.
INNER_PX, OUTER_PX = 2, 6
#: All channels above this are the white outside of the photograph, where so many pixels hang together.
WHITE, LEAST_WHITE_PX = 250, 400


def eth_roads(git_dir: Path) -> Iterator[EncodedImage]:
    """144 images of 400 px, 0.3 to 0.5 m; the challenge's own validation images are held out."""
    blobs = Blobs(git_dir, ROADS_COMMIT)
    for path, match in blobs.matching(r"data/(training|validation)/images/(satimage_\d+)\.png"):
        mask = grey(blobs.read(f"data/{match[1]}/groundtruth/{match[2]}.png"))
        split = "validation" if match[1] == "validation" else "train"
        yield EncodedImage(match[2], split, png(rgb(blobs.read(path))), raster(ROAD_CLASSES, road=mask > 127), None)


def massachusetts_roads(git_dir: Path) -> Iterator[EncodedImage]:
    """387 crops of 400 px, 1 m; the crops of its validation and test tiles are held out."""
    from scipy import ndimage

    blobs = Blobs(git_dir, ROADS_COMMIT)
    folder = r"data/road_segmentation_ideal_subset_cropped/(training|validation|testing)"
    for path, match in blobs.matching(folder + r"/input/(img-\d+)\.png"):
        pixels = rgb(blobs.read(path))
        road = grey(blobs.read(path.replace("/input/", "/output/"))) > 127
        grown = ndimage.binary_dilation(road, iterations=OUTER_PX)
        inner = ndimage.binary_erosion(road, iterations=INNER_PX, border_value=1)
        unsure = (grown & ~inner) | outside(pixels)
        split = "train" if match[1] == "training" else "validation"
        labels = raster(ROAD_CLASSES, road=road, unsure_road=unsure)
        yield EncodedImage(f"{match[1]}_{match[2]}", split, png(pixels), labels, None)


def outside(pixels: np.ndarray) -> np.ndarray:
    """Where a photograph `[h, w, 3]` is the white beyond its edge: bool `[h, w]`."""
    from scipy import ndimage

    parts, _ = ndimage.label((pixels > WHITE).all(-1))
    large = np.bincount(parts.ravel()) >= LEAST_WHITE_PX
    large[0] = False
    return np.asarray(large[parts])
