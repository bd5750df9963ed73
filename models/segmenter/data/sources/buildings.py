"""Building masks: single images of about 25 places of the world, and one Swedish village with the woods around it."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from segmenter.data.blobs import Blobs, EncodedImage, PackError, grey, png, raster, rgb

PLACES_COMMIT = "33e019bcb29a31a908752c025921d18e6e92e577"
PLACE_CLASSES = ("building", "vegetation", "?building", "?vegetation")
#: Images of places kept for validation, by the start of their key.
PLACES_HELD_OUT = ("inria_kitsap", "whu_sample_cordoba", "whu_sample_wuhan", "nzlnd_441")
#: Colours of the Potsdam masks (RGB) that are vegetation: low plants and trees.
POTSDAM_VEGETATION = ((0, 255, 255), (0, 255, 0))
#: These pictures are dark; they are stretched between these percentiles of each channel.
DARK, STRETCH = "whu_east_asia", (1, 99)

VILLAGE_COMMIT = "a59d8add0123f50fd9f3b00dfa09fe691415690b"
VILLAGE_CLASSES = ("building",)
VILLAGE_TILE_PX = 512
#: The village is kept at this share of its size: about 0.16 m a pixel.
VILLAGE_SHRINK = 2


def places(git_dir: Path) -> Iterator[EncodedImage]:
    """39 images of 256 and 512 px at 0.3 to 2.5 m; four places are held out."""
    blobs = Blobs(git_dir, PLACES_COMMIT)
    for path, match in blobs.matching(
        r"datasets/(?:(inria|isprs|nzlnd|whu_east_asia)/images/(\w[\w-]*)|(crowdai)/image/(\d)_img|(whu_sample)/([a-z_]+))\.png"
    ):
        kind, name = [part for part in match.groups() if part is not None]
        if name.endswith("_gt") or name == "whu_global_cities":
            continue
        pixels = rgb(blobs.read(path))
        key = f"{kind}_{name}"
        split = "validation" if key.startswith(PLACES_HELD_OUT) else "train"
        building = grey(blobs.read(_mask_path(kind, name))) > 127
        if building.shape != pixels.shape[:2]:
            raise PackError(f"{path} is {pixels.shape[:2]} px but its mask {building.shape}")
        vegetation = np.zeros_like(building)
        if kind == "isprs":
            colours = rgb(blobs.read(f"datasets/isprs/masks/{name}.png"))
            for colour in POTSDAM_VEGETATION:
                vegetation |= (np.abs(colours.astype(int) - colour) < 64).all(-1)
        unsure = np.full_like(building, kind != "isprs")
        labels = raster(PLACE_CLASSES, building=building, vegetation=vegetation, unsure_vegetation=unsure)
        yield EncodedImage(key, split, png(stretched(pixels) if kind == DARK else pixels), labels, None)


def _mask_path(kind: str, name: str) -> str:
    if kind == "crowdai":
        return f"datasets/crowdai/gt/{name}{name}.png"
    if kind == "whu_sample":
        return f"datasets/whu_sample/{name}_gt.png"
    return f"datasets/{kind}/gt/{name}.png"


def stretched(pixels: np.ndarray) -> np.ndarray:
    """A picture `[h, w, 3]` with each channel spread over 0..255 between the percentiles `STRETCH`."""
    low, high = np.percentile(pixels.reshape(-1, 3), STRETCH, axis=0)
    spread = (pixels - low) * (255 / np.maximum(high - low, 1))
    return np.clip(spread, 0, 255).astype(np.uint8)


def village(git_dir: Path) -> Iterator[EncodedImage]:
    """Barnarp in Sweden: 170 seamless tiles put together to one picture; all of it is for training, as it is one place."""
    blobs = Blobs(git_dir, VILLAGE_COMMIT)
    tiles = {(int(m[1]), int(m[2])): path for path, m in blobs.matching(r"data/training_raw_data/barnarp_(\d+)_(\d+)\.png")}
    if not tiles:
        raise PackError(f"{git_dir} has no tile of the village in commit {VILLAGE_COMMIT}")
    rows, columns = sorted({row for row, _ in tiles}), sorted({column for _, column in tiles})
    side = VILLAGE_TILE_PX // VILLAGE_SHRINK
    pixels = np.zeros((len(rows) * side, len(columns) * side, 3), np.uint8)
    building = np.zeros(pixels.shape[:2], bool)
    for (row, column), path in tiles.items():
        top, left = rows.index(row) * side, columns.index(column) * side
        picture = Image.open(io.BytesIO(blobs.read(path))).convert("RGB")
        mask = Image.open(io.BytesIO(blobs.read(path.replace("raw", "label")))).convert("L")
        pixels[top : top + side, left : left + side] = np.asarray(picture.resize((side, side), Image.Resampling.BOX))
        building[top : top + side, left : left + side] = np.asarray(mask.resize((side, side), Image.Resampling.BOX)) > 127
    yield EncodedImage("barnarp", "train", png(pixels), raster(VILLAGE_CLASSES, building=building), None)
