"""Packs the public training repositories for random access to single images.

Each source becomes a folder `<out>/<source>/`: `images.bin` holds the encoded images (JPEG or PNG, unchanged),
`labels.bin` the zlib-compressed label rasters (uint16 `[height, width]`, bit i marks class i of the source, and a class
named `?x` marks where the source leaves category x undecided), and `index.json` their byte ranges. Images reserved for the
exam are never decoded. Repositories are read as git blobs, so a mirror without a work tree suffices.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from segmenter.data.blobs import Blobs, EncodedImage, PackError
from segmenter.data.shards import Entry, PackWriter, decoded, write_index
from segmenter.data.sources.buildings import PLACE_CLASSES, VILLAGE_CLASSES, places, village
from segmenter.data.sources.landsat import LANDSAT_CLASSES, landsat
from segmenter.data.sources.roads import ROAD_CLASSES, eth_roads, massachusetts_roads
from segmenter.data.sources.solar_green import GREEN_CLASSES, SOLAR_CLASSES, green_space, solar

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint16]

#: iSAID classes by the numbers in its label files. Its data.yaml lists another order, which overlays disprove.
ISAID_CLASSES = (
    "small_vehicle", "large_vehicle", "baseball_diamond", "bridge", "basketball_court", "roundabout", "helicopter",
    "plane", "storage_tank", "ship", "harbor", "swimming_pool", "soccer_field", "tennis_court", "running_track",
)  # fmt: skip
#: Dubai classes and their mask colours (RGB); the last one marks unlabelled pixels.
DUBAI_COLOURS = {
    "water": (226, 169, 41), "bare_land": (132, 41, 246), "road": (110, 193, 228), "building": (60, 16, 152),
    "vegetation": (254, 221, 58), "unlabelled": (155, 155, 155),
}  # fmt: skip
#: Dubai areas 5 and 8 are reserved for the exam.
DUBAI_EXAM_AREAS = frozenset({5, 8})
DUBAI_VALIDATION_AREAS = frozenset({3})
#: EPFL images 81..100 are reserved for the exam.
EPFL_EXAM_FROM = 81
EPFL_VALIDATION_FROM = 71
EPFL_COMMIT = "2be77592e1e32c6ac2d803f37007183740d2928e"
RSSCN7_COMMIT = "6d77849d"
AID_COMMIT = "f6a0f746"
ISAID_BLOCK_TILES = 150
ISAID_TILE_PX = 512
#: Scenes of RSSCN7 and AID whose water gets pixel labels from `weak_labels`.
WATER_SCENES = frozenset({"RiverLake", "River", "Pond", "Port"})


def isaid_split(tile: int) -> str:
    """Split of an iSAID tile by its number: blocks of 150 neighbouring tiles are assigned by a hash.

    Returns 'exam' (never read), 'calibration' (sets the presence bias), 'validation' or 'train'.
    """
    residue = (tile // ISAID_BLOCK_TILES * 2654435761) % 97
    if residue < 14:
        return "exam"
    if residue < 17:
        return "calibration"
    return "validation" if residue < 21 else "train"


def dubai_split(area: int) -> str:
    """Split of a Dubai image by its area 1..8: whole areas are held out because their images are adjacent."""
    if area in DUBAI_EXAM_AREAS:
        return "exam"
    return "validation" if area in DUBAI_VALIDATION_AREAS else "train"


def epfl_split(number: int) -> str:
    """Split of an EPFL image by its number 1..100."""
    if number >= EPFL_EXAM_FROM:
        return "exam"
    return "validation" if number >= EPFL_VALIDATION_FROM else "train"


def scene_split(number: int) -> str:
    """Split of a scene-labelled image (RSSCN7, AID) by its number: one of fifteen runs of ten is held out.

    No exam image comes from these sources.
    """
    return "validation" if number // 10 % 15 == 7 else "train"


def polygon_labels(text: str, side: int) -> Labels:
    """Rasterises a YOLO polygon file: one `class x y x y ...` per line, coordinates relative to the side.

    Returns uint16 `[side, side]` where bit i marks class i. Raises PackError for a malformed line.
    """
    labels = np.zeros((side, side), np.uint16)
    by_class: dict[int, list[list[float]]] = {}
    for line in text.splitlines():
        numbers = line.split()
        if not numbers:
            continue
        kind, points = int(numbers[0]), [float(n) * side for n in numbers[1:]]
        if kind >= len(ISAID_CLASSES) or len(points) % 2 or len(points) < 6:
            raise PackError(f"polygon line with class {kind} and {len(points)} coordinates: {line[:60]!r}")
        by_class.setdefault(kind, []).append(points)
    for kind, polygons in by_class.items():
        canvas = Image.new("1", (side, side))
        draw = ImageDraw.Draw(canvas)
        for points in polygons:
            draw.polygon(points, fill=1)
        labels |= np.asarray(canvas).astype(np.uint16) << kind
    return labels


def colour_labels(mask: Pixels) -> Labels:
    """Class bits of a Dubai colour mask `[h, w, 3]`, by the nearest listed colour."""
    colours = np.array(list(DUBAI_COLOURS.values()), np.int32)
    distance = np.abs(mask[:, :, None, :].astype(np.int32) - colours).sum(-1)
    return (np.uint16(1) << distance.argmin(-1).astype(np.uint16)).astype(np.uint16)


def isaid(git_dir: Path) -> Iterator[EncodedImage]:
    """iSAID tiles of 512 px with object polygons, without those of the exam."""
    blobs = Blobs(git_dir)
    for path, match in blobs.matching(r"(\w+)/images/(tile_(\d+)_jpg\.rf\.\w+)\.jpg"):
        split = isaid_split(int(match[3]))
        if split == "exam":
            continue
        text = blobs.read(f"{match[1]}/labels/{match[2]}.txt").decode()
        yield EncodedImage(match[2], split, blobs.read(path), polygon_labels(text, ISAID_TILE_PX), None)


def dubai(git_dir: Path) -> Iterator[EncodedImage]:
    """Dubai satellite images with five land-cover classes, without the exam's areas."""
    blobs = Blobs(git_dir)
    for path, match in blobs.matching(r"(.*/Tile (\d+))/images/(\w+)\.jpg"):
        split = dubai_split(int(match[2]))
        if split == "exam":
            continue
        mask = decoded(blobs.read(f"{match[1]}/masks/{match[3]}.png"))
        yield EncodedImage(f"area{match[2]}_{match[3]}", split, blobs.read(path), colour_labels(mask), None)


