"""Training windows: square crops of packed imagery with per-pixel labels.

Labels are bit sets over `CATEGORIES` (bit i for category i): `labels` holds the categories that cover a pixel, `known`
the categories that the source labels at that pixel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmenter.data.shards import Entry, Labels, Pixels, Shards
from segmenter.language.bank import ISAID_OBJECTS, UNIONS

Bits = NDArray[np.int32]

#: Categories with their own labels; `language.bank.UNIONS` combines them.
CATEGORIES = (
    *ISAID_OBJECTS, "water", "building", "road", "vegetation", "bare_land",
    "forest", "field", "industry", "residential", "parking",
)  # fmt: skip
BIT = {name: np.int32(1 << number) for number, name in enumerate(CATEGORIES)}
DUBAI_CLASSES = ("water", "building", "road", "vegetation", "bare_land")


def bits(names: Iterable[str]) -> np.int32:
    """Bit set of categories; a union sets the bits of all its parts."""
    total = 0
    for name in names:
        for part in UNIONS.get(name, (name,)):
            total |= int(BIT[part])
    return np.int32(total)


OBJECTS = bits(ISAID_OBJECTS)

#: Scene label -> (categories covering the whole scene, categories certainly absent, whether water has weak labels).
#: A scene label decides only what it implies: a river scene leaves roads undecided.
SCENES: dict[str, tuple[np.int32, np.int32, bool]] = {
    scene: (bits(covered), bits(excluded) | (OBJECTS if no_objects else np.int32(0)), watery)
    for scenes, covered, excluded, no_objects, watery in (
        (("Forest",), ("forest", "vegetation"), ("field", "industry", "residential", "parking", "bare_land"), True, False),
        (("Mountain",), (), ("industry", "parking", "field"), True, False),
        (("Grass", "Meadow"), ("vegetation",), ("forest", "industry", "residential", "parking", "building"), True, False),
        (("Field", "Farmland"), ("field",), ("forest", "industry", "residential", "parking"), True, False),
        (("Industry", "Industrial"), ("industry",), ("forest", "field", "aircraft", "residential"), False, False),
        (
            ("Resident", "DenseResidential", "MediumResidential"), ("residential",),
            ("industry", "forest", "field", "aircraft", "ship", "harbor", "storage_tank"), False, False,
        ),
        (("Parking",), ("parking",), ("forest", "field", "aircraft", "ship", "harbor", "storage_tank"), False, False),
        (("BareLand", "Desert"), ("bare_land",), ("water", "forest", "field", "industry", "residential", "parking",
                                                  "building", "vegetation"), True, False),
        (("RiverLake", "River", "Pond", "Port"), (), ("aircraft", "storage_tank"), False, True),
    )
    for scene in scenes
}  # fmt: skip


@dataclass(frozen=True)
class Window:
    """RGB uint8 `[S, S, 3]`, and bit sets `labels` and `known` int32 `[S, S]`."""

    pixels: Pixels
    labels: Bits
    known: Bits


class Source:
    """One split of a packed source, with labels converted to this package's categories."""

    def __init__(self, folder: Path, split: str, keep: bool = False) -> None:
        """`keep` as in :class:`segmenter.data.shards.Shards`. Raises FileNotFoundError if the pack is missing."""
        self._shards = Shards(folder, keep)
        self.name = folder.name
        self.entries = [entry for entry in self._shards.entries if entry.split == split]
        self.pixels = self._shards.pixels
        self.source_labels = self._shards.labels
        self._table = category_table(self._shards.classes)

    def translate(self, source_labels: NDArray[np.uint16]) -> Bits:
        """Converts the source's label bits to bits of `CATEGORIES`."""
        translated: Bits = self._table[source_labels]
        return translated


def category_table(classes: list[str]) -> Bits:
    """Lookup table from a source's 16-bit sets to category bits; classes without a category are dropped."""
    values = np.arange(1 << max(1, len(classes)), dtype=np.int32)
    table = np.zeros_like(values)
    for number, name in enumerate(classes):
        if name in BIT:
            table |= np.where(values >> number & 1, BIT[name], np.int32(0))
    return table


def resized(pixels: Pixels, box: tuple[int, int, int, int], side: int) -> Pixels:
    """The box (left, top, right, bottom) of an image resized to `side` px, antialiased when shrinking."""
    left, top, right, bottom = box
    crop = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    return np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR)).copy()


