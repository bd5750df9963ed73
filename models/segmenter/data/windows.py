"""Training windows: square crops of packed imagery with per-pixel labels.

Labels are bit sets over `CATEGORIES` (bit i for category i): `labels` holds the categories that cover a pixel, `known`
the categories that the source labels at that pixel.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    "solar_panel",
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


#: Power of the number of entries that show a category by which it is drawn: 1 as they come, 0 all alike.
FLATNESS = 0.25


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
        self._open = category_table([name[1:] if name.startswith("?") else "" for name in self._shards.classes])

    def translate(self, source_labels: NDArray[np.uint16]) -> Bits:
        """Converts the source's label bits to bits of `CATEGORIES`."""
        translated: Bits = self._table[source_labels]
        return translated

    def left_open(self, source_labels: NDArray[np.uint16]) -> Bits:
        """Categories of which the source does not say whether they are there, by its bits `?category`."""
        return np.asarray(self._open[source_labels])


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
    """Windows of a source with pixel labels.

    `decided` are the categories that the source labels. Drawing picks a category (odds by the fourth root of the number of
    entries that show it), then such an entry, then a box around one of its pixels. The share `anywhere` of the windows is
    drawn anywhere in any entry.
    """

    def __init__(
        self, source: Source, decided: Iterable[str], scales: tuple[float, float], side: int, anywhere: float = 0.05
    ) -> None:
        self.source, self.side, self.scales, self.anywhere = source, side, scales, anywhere
        self.decided = bits(decided)
        self.holders = self._index()
        self._by_key = {entry.key: entry for entry in source.entries}
        counts = np.array([len(holders) for holders in self.holders.values()], float) ** FLATNESS
        self._odds = counts / counts.sum()

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

    def draw(self, rng: np.random.Generator, bit: np.int32 | None = None) -> Window:
        """A random window at a random scale, `scales` source pixels a window pixel (log-uniform); with `bit` around such."""
        if bit is None and rng.random() < self.anywhere:
            entry, point = self.source.entries[int(rng.integers(len(self.source.entries)))], None
        else:
            bit = list(self.holders)[rng.choice(len(self._odds), p=self._odds)] if bit is None else bit
            entry = self.source.entries[int(rng.choice(self.holders[bit]))]
            point = self._point(entry, bit, rng)
        return self._around(entry, point, rng)

    def draw_at(self, rng: np.random.Generator, places: Mapping[str, Sequence[tuple[int, int]]]) -> Window:
        """A random window around one of `places`, (row, column) by entry; raises KeyError for an entry that is not here."""
        key = list(places)[int(rng.integers(len(places)))]
        row, column = places[key][int(rng.integers(len(places[key])))]
        return self._around(self._by_key[key], (row, column), rng)

    def _around(self, entry: Entry, point: tuple[int, int] | None, rng: np.random.Generator) -> Window:
        extent = round(self.side * float(np.exp(rng.uniform(*np.log(self.scales)))))
        return self.window(entry, box_around(point, extent, entry.height, entry.width, rng))

    def _point(self, entry: Entry, bit: np.int32, rng: np.random.Generator) -> tuple[int, int] | None:
        """Row and column of a pixel of the category; None where every fourth misses it."""
        own = self.source.source_labels(entry)
        hits = np.argwhere(self.source.translate(own[::4, ::4]) & bit)
        if not len(hits):
            return None
        row, column = hits[rng.integers(len(hits))] * 4
        return int(row), int(column)

    def window(self, entry: Entry, box: tuple[int, int, int, int]) -> Window:
        """The box (left, top, right, bottom) of an entry as a window."""
        return labelled_window(self.source, self.decided, entry, box, self.side)


def labelled_window(source: Source, decided: np.int32, entry: Entry, box: tuple[int, int, int, int], side: int) -> Window:
    """The box (left, top, right, bottom) of a labelled entry as a window of `side` px; `decided` are the labelled bits."""
    pixels = resized(source.pixels(entry), box, side)
    own = nearest(source.source_labels(entry), box, side)
    labels = source.translate(own)
    known = (decided & ~source.left_open(own)).astype(np.int32)
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
