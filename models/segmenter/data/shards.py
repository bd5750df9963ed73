"""Packed sources on disk: images and labels in two flat files with an index.

Images are stored encoded and labels compressed; in a raw pack both are plain arrays. A raw pack of all sources takes
about 11 GB instead of 0.8, but windows are read without decoding whole images.
"""

import io
import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint16]


@dataclass(frozen=True)
class Entry:
    """One packed image: size in px, byte ranges (start, length) of image and labels, and scene label."""

    key: str
    split: str
    height: int
    width: int
    image: tuple[int, int]
    labels: tuple[int, int] | None
    scene: str | None


class PackWriter:
    """Writes the two flat files of a source; use as a context manager."""

    def __init__(self, folder: Path, raw: bool = False) -> None:
        self._raw = raw
        folder.mkdir(parents=True, exist_ok=True)
        self._images, self._labels = (folder / "images.bin").open("wb"), (folder / "labels.bin").open("wb")

    def __enter__(self) -> "PackWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._images.close()
        self._labels.close()

    def image(self, encoded: bytes) -> tuple[int, int]:
        """Appends an encoded image; returns its byte range."""
        start = self._images.tell()
        length = self._images.write(decoded(encoded).tobytes() if self._raw else encoded)
        return start, length

    def labels(self, labels: Labels | None) -> tuple[int, int] | None:
        """Appends a label raster; returns its byte range, or None for None."""
        if labels is None:
            return None
        start = self._labels.tell()
        return start, self._labels.write(label_bytes(labels, self._raw))


def decoded(encoded: bytes) -> Pixels:
    """Decodes a JPEG or PNG file to RGB uint8 `[height, width, 3]`."""
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))


def label_bytes(labels: Labels, raw: bool) -> bytes:
    """A label raster as stored in a pack."""
    plain = np.ascontiguousarray(labels).tobytes()
    return plain if raw else zlib.compress(plain, 6)


def write_index(folder: Path, classes: list[str], entries: list[Entry], raw: bool = False) -> None:
    """Writes `index.json`: names of the label bits, entries, and whether the pack is raw."""
    index = {"classes": classes, "raw": raw, "entries": [asdict(e) for e in entries]}
    (folder / "index.json").write_text(json.dumps(index))


class Shards:
    """Reads one packed source. `classes` names the label bits, `entries` are in packing order.

    `keep` caches decoded images and label rasters, for small sources of large images.
    """

    def __init__(self, folder: Path, keep: bool = False) -> None:
        """Raises FileNotFoundError if the pack is missing."""
        index: dict[str, Any] = json.loads((folder / "index.json").read_text())
        self.name = folder.name
        self.classes: list[str] = index["classes"]
        self.raw = bool(index.get("raw", False))
        self.entries = [Entry(**entry) for entry in index["entries"]]
        self._images = np.memmap(folder / "images.bin", np.uint8, "r") if self.entries else np.zeros(0, np.uint8)
        has_labels = (folder / "labels.bin").stat().st_size > 0
        self._labels = np.memmap(folder / "labels.bin", np.uint8, "r") if has_labels else np.zeros(0, np.uint8)
        self._kept: dict[tuple[str, str], NDArray[Any]] | None = {} if keep else None

    def pixels(self, entry: Entry) -> Pixels:
        """RGB uint8 `[height, width, 3]`."""
        return self._once("pixels", entry, self._decode)

    def labels(self, entry: Entry) -> Labels:
        """The source's label bits uint16 `[height, width]`. Raises ValueError for an image without labels."""
        return self._once("labels", entry, self._inflate)

    def _once(self, what: str, entry: Entry, read: Any) -> NDArray[Any]:
        if self._kept is None:
            return np.asarray(read(entry))
        if (what, entry.key) not in self._kept:
            self._kept[what, entry.key] = read(entry)
        return self._kept[what, entry.key]

    def _decode(self, entry: Entry) -> Pixels:
        start, length = entry.image
        stored = self._images[start : start + length]
        return stored.reshape(entry.height, entry.width, 3) if self.raw else decoded(stored.tobytes())

    def _inflate(self, entry: Entry) -> Labels:
        if entry.labels is None:
            raise ValueError(f"{self.name} {entry.key} has no pixel labels")
        start, length = entry.labels
        stored = self._labels[start : start + length]
        flat = stored.view(np.uint16) if self.raw else np.frombuffer(zlib.decompress(stored.tobytes()), np.uint16)
        return flat.reshape(entry.height, entry.width)
