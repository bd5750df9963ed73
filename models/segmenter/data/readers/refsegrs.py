"""RefSegRS: `images/ID.tif`, `masks/ID.tif` and `output_phrase_{train,val,test}.txt` with one "ID phrase" per line.

Yuan et al. 2024, "RRSIS: Referring Remote Sensing Image Segmentation", arXiv 2306.08625. Each line is a sample. Mask value 255
is the target; the published evaluation keeps other values, which match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from segmenter.data.samples import DataSet, Labels, Sample, find_folder, image_file, image_files, read_values

_LINE = re.compile(r"\s*(\d+)\s+(\S.*?)\s*")


def read(data: Path, split: str) -> DataSet:
    """Lists one split; `data` is the folder itself or a root above it."""
    phrases = f"output_phrase_{split}.txt"
    folder = find_folder(data, ("", "RefSegRS", "rs_ref_seg/RefSegRS"), ("images", "masks", phrases), "RefSegRS")
    images, masks = image_files(folder / "images"), image_files(folder / "masks")
    dataset = DataSet("RefSegRS", split, folder)
    for number, line in enumerate((folder / phrases).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        where = f"{phrases} line {number}"
        if match is None:
            dataset.problems.append(f"{where} must be an id, a space and a phrase: {line[:60]!r}")
            continue
        stem, phrase = match[1], match[2]
        missing = [part for part, there in (("images", images), ("masks", masks)) if stem not in there]
        if missing:
            dataset.problems.append(f"{where}: {stem} is not in {' and '.join(missing)}")
            continue
        image = images[stem]
        dataset.samples.append(
            Sample(f"{stem}-{number}", stem, image_file(image), _labels(masks[stem]), (phrase,), "REFERRING", file=image)
        )
    return dataset


def _labels(path: Path) -> Callable[[], Labels]:
    """Labels with 255 mapped to 1; other values are unchanged."""

    def labels() -> Labels:
        values = read_values(path)
        return np.where(values == 255, np.uint8(1), values)

    return labels
