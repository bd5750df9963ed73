"""Writes a data set as a folder with `dataset.json` (see `readers.folder`) for `terraql evaluate`.

Image files are copied unchanged, windows of packs are written as PNG. Labels become 0 and 255; target pixels that the
published evaluation counts as background are target here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segmenter.data.readers.folder import FILE
from segmenter.data.samples import DataSetError, Mask, Sample, SampleError


def write_folder(samples: Iterable[Sample], out: Path, name: str) -> list[str]:
    """Writes the samples; returns the problems of those left out. Raises DataSetError if `out` is not empty."""
    if out.exists() and any(out.iterdir()):
        raise DataSetError(f"{out} is not empty")
    for part in ("images", "masks"):
        (out / part).mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    problems: list[str] = []
    images: dict[str, str] = {}
    for number, sample in enumerate(samples):
        try:
            entries.append(_write(sample, number, out, images))
        except SampleError as error:
            problems.append(f"{sample.name}: {error}")
    if not entries:
        raise DataSetError(f"no sample could be written to {out}")
    content = {"name": name, "samples": entries}
    (out / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return problems


def _write(sample: Sample, number: int, out: Path, images: dict[str, str]) -> dict[str, Any]:
    labels = sample.labels()
    if sample.image not in images:
        images[sample.image] = _write_image(sample, len(images), out)
    entry: dict[str, Any] = {"id": sample.name, "image": images[sample.image], "mask": None}
    if labels.any():
        entry["mask"] = _write_mask(labels > 0, out, f"masks/{number:06}.png")
    if sample.known is not None:
        known = sample.known()
        if not known.all():
            entry["unlabelled"] = _write_mask(~known, out, f"masks/{number:06}-unlabelled.png")
    entry.update(questions=list(sample.questions), task=sample.task)
    entry.update({key: value for key, value in (("category", sample.category), ("group", sample.group)) if value})
    return entry


def _write_image(sample: Sample, number: int, out: Path) -> str:
    if sample.file is not None:
        path = f"images/{number:06}{sample.file.suffix.lower()}"
        shutil.copyfile(sample.file, out / path)
    else:
        path = f"images/{number:06}.png"
        Image.fromarray(sample.pixels()).save(out / path)
    return path


def _write_mask(mask: Mask, out: Path, path: str) -> str:
    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(out / path, optimize=True)
    return path