def nearest(values: Labels, box: tuple[int, int, int, int], side: int) -> Labels:
    """The box of a label raster resized to `side` px by nearest neighbour."""
    left, top, right, bottom = box
    rows = top + (np.arange(side) * (bottom - top) + (bottom - top) // 2) // side
    columns = left + (np.arange(side) * (right - left) + (right - left) // 2) // side
    return values[rows[:, None], columns[None, :]]


def box_around(
    point: tuple[int, int] | None, extent: int, height: int, width: int, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """A random square box of `extent` px inside an image that contains the point (row, column), if given."""
    extent = min(extent, height, width)
    if point is None:
        top, left = int(rng.integers(0, height - extent + 1)), int(rng.integers(0, width - extent + 1))
    else:
        top = _interval_start(point[0], extent, height, rng)
        left = _interval_start(point[1], extent, width, rng)
    return left, top, left + extent, top + extent


def _interval_start(at: int, extent: int, length: int, rng: np.random.Generator) -> int:
    """Random start of an interval of `extent` within 0..length that contains `at`, away from its ends if possible."""
    low, high = at - extent + extent // 8, at - extent // 8
    return int(np.clip(rng.integers(low, high + 1), 0, length - extent))


class Labelled:
    """Windows of a source with pixel labels (iSAID, Dubai, EPFL).

    `decided` are the categories that the source labels. Drawing picks a category (square-root balanced), then an entry
    that shows it, then a box around one of its pixels.
    """

    def __init__(self, source: Source, decided: Iterable[str], scales: tuple[float, float], side: int) -> None:
        self.source, self.side, self.scales = source, side, scales
        self.decided = bits(decided)
        self._holders = self._index()
        counts = np.array([len(holders) for holders in self._holders.values()], float)
        self._odds = np.sqrt(counts) / np.sqrt(counts).sum()

    def _index(self) -> dict[np.int32, list[int]]:
        """Entries that show each category, by category bit."""
        holders: dict[np.int32, list[int]] = {}
        for number, entry in enumerate(self.source.entries):
            sample = self.source.source_labels(entry)[::3, ::3]
            present = int(np.bitwise_or.reduce(self.source.translate(sample), axis=None))
            for bit in BIT.values():
                if present & int(bit):
                    holders.setdefault(bit, []).append(number)
        return holders

    def draw(self, rng: np.random.Generator) -> Window:
        """A random window at a log-uniform random scale (source pixels per window pixel) from `scales`."""
        bit = list(self._holders)[rng.choice(len(self._odds), p=self._odds)]
        entry = self.source.entries[int(rng.choice(self._holders[bit]))]
        own = self.source.source_labels(entry)
        hits = np.argwhere(self.source.translate(own[::4, ::4]) & bit)
        point = None
        if len(hits):
            row, column = hits[rng.integers(len(hits))] * 4
            point = (int(row), int(column))
        scale = float(np.exp(rng.uniform(*np.log(self.scales))))
        box = box_around(point, round(self.side * scale), entry.height, entry.width, rng)
        return self.window(entry, box)

    def window(self, entry: Entry, box: tuple[int, int, int, int]) -> Window:
        """The box (left, top, right, bottom) of an entry as a window."""
        return labelled_window(self.source, self.decided, entry, box, self.side)


def labelled_window(source: Source, decided: np.int32, entry: Entry, box: tuple[int, int, int, int], side: int) -> Window:
    """The box (left, top, right, bottom) of a labelled entry as a window of `side` px; `decided` are the labelled bits."""
    pixels = resized(source.pixels(entry), box, side)
    labels = source.translate(nearest(source.source_labels(entry), box, side))
    known = np.full(labels.shape, decided, np.int32)
    if source.name == "dubai":  # every labelled pixel has exactly one class
        known[labels == 0] = 0
    return Window(pixels, labels, known)


class Scenes:
    """Windows of scene-labelled sources: one scene, or a mosaic of regions from several scenes."""

    def __init__(self, sources: list[Source], side: int, mosaic_share: float = 0.6) -> None:
        self.sources, self.side, self.mosaic_share = sources, side, mosaic_share
        self._by_scene: dict[str, list[tuple[Source, int]]] = {}
        for source in sources:
            for number, entry in enumerate(source.entries):
                if entry.scene in SCENES:
                    self._by_scene.setdefault(entry.scene, []).append((source, number))
        self.kinds = sorted(self._by_scene)
        odds = np.array([0.45 if SCENES[kind][2] else 0.55 for kind in self.kinds])  # about half of the drawn scenes show water
        shares = {odd: np.count_nonzero(odds == odd) for odd in (0.45, 0.55)}
        weights = np.array([odd / shares[odd] for odd in odds])
        self._odds = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> Window:
        """One scene, or up to four regions bounded by wavy lines, each from another scene."""
        first = self._scene(rng)
        if rng.random() >= self.mosaic_share:
            return first
        pixels, labels, known = first.pixels, first.labels, first.known
        for _ in range(rng.integers(1, 4)):
            other, region = self._scene(rng), wavy_region(self.side, rng)
            pixels = np.where(region[..., None], other.pixels, pixels)
            labels, known = np.where(region, other.labels, labels), np.where(region, other.known, known)
        return Window(pixels, labels, known)

    def _scene(self, rng: np.random.Generator) -> Window:
        kind = self.kinds[rng.choice(len(self.kinds), p=self._odds)]
        source, number = self._by_scene[kind][rng.integers(len(self._by_scene[kind]))]
        entry = source.entries[number]
        shortest = min(entry.height, entry.width)
        extent = round(shortest * rng.uniform(0.55, 1.0))
        return self.window(source, entry, box_around(None, extent, entry.height, entry.width, rng))

    def window(self, source: Source, entry: Entry, box: tuple[int, int, int, int]) -> Window:
        """The box of a scene image, with the pixel labels that its scene label implies."""
        covered, excluded, watery = SCENES[str(entry.scene)]
        labels = np.full((self.side, self.side), covered, np.int32)
        known = np.full((self.side, self.side), covered | excluded, np.int32)
        if watery:
            own = nearest(source.source_labels(entry), box, self.side)
            labels |= np.where(own & 1, BIT["water"], np.int32(0)).astype(np.int32)
            known |= np.where(own & 3, BIT["water"], np.int32(0)).astype(np.int32)
        return Window(resized(source.pixels(entry), box, self.side), labels, known)


def wavy_region(side: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random region of the window `[side, side]`: one side of a wavy line, or a wavy blob."""
    rows, columns = np.arange(side, dtype=np.float32)[:, None] / side, np.arange(side, dtype=np.float32)[None, :] / side
    phase, frequency = rng.uniform(0, 6.3, 2), rng.uniform(1, 4, 2)
    wave = 0.06 * (np.sin(6.3 * frequency[0] * rows + phase[0]) + np.sin(6.3 * frequency[1] * columns + phase[1]))
    if rng.random() < 0.5:
        angle = rng.uniform(0, 6.3)
        distance = (rows - rng.uniform(0.3, 0.7)) * np.sin(angle) + (columns - rng.uniform(0.3, 0.7)) * np.cos(angle)
        return np.asarray(distance + wave > 0)
    centre, radius = rng.uniform(0.1, 0.9, 2), rng.uniform(0.12, 0.4, 2)
    distance = ((rows - centre[0]) / radius[0]) ** 2 + ((columns - centre[1]) / radius[1]) ** 2
    return np.asarray(distance + 4 * wave < 1)


def montage(quarters: Sequence[Window]) -> Window:
    """Four windows at half size in one window, at twice the ground distance."""
    half = [
        Window(resized(w.pixels, (0, 0, *w.labels.shape), w.labels.shape[0] // 2), w.labels[1::2, 1::2], w.known[1::2, 1::2])
        for w in quarters
    ]
    return side_by_side(half, 2)


def side_by_side(parts: Sequence[Window], across: int) -> Window:
    """Windows of one size, `across` in each row, as one window."""

    def joined(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        rows = [np.concatenate(arrays[start : start + across], 1) for start in range(0, len(arrays), across)]
        return np.concatenate(rows, 0)

    return Window(
        joined([w.pixels for w in parts]).astype(np.uint8),
        joined([w.labels for w in parts]).astype(np.int32),
        joined([w.known for w in parts]).astype(np.int32),
    )
