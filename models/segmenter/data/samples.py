"""Labelled data sets as questions about images: what a sample is, and which reader understands which layout.

A reader lists a folder without opening a picture; pixels and labels are read when they are asked for. What does not fit
together (an image without a label, a line that cannot be read) is listed as a problem and left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from segmenter.data.letterbox import Pixels
from segmenter.network.config import Task

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

#: File names that count as images, in the order in which they are looked for.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")

#: Pillow modes that hold 8 bits a channel or less, so that a conversion to RGB loses nothing.
_EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})


class SampleError(ValueError):
    """One sample cannot be read; the others can."""


class DataSetError(ValueError):
    """The folder is no data set of the layout that was named, or nothing of it can be used."""


@dataclass(frozen=True)
class Sample:
    """One target in one image, and the questions that ask for it, all of one meaning.

    `labels` gives uint8 `[height, width]` in the frame of the image: 1 is the target. Values above 1 are target pixels
    that the published evaluation counts as background (section 6.2: labels outside 0 and 1 match nothing).
    `known`, where given, is False on pixels that nobody labelled; they do not count. `answers`, where the set has them, are
    wordings of what training teaches to reply; none at all says that nothing in the image is asked for.
    """

    name: str
    image: str  # samples of the same image have the same text here
    pixels: Callable[[], Pixels]
    labels: Callable[[], Labels]
    questions: tuple[str, ...]  # the first is the one that the paper asks
    task: Task
    category: str = ""
    group: str = ""
    file: Path | None = None  # the image as a file, where it is one
    known: Callable[[], Mask] | None = None
    answers: tuple[str, ...] | None = None


@dataclass
class DataSet:
    """The samples of a folder, and what was left out and why."""

    name: str
    split: str
    folder: Path
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_rgb(path: Path) -> Pixels:
    """Image file to RGB uint8 `[height, width, 3]`, upright by its EXIF orientation, grey expanded, alpha dropped.

    Raises SampleError for what is no picture and for samples of more than 8 bits.
    """
    opened = _open(path)
    if opened.mode not in _EIGHT_BIT_MODES:
        raise SampleError(f"{path} has pixels of mode {opened.mode}; an image to be asked about has 8 bits a channel")
    upright = ImageOps.exif_transpose(opened)
    if upright.mode in ("RGBA", "LA", "PA", "RGBX"):  # drop the last band: convert() would do the same, but say so
        upright = upright.convert("RGBA")
        return np.asarray(upright)[:, :, :3].copy()
    return np.asarray(upright.convert("RGB"))


def read_values(path: Path) -> Labels:
    """A label file of 8-bit samples to uint8 `[height, width]`: the largest of a pixel's colours, opacity left aside.

    Bilevel files give 0 and 255. Raises SampleError otherwise.
    """
    opened = _open(path)
    if opened.mode not in _EIGHT_BIT_MODES:
        raise SampleError(f"{path} has pixels of mode {opened.mode}; a label has samples of at most 8 bits")
    if opened.mode in ("1", "L", "LA"):
        return np.asarray(opened.convert("L"))
    return np.asarray(opened.convert("RGB")).max(2)


def image_file(path: Path) -> Callable[[], Pixels]:
    """Reader of an image file, as :func:`read_rgb`."""
    return lambda: read_rgb(path)


def target_file(path: Path) -> Callable[[], Labels]:
    """Reader of a label file in which every value but 0 is the target."""
    return lambda: (read_values(path) != 0).astype(np.uint8)


def image_files(folder: Path) -> dict[str, Path]:
    """Image files of a folder by stem; raises DataSetError where two have the same stem."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
            continue
        if path.stem in found:
            raise DataSetError(f"{found[path.stem].name} and {path.name} in {folder} have the same stem")
        found[path.stem] = path
    return found


def find_folder(data: Path, candidates: Sequence[str], needed: Sequence[str], kind: str) -> Path:
    """The first of the candidates under `data` ("" is `data` itself) that holds all `needed`; raises DataSetError if none."""
    if not data.is_dir():
        raise DataSetError(f"{data} is no folder")
    for candidate in candidates:
        folder = data / candidate if candidate else data
        if all((folder / name).exists() for name in needed):
            return folder
    looked = ", ".join(str(data / candidate if candidate else data) for candidate in candidates)
    raise DataSetError(f"no {kind} data: {', '.join(needed)} must lie together; looked in {looked}")


def clean_questions(value: object, where: str) -> tuple[str, ...]:
    """A JSON value that must be a list of non-blank strings; raises SampleError naming `where` and the value."""
    if not isinstance(value, list) or not value:
        raise SampleError(f"{where}: questions must be a list of at least one string, not {_short(value)}")
    for question in value:
        if not isinstance(question, str) or not question.strip():
            raise SampleError(f"{where}: a question must be a string with text, not {_short(question)}")
    return tuple(question.strip() for question in value)


def _open(path: Path) -> Image.Image:
    try:
        opened = Image.open(path)
        opened.load()
    except FileNotFoundError as error:
        raise SampleError(f"{path} does not exist") from error
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise SampleError(f"{path} cannot be read as an image: {error}") from error
    return opened


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
