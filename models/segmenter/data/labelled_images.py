"""Training batches of a labelled data set: letterboxed images with all their questions."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segmenter.data.frames import letterbox_nearest
from segmenter.data.letterbox import Pixels, letterbox
from segmenter.data.samples import DataSet, Labels, Sample, SampleError
from segmenter.errors import TrainError
from segmenter.language.conversation import NO_TARGET, Conversations, Turn


@dataclass(frozen=True)
class AskedImages:
    """B images, T targets and N questions.

    `pixels` uint8 `[B, S, S, 3]`; `targets` and `known` uint8 `[T, S, S]` (0 or 1). Question n asks for target
    `target_index[n]` of image `image_index[n]`; its tokens are row n of `ids`, `asked` and `said` as of
    :meth:`segmenter.language.conversation.Conversations.rows`. `reasoning` `[N]` is 1 where the task is reasoning, and `seeds`
    `[N]` int64 seeds its random points.
    """

    pixels: Tensor
    targets: Tensor
    known: Tensor
    target_index: Tensor
    image_index: Tensor
    ids: Tensor
    asked: Tensor
    said: Tensor
    reasoning: Tensor
    seeds: Tensor


@dataclass(frozen=True)
class Question:
    """A question of a sample with its answer; None if only the mask is learnt."""

    target: int
    sample: Sample
    text: str
    answer: str | None


def images_of(dataset: DataSet) -> list[list[Sample]]:
    """The samples of each image, in the order of the data set."""
    images: dict[str, list[Sample]] = {}
    for sample in dataset.samples:
        images.setdefault(sample.image, []).append(sample)
    return list(images.values())


def steps_of(images: int, epochs: float, batch: int) -> int:
    """Steps of `epochs` passes over `images`."""
    return max(1, math.ceil(epochs * images / batch))


class LabelledImages(Dataset[AskedImages]):
    """Batch i is a function of (seed, i) alone. Each process loads its share of the `batch` images."""

    def __init__(
        self,
        images: Sequence[Sequence[Sample]],
        conversations: Conversations,
        side: int,
        steps: int,
        batch: int,
        share: tuple[int, int] = (0, 1),
        most_questions: int = 16,
        first_question: bool = False,
        seed: int = 0,
    ) -> None:
        """`share` is (rank, world size)."""
        self.images, self.conversations, self.side, self.steps, self.batch = images, conversations, side, steps, batch
        self.size, self.first = batch // share[1], batch // share[1] * share[0]
        self.most_questions, self.first_question, self.seed = most_questions, first_question, seed

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> AskedImages:
        positions = range(step * self.batch + self.first, step * self.batch + self.first + self.size)
        return self._collated([self._image(position) for position in positions], positions)

    def order(self, epoch: int) -> list[int]:
        """Random order of the images in an epoch."""
        return [int(number) for number in np.random.default_rng([self.seed, epoch]).permutation(len(self.images))]

    def _image(self, position: int) -> tuple[list[Sample], list[Question]]:
        """Image at `position` in the concatenated epochs, with its questions in this epoch."""
        epoch, within = divmod(position, len(self.images))
        samples = list(self.images[self.order(epoch)[within]])
        rng = random.Random(f"{self.seed} {position}")
        every: list[Question] = []
        for number, sample in enumerate(samples):
            texts = sample.questions[:1] if self.first_question else sample.questions
            every += [Question(number, sample, text, self._answer(sample, rng)) for text in texts]
        if len(every) > self.most_questions:
            every = [every[number] for number in sorted(rng.sample(range(len(every)), self.most_questions))]
        return samples, every

    def _answer(self, sample: Sample, rng: random.Random) -> str | None:
        """One of the equivalent answers."""
        if sample.task != "REASONING" or sample.answers is None:
            return None
        if not sample.answers:
            return NO_TARGET
        return sample.answers[0] if self.first_question else rng.choice(sample.answers)

    def _collated(self, drawn: Sequence[tuple[list[Sample], list[Question]]], positions: Sequence[int]) -> AskedImages:
        pixels: list[Pixels] = []
        masks: list[tuple[Labels, Labels]] = []
        turns: list[Turn] = []
        columns: list[tuple[int, int, bool, int]] = []
        for image, ((samples, questions), position) in enumerate(zip(drawn, positions, strict=True)):
            for number, question in enumerate(questions):
                turns.append(self.conversations.turn(question.text, question.answer))
                seed = random.Random(f"{self.seed} {position} {number}").getrandbits(62)
                columns.append((image, len(masks) + question.target, question.sample.task == "REASONING", seed))
            window, own = self._window_and_masks(samples)
            pixels.append(window)
            masks += own
        ids, asked, said = self.conversations.rows(turns)
        image_index, target_index, reasoning, seeds = (torch.tensor(column) for column in zip(*columns, strict=True))
        targets, known = (torch.from_numpy(np.stack(maps)) for maps in zip(*masks, strict=True))
        return AskedImages(
            torch.from_numpy(np.stack(pixels)), targets, known, target_index, image_index, ids, asked, said, reasoning, seeds
        )

    def _window_and_masks(self, samples: Sequence[Sample]) -> tuple[Pixels, list[tuple[Labels, Labels]]]:
        """The window `[S, S, 3]`, and `target` and `known` `[S, S]` of every sample; labels above 0 are the target."""
        try:
            image = samples[0].pixels()
            masks = []
            for sample in samples:
                labels = sample.labels()
                known = np.ones_like(labels) if sample.known is None else sample.known().astype(np.uint8)
                if not labels.shape == known.shape == image.shape[:2]:
                    raise SampleError(f"the label is of shape {labels.shape}, the image of {image.shape[:2]}")
                target = letterbox_nearest((labels > 0).astype(np.uint8), self.side, 0)
                masks.append((target, letterbox_nearest(known, self.side, 1)))
            return letterbox(image, self.side), masks
        except (SampleError, ValueError) as error:
            raise TrainError(f"sample {samples[0].name} cannot be read: {error}") from error