def epfl(git_dir: Path) -> Iterator[EncodedImage]:
    """EPFL aerial images of 400 px with road masks, without the exam's."""
    blobs = Blobs(git_dir, EPFL_COMMIT)
    for path, match in blobs.matching(r"data/training/images/(satImage_(\d+))\.png"):
        split = epfl_split(int(match[2]))
        if split == "exam":
            continue
        mask = decoded(blobs.read(f"data/training/groundtruth/{match[1]}.png"))
        yield EncodedImage(match[1], split, blobs.read(path), (mask[:, :, 0] > 127).astype(np.uint16), None)


def rsscn7(git_dir: Path) -> Iterator[EncodedImage]:
    """RSSCN7 scenes of 400 px: seven scene labels, no pixel labels."""
    blobs = Blobs(git_dir, RSSCN7_COMMIT)
    for path, match in blobs.matching(r"[a-g](\w+)/(\w(\d+))\.jpg"):
        yield EncodedImage(match[2], scene_split(int(match[3])), blobs.read(path), None, match[1])


def aid(git_dir: Path) -> Iterator[EncodedImage]:
    """AID scenes shrunk to 150 px: thirty scene labels, no pixel labels."""
    blobs = Blobs(git_dir, AID_COMMIT)
    for path, match in blobs.matching(r"AID/(\w+)/(\w+_(\d+))\.jpg"):
        yield EncodedImage(match[2], scene_split(int(match[3])), blobs.read(path), None, match[1])


_ROADS = "ClementSicard+unet-swin"
_PLACES = "arghadeep25+Building-Footprint-Extraction-from-High-Resolution-Satellite-Images"
#: Source name -> (repository folder under --mirrors, reader, names of its label bits).
SOURCES: dict[str, tuple[str, Callable[[Path], Iterator[EncodedImage]], tuple[str, ...]]] = {
    "isaid": ("mihajlov39547+iSAID-Sliced-512/repo", isaid, ISAID_CLASSES),
    "dubai": ("smp0714+Semantic-Segmentation-of-Satellite-Imager/repo", dubai, tuple(DUBAI_COLOURS)),
    "epfl": ("mhamas+road-extraction-from-aerial-images/repo", epfl, ("road",)),
    "eth": (f"{_ROADS}/repo", eth_roads, ROAD_CLASSES),
    "massachusetts": (f"{_ROADS}/repo", massachusetts_roads, ROAD_CLASSES),
    "places": (f"{_PLACES}/repo", places, PLACE_CLASSES),
    "village": ("Zsombroo+jkpg-building-segmentation/repo", village, VILLAGE_CLASSES),
    "landsat": ("shahed137003+Water-Segmentation-project/repo", landsat, LANDSAT_CLASSES),
    "solar": ("pagadalacharankarthik+solar-panel-detector/repo", solar, SOLAR_CLASSES),
    "green": ("MohtashimButt+spatial_analysis/repo", green_space, GREEN_CLASSES),
    "rsscn7": ("palewithout+RSSCN7/repo", rsscn7, ()),
    "aid": ("zlima+testtensor/repo", aid, ()),
}
PACKS = tuple(SOURCES)


def write_pack(images: Iterator[EncodedImage], classes: tuple[str, ...], folder: Path, raw: bool = False) -> int:
    """Writes the three files of a source; returns the number of images.

    Raises PackError for an exam image, and if labels and image differ in size.
    """
    entries: list[Entry] = []
    with PackWriter(folder, raw) as writer:
        for image in images:
            if image.split == "exam":
                raise PackError(f"{image.key} is reserved for the exam and must not be packed")
            width, height = Image.open(io.BytesIO(image.encoded)).size
            if image.labels is not None and image.labels.shape != (height, width):
                raise PackError(f"{image.key}: image {(height, width)} but labels {image.labels.shape}")
            spans = writer.image(image.encoded), writer.labels(image.labels)
            entries.append(Entry(image.key, image.split, height, width, *spans, image.scene))
    write_index(folder, list(classes), entries, raw)
    return len(entries)
