"""A custom data set: a folder with `dataset.json`, which lists an image, a mask and questions per sample.

    {"name": "Harbours 2025", "task": "REFERRING", "samples": [
      {"image": "images/a.tif", "mask": "masks/a-ships.png", "questions": ["ships", "vessels at the quay"],
       "category": "ship"},
      {"image": "images/a.tif", "mask": null, "questions": ["aircraft"], "category": "plane"}]}

Paths are relative to the folder and must stay inside it. A mask has the size of its image; every value except 0 is the
target; null means that the image has no target. Optional: `task` (also per sample; default REASONING), `category` and
`group` (scores are reported for each), `id`, `unlabelled` (a mask of unlabelled pixels, which do not count).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from segmenter.data.samples import (
    DataSet,
    DataSetError,
    Labels,
    Mask,
    Sample,
    SampleError,
    clean_questions,
    find_folder,
    image_file,
    read_rgb,
    read_values,
    target_file,
)
from segmenter.network.config import TASKS, Task

FILE = "dataset.json"
_KEYS = frozenset({"image", "mask", "questions", "task", "category", "group", "id", "unlabelled"})


def read(data: Path, split: str) -> DataSet:
    """Lists the folder; it has no splits, so `split` is only recorded."""
    folder = find_folder(data, ("",), (FILE,), "folder")
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataSetError(f"{folder / FILE} is not JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("samples"), list):
        raise DataSetError(f"{folder / FILE} must be an object with a list `samples`")
    task = _task(content.get("task", "REASONING"), FILE, DataSetError)
    dataset = DataSet(str(content.get("name") or folder.resolve().name), split, folder)
    for number, entry in enumerate(content["samples"]):
        try:
            dataset.samples.append(_sample(entry, f"samples[{number}]", folder, task))
        except SampleError as error:
            dataset.problems.append(str(error))
    return dataset


def _sample(entry: Any, where: str, folder: Path, task: Task) -> Sample:
    if not isinstance(entry, dict):
        raise SampleError(f"{where} is a {type(entry).__name__}; must be an object")
    surplus = sorted(entry.keys() - _KEYS)
    if surplus or "image" not in entry or "mask" not in entry:
        raise SampleError(
            f"{where} has {', '.join(surplus) or 'no image or no mask'}; allowed keys are {', '.join(sorted(_KEYS))}"
        )
    image = _inside(folder, entry["image"], f"{where}.image")
    mask = None if entry["mask"] is None else _inside(folder, entry["mask"], f"{where}.mask")
    unlabelled = entry.get("unlabelled")
    return Sample(
        name=str(entry.get("id", where)),
        image=str(entry["image"]),
        pixels=image_file(image),
        labels=_nothing(image) if mask is None else target_file(mask),
        questions=clean_questions(entry.get("questions"), where),
        task=_task(entry.get("task", task), where, SampleError),
        category=str(entry.get("category", "")),
        group=str(entry.get("group", "")),
        file=image,
        known=None if unlabelled is None else _known(_inside(folder, unlabelled, f"{where}.unlabelled")),
    )


def _task(value: object, where: str, error: type[ValueError]) -> Task:
    for task in TASKS:
        if value == task:
            return task
    raise error(f"{where}: task is {value!r}; must be one of {', '.join(TASKS)}")


def _inside(folder: Path, value: object, where: str) -> Path:
    """The file of a relative path, which must exist inside the folder."""
    if not isinstance(value, str) or not value:
        raise SampleError(f"{where} is {value!r}; must be a path relative to {folder}")
    path = (folder / value).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SampleError(f"{where}: {value} is outside {folder}")
    if not path.is_file():
        raise SampleError(f"{where}: {value} does not exist")
    return path


def _nothing(image: Path) -> Callable[[], Labels]:
    return lambda: np.zeros(read_rgb(image).shape[:2], np.uint8)


def _known(path: Path) -> Callable[[], Mask]:
    return lambda: read_values(path) == 0
