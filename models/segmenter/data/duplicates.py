"""Training pictures that look like held-out ones: found by a perceptual hash and left out of training.

The hash is the sign of the 8 x 8 lowest frequencies of a picture against their median (Zauner 2010, "Implementation and
Benchmarking of Perceptual Image Hash Functions", section 3.2). Held-out pictures are hashed in all eight orientations.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

from segmenter.data.shards import Entry, Pixels, Shards, write_index

#: Side of the grey picture that is transformed, and of the frequencies kept.
SIDE, KEPT = 32, 8
#: Pictures whose hashes differ in so many of 64 bits are the same ground; unrelated ones differ in 32, give or take 4.
NEAR_BITS = 6
#: Pictures without so much contrast (standard deviation of grey, 0..255) hash by their noise and are never compared.
LEAST_CONTRAST = 4.0
DUPLICATES_FILE = "duplicates.json"

Hashes = NDArray[np.uint64]


def grey_square(pixels: Pixels) -> NDArray[np.float64]:
    """A picture `[h, w, 3]` as grey values `[SIDE, SIDE]`."""
    small = Image.fromarray(np.ascontiguousarray(pixels)).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float64)


def hash_of(square: NDArray[np.float64]) -> int:
    """The 64-bit hash of a grey square."""
    low = fft.dctn(square, norm="ortho")[:KEPT, :KEPT].ravel()
    ones = low > np.median(low[1:])
    ones[0] = False  # mean brightness
    return int(np.packbits(ones).view(">u8")[0])


def orientations(square: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The eight rotations and mirrorings."""
    turned = [np.rot90(square, quarter) for quarter in range(4)]
    return [*turned, *(one[:, ::-1] for one in turned)]


def near(hashes: Hashes, others: Hashes) -> NDArray[np.bool_]:
    """For each of `hashes` whether any of `others` is within `NEAR_BITS`."""
    found = np.zeros(len(hashes), bool)
    for start in range(0, len(hashes), 256):
        differing = np.bitwise_count(hashes[start : start + 256, None] ^ others[None])
        found[start : start + 256] = (differing <= NEAR_BITS).any(1)
    return found


def drop_duplicates(data: Path, names: Sequence[str]) -> dict[str, int]:
    """Takes training pictures that look like a held-out one of any source out of the packs' indices.

    Returns and writes to `duplicates.json` how many of each source; raises FileNotFoundError where a pack is missing.
    """
    packs = {name: Shards(data / name) for name in names}
    held_out, training = [], {}
    for name, shards in packs.items():
        squares = [(entry, grey_square(shards.pixels(entry))) for entry in shards.entries]
        seen = [(entry, square) for entry, square in squares if square.std() >= LEAST_CONTRAST]
        training[name] = [(entry, hash_of(square)) for entry, square in seen if entry.split == "train"]
        held_out += [hash_of(turned) for entry, square in seen if entry.split != "train" for turned in orientations(square)]
    dropped = {name: _drop(data / name, packs[name], training[name], held_out) for name in names}
    (data / DUPLICATES_FILE).write_text(json.dumps(dropped, indent=1) + "\n")
    return dropped


def _drop(folder: Path, shards: Shards, training: list[tuple[Entry, int]], held_out: list[int]) -> int:
    """Entries that look held out are marked as of the split 'duplicate', so that a second run finds nothing new."""
    alike = near(np.array([value for _, value in training], np.uint64), np.array(held_out, np.uint64))
    keys = {entry.key for (entry, _), one in zip(training, alike, strict=True) if one}
    if keys:
        entries = [replace(e, split="duplicate") if e.key in keys and e.split == "train" else e for e in shards.entries]
        write_index(folder, shards.classes, entries, shards.raw)
    return sum(entry.split == "duplicate" or (entry.key in keys and entry.split == "train") for entry in shards.entries)
