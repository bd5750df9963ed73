"""RRSIS-D: `rrsisd/refs(unc).p`, `rrsisd/instances.json` (REFER over COCO) and `images/rrsisd/JPEGImages`.

Liu et al. 2024, "Rotated Multi-Scale Interaction Network for Referring Remote Sensing Image Segmentation", arXiv 2312.12470.
Each ref is a sample; its sentences are the questions, and the paper asks the first one (`raw`). The COCO API rasterises
polygons, which are summed as in the published loader: overlapping polygons of an annotation give 2, which its evaluation
counts as background. Images are found by `image_id` (the published loader uses the ref's id; they are equal).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from segmenter.data.readers.pickle import load_plain
from segmenter.data.samples import DataSet, DataSetError, Labels, Sample, SampleError, clean_questions, find_folder, image_file

_NEEDED = ("rrsisd/refs(unc).p", "rrsisd/instances.json", "images/rrsisd/JPEGImages")


def read(data: Path, split: str) -> DataSet:
    """Lists one split; `data` is the folder of `rrsisd` and `images`, or a root above it."""
    folder = find_folder(data, ("", "RRSIS-D", "rs_ref_seg/RRSIS-D"), _NEEDED, "RRSIS-D")
    refs = load_plain(folder / _NEEDED[0])
    if not isinstance(refs, list):
        raise DataSetError(f"{folder / _NEEDED[0]} holds a {type(refs).__name__}; must be a list of refs")
    images, annotations, categories = _instances(folder / _NEEDED[1])
    dataset = DataSet("RRSIS-D", split, folder)
    for number, ref in enumerate(refs):
        try:
            if _in_split(ref, number, split):
                dataset.samples.append(_sample(ref, folder, images, annotations, categories))
        except SampleError as error:
            dataset.problems.append(str(error))
    return dataset


def _instances(path: Path) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, str]]:
    """Images and annotations by id, category names by id."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        by_id = [{entry["id"]: entry for entry in content[part]} for part in ("images", "annotations")]
        names = {entry["id"]: str(entry["name"]) for entry in content.get("categories", [])}
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise DataSetError(f"{path} is not a COCO file of images and annotations with ids: {error!r}") from error
    return by_id[0], by_id[1], names


def _in_split(ref: Any, number: int, split: str) -> bool:
    """Whether the ref belongs to the split; 'test' includes 'testA' and 'testB'."""
    if not isinstance(ref, dict) or not isinstance(ref.get("split"), str):
        raise SampleError(f"ref number {number} has no split")
    return bool(split in ref["split"]) if split == "test" else bool(ref["split"] == split)


def _sample(
    ref: dict[str, Any], folder: Path, images: dict[Any, Any], annotations: dict[Any, Any], categories: dict[Any, str]
) -> Sample:
    name = f"ref {ref.get('ref_id')}"
    image, annotation = images.get(ref.get("image_id")), annotations.get(ref.get("ann_id"))
    if image is None or annotation is None:
        what = f"image {ref.get('image_id')}" if image is None else f"annotation {ref.get('ann_id')}"
        raise SampleError(f"{name}: {what} is not in instances.json")
    sentences = ref.get("sentences")
    if not isinstance(sentences, list):
        raise SampleError(f"{name} has no list of sentences")
    raw = [sentence.get("raw", sentence.get("sent")) if isinstance(sentence, dict) else None for sentence in sentences]
    questions = clean_questions(raw, name)
    file = folder / _NEEDED[2] / Path(str(image.get("file_name"))).name
    if not file.is_file():
        raise SampleError(f"{name}: {file.name} is not in {_NEEDED[2]}")
    return Sample(
        name,
        file.stem,
        image_file(file),
        _labels(name, annotation, image),
        questions,
        "REFERRING",
        category=categories.get(annotation.get("category_id"), ""),
        file=file,
    )


def _labels(name: str, annotation: dict[str, Any], image: dict[str, Any]) -> Callable[[], Labels]:
    """The number of the annotation's polygons (or runs) that cover each pixel."""

    def labels() -> Labels:
        try:
            height, width = int(image["height"]), int(image["width"])
            coded = coco_mask.frPyObjects(annotation["segmentation"], height, width)
            drawn = coco_mask.decode(coded if isinstance(coded, list) else [coded])
        except Exception as error:  # the COCO API raises bare Exception for invalid input
            raise SampleError(f"{name}: its segmentation cannot be rasterised: {error!r}") from error
        return np.asarray(drawn.sum(2), np.uint8)

    return labels
