"""Samples of labelled data sets: an image, a target mask and its questions, and the file reading shared by the readers.

Readers list a folder without opening images; pixels and labels are read on demand. Inconsistent samples (an image without
a label, an unreadable line) are reported as problems and left out.
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

#: Suffixes of image files.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")

#: Pillow modes with at most 8 bits per channel, which convert to RGB without loss.
_EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})


class SampleError(ValueError):
    """A single sample cannot be read."""


class DataSetError(ValueError):
    """The folder does not have the named layout, or no sample is usable."""


@dataclass(frozen=True)
class Sample:
    """One target in one image, and equivalent questions that ask for it.

    `labels` gives uint8 `[height, width]` in the frame of the image: 1 is the target. Values above 1 are target pixels
    that the published evaluation counts as background (section 6.2: labels outside 0 and 1 match nothing).
    `known`, if given, is False on unlabelled pixels, which do not count. `answers`, if given, are equivalent replies for
    training; an empty tuple means that the image has no target.
    """

    name: str
    image: str  # equal for samples of the same image
    pixels: Callable[[], Pixels]
    labels: Callable[[], Labels]
    questions: tuple[str, ...]  # the paper asks the first one
    task: Task
    category: str = ""
    group: str = ""
    file: Path | None = None  # the image file, if there is one
    known: Callable[[], Mask] | None = None
    answers: tuple[str, ...] | None = None


@dataclass
class DataSet:
    """The samples of a folder, and the problems of those left out."""

    name: str
    split: str
    folder: Path
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_rgb(path: Path) -> Pixels:
    """Reads an image file as RGB uint8 `[height, width, 3]`: EXIF orientation applied, grey expanded, alpha dropped.

    Raises SampleError for unreadable files and for more than 8 bits per channel.
    """
    opened = _open(path)
    if opened.mode not in _EIGHT_BIT_MODES:
        raise SampleError(f"{path} has pixels of mode {opened.mode}; images must have at most 8 bits per channel")
    upright = ImageOps.exif_transpose(opened)
    if upright.mode in ("RGBA", "LA", "PA", "RGBX"):
        upright = upright.convert("RGBA")
        return np.asarray(upright)[:, :, :3].copy()
    return np.asarray(upright.convert("RGB"))


def read_values(path: Path) -> Labels:
    """Reads an 8-bit label file as uint8 `[height, width]`: the largest colour channel of each pixel, alpha ignored.

    Bilevel files give 0 and 255. Raises SampleError for unreadable files and for more than 8 bits per channel.
    """
    opened = _open(path)
    if opened.mode not in _EIGHT_BIT_MODES:
        raise SampleError(f"{path} has pixels of mode {opened.mode}; labels must have at most 8 bits per channel")
    if opened.mode in ("1", "L", "LA"):
        return np.asarray(opened.convert("L"))
    return np.asarray(opened.convert("RGB")).max(2)


def image_file(path: Path) -> Callable[[], Pixels]:
    """A function that reads the image file with :func:`read_rgb`."""
    return lambda: read_rgb(path)


def target_file(path: Path) -> Callable[[], Labels]:
    """A function that reads the label file; every value except 0 is the target."""
    return lambda: (read_values(path) != 0).astype(np.uint8)


def image_files(folder: Path) -> dict[str, Path]:
    """Image files of a folder by stem; raises DataSetError for duplicate stems."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
            continue
        if path.stem in found:
            raise DataSetError(f"{found[path.stem].name} and {path.name} in {folder} have the same stem")
        found[path.stem] = path
    return found


def find_folder(data: Path, candidates: Sequence[str], needed: Sequence[str], kind: str) -> Path:
    """The first folder under `data` ("" is `data` itself) that contains all `needed`; raises DataSetError if none does."""
    if not data.is_dir():
        raise DataSetError(f"{data} is not a folder")
    for candidate in candidates:
        folder = data / candidate if candidate else data
        if all((folder / name).exists() for name in needed):
            return folder
    looked = ", ".join(str(data / candidate if candidate else data) for candidate in candidates)
    raise DataSetError(f"no {kind} data: no folder contains {', '.join(needed)}; looked in {looked}")


def clean_questions(value: object, where: str) -> tuple[str, ...]:
    """The questions of a JSON value, a list of non-blank strings; raises SampleError naming `where` and the value."""
    if not isinstance(value, list) or not value:
        raise SampleError(f"{where}: questions must be a non-empty list of strings, not {_short(value)}")
    for question in value:
        if not isinstance(question, str) or not question.strip():
            raise SampleError(f"{where}: a question must be a non-blank string, not {_short(question)}")
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
