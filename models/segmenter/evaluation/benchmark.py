"""Evaluates a model on a labelled data set; compares answers in the window and at the image's original size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
from pycocotools import mask as coco_mask
from torch import Tensor
from tqdm import tqdm

from segmenter.data.frames import Mask, full_size, letterbox_nearest, scene_mask
from segmenter.data.letterbox import Pixels, letterbox
from segmenter.data.samples import DataSet, DataSetError, Labels, Sample, SampleError
from segmenter.evaluation.metrics import Asked, overlap
from segmenter.network.config import Task

#: Questions about one image per batch.
_BATCH = 16


class TaskAnswerer(Protocol):
    """A model with windows of `side` px."""

    side: int

    def logits(self, pixels: Pixels, texts: list[str], task: Task | None = None) -> Tensor:
        """RGB uint8 `[S, S, 3]` and N questions to mask logits float32 `[N, s, s]`."""


@dataclass(frozen=True)
class Answered:
    """An answered question with its sample and, for first questions, the predicted mask as COCO RLE."""

    asked: Asked
    sample: Sample
    runs: dict[str, object] | None


def ask_all(answerer: TaskAnswerer, dataset: DataSet, limit: int | None = None, every_question: bool = True) -> list[Answered]:
    """Asks about the first `limit` images, with a progress bar. Unreadable samples are added to `dataset.problems`.

    Raises DataSetError if none can be read.
    """
    by_image = [list(samples) for _, samples in groupby(_by_image(dataset.samples), key=lambda sample: sample.image)]
    answered: list[Answered] = []
    for samples in tqdm(by_image[:limit], unit="image", desc=dataset.name):
        answered.extend(_ask_image(answerer, samples, every_question, dataset.problems))
    if not answered:
        raise DataSetError(f"no sample of {dataset.folder} could be read; first problem: {dataset.problems[0]}")
    return answered


def _by_image(samples: Sequence[Sample]) -> list[Sample]:
    """Samples grouped by image and task; images in the order of their first sample."""
    order: dict[str, int] = {}
    for sample in samples:
        order.setdefault(sample.image, len(order))
    return sorted(samples, key=lambda sample: (order[sample.image], sample.task))


def _ask_image(
    answerer: TaskAnswerer, samples: Sequence[Sample], every_question: bool, problems: list[str]
) -> Iterator[Answered]:
    try:
        pixels = samples[0].pixels()
    except SampleError as error:
        problems.extend(f"{sample.name}: {error}" for sample in samples)
        return
    window = letterbox(pixels, answerer.side)
    put: list[tuple[Sample, Comparison, int, str]] = []
    for sample in samples:
        try:
            comparison = Comparison.of(sample, pixels, answerer.side)
        except SampleError as error:
            problems.append(f"{sample.name}: {error}")
            continue
        texts = sample.questions[: None if every_question else 1]
        put.extend((sample, comparison, number, text) for number, text in enumerate(texts))
    for task in dict.fromkeys(sample.task for sample, *_ in put):
        mine = [entry for entry in put if entry[0].task == task]
        for start in range(0, len(mine), _BATCH):
            part = mine[start : start + _BATCH]
            logits = answerer.logits(window, [text for *_, text in part], task)
            for (sample, comparison, number, _), one in zip(part, logits, strict=True):
                yield comparison.answered(sample, number, one)


@dataclass(frozen=True)
class Comparison:
    """A sample's label in both frames; in the window as in the published evaluation."""

    window_target: Mask
    window_known: Mask | None
    scene_target: Mask
    scene_known: Mask | None

    @staticmethod
    def of(sample: Sample, pixels: Pixels, side: int) -> Comparison:
        """Raises SampleError if label and image differ in size."""
        labels: Labels = sample.labels()
        known = None if sample.known is None else sample.known()
        for what, mask in (("label", labels), ("unlabelled mask", known)):
            if mask is not None and mask.shape != pixels.shape[:2]:
                raise SampleError(f"{what} is {_size(mask.shape)} px, the image {_size(pixels.shape)} px")
        return Comparison(
            letterbox_nearest(labels, side, 0) == 1,
            None if known is None else letterbox_nearest(known, side, True),
            labels > 0,
            known,
        )

    def answered(self, sample: Sample, number: int, logits: Tensor) -> Answered:
        """Compares the logits `[s, s]` of question `number`."""
        height, width = self.scene_target.shape
        in_window = full_size(logits[None], self.window_target.shape[0])[0]
        in_scene = scene_mask(logits.float().numpy(), height, width, self.window_target.shape[0])
        first = number == 0
        asked = Asked(
            sample=sample.name,
            image=sample.image,
            question=sample.questions[number],
            first=first,
            category=sample.category,
            group=sample.group,
            window=overlap(in_window, self.window_target, self.window_known),
            scene=overlap(in_scene, self.scene_target, self.scene_known),
            pixels=height * width if self.scene_known is None else int(np.count_nonzero(self.scene_known)),
        )
        return Answered(asked, sample, coco_mask.encode(np.asfortranarray(in_scene, np.uint8)) if first else None)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]}"
