"""Landsat scenes of 128 px at 30 m with water masks and ESA WorldCover, of many places and dates."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmenter.data.blobs import Blobs, EncodedImage, PackError, grey, png, raster

LANDSAT_COMMIT = "3db152b9af0e57408435379f7b076808ef88d61f"
LANDSAT_CLASSES = ("water", "forest", "vegetation", "field", "?water", "?forest", "?vegetation", "?field")
#: Tiles whose masks do not fit their images.
LEFT_OUT = frozenset({4, 6, 29, 71, 88, 105})
#: Bands (from 0) of an image: red, green and blue, elevation, WorldCover.
RED, GREEN, BLUE, ELEVATION, COVER = 3, 2, 1, 9, 10
#: Reflectance (times 10,000) that is shown as white, and blue reflectance above which a pixel may be cloud.
WHITE, CLOUD = 3000, 2500
#: WorldCover codes.
TREE, SHRUB, GRASS, CROP, COVER_WATER, WETLAND = 10, 20, 30, 40, 80, 90
#: Tiles whose elevation agrees so well show one place.
SAME_PLACE = 0.97
#: One place in so many is held out.
HELD_OUT_ONE_IN = 6


def landsat(git_dir: Path) -> Iterator[EncodedImage]:
    """300 tiles; all dates of a place are on one side of the split."""
    # Only this reader needs the library.
    import tifffile

    blobs = Blobs(git_dir, LANDSAT_COMMIT)
    images = {}
    for path, match in blobs.matching(r"data/images/(\d+)\.tif"):
        if int(match[1]) not in LEFT_OUT:
            images[int(match[1])] = tifffile.imread(io.BytesIO(blobs.read(path)))
    if not images:
        raise PackError(f"{git_dir} has no image in commit {LANDSAT_COMMIT}")
    place = same_places({number: image[..., ELEVATION] for number, image in images.items()})
    for number, bands in sorted(images.items()):
        split = "validation" if place[number] % HELD_OUT_ONE_IN == 0 else "train"
        water = grey(blobs.read(f"data/labels/{number}.png")) > 0
        yield EncodedImage(f"tile_{number}", split, png(shown(bands)), cover_labels(bands, water), None)


def shown(bands: NDArray[np.int16]) -> NDArray[np.uint8]:
    """True colours `[h, w, 3]` of the bands `[h, w, 12]`."""
    colours = bands[..., [RED, GREEN, BLUE]].astype(np.float32) * (255 / WHITE)
    return np.clip(colours, 0, 255).astype(np.uint8)


def cover_labels(bands: NDArray[np.int16], water: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Label bits of `LANDSAT_CLASSES`: water from its mask, the rest from WorldCover, which knows no flood.

    Trees, shrubs and grass are vegetation; whether crops or wetland are is left open.
    """
    cover, cloud = bands[..., COVER], bands[..., BLUE] > CLOUD
    dry = ~water & (cover != COVER_WATER)
    plants = np.isin(cover, (TREE, SHRUB, GRASS))
    return raster(
        LANDSAT_CLASSES,
        water=water, forest=dry & (cover == TREE), vegetation=dry & plants, field=dry & (cover == CROP),
        unsure_water=cloud, unsure_forest=cloud | (~dry & ~water) | (cover == SHRUB),
        unsure_vegetation=cloud | (~dry & ~water) | np.isin(cover, (CROP, WETLAND)),
        unsure_field=cloud | (~dry & ~water) | (cover == GRASS),
    )  # fmt: skip


def same_places(elevations: dict[int, NDArray[np.int16]]) -> dict[int, int]:
    """The lowest tile number of each tile's place: tiles whose elevations agree in level and form are joined."""
    numbers = sorted(elevations)
    small = np.stack([elevations[n].astype(np.float64).reshape(32, 4, 32, 4).mean((1, 3)).ravel() for n in numbers])
    level = small.mean(1)
    centred = small - level[:, None]
    size = np.linalg.norm(centred, axis=1)
    alike = (centred @ centred.T) / np.maximum(np.outer(size, size), 1e-6) > SAME_PLACE
    near = np.abs(level[:, None] - level[None]) < 25
    flat = (size[:, None] < 32) & (size[None] < 32)
    root = list(range(len(numbers)))
    for i, j in zip(*np.nonzero(near & (alike | flat)), strict=True):
        low, high = sorted((_top(root, int(i)), _top(root, int(j))))
        root[high] = low
    return {number: numbers[_top(root, index)] for index, number in enumerate(numbers)}


def _top(root: list[int], index: int) -> int:
    while root[index] != index:
        index = root[index]
    return index
