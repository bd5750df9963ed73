"""Asks a model and the baselines about held-out windows and compares every answer with the labels."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmenter.data.windows import Pixels, Window
from segmenter.evaluation.baselines import Baselines, other_category
from segmenter.evaluation.held_out import GROUPS, HeldOut, Question, Wordings, questions_of, target_and_known
from segmenter.evaluation.metrics import Mask, Overlap, overlap
from segmenter.evaluation.reliability import Feature, WholeMask, features_of

MODEL = "model"
#: Baselines and how they answer, in the order of the tables.
BASELINES = {
    "all background": "answers nothing",
    "whole window": "answers every pixel",
    "category prior": "answers where training windows that show the category have it most often; knows the category",
    "random category": "the model, asked for another category in words of the same group",
    "n-gram text": "the model, asked by plain name for the category that a classifier of word pairs takes the question for",
}
#: Groups of wordings with the random-category baseline, which costs a question each.
RANDOM_GROUPS = ("explicit", "implicit_unseen")


class Answerer(Protocol):
    """Answers questions about a window."""

    def logits(self, pixels: Pixels, texts: list[str]) -> Tensor:
        """RGB uint8 `[S, S, 3]` and N questions to mask logits float32 `[N, s, s]`; above 0 is the target."""


@dataclass(frozen=True)
class Answer:
    """An answer to a question about a window, compared with the label."""

    by: str
    window: int
    source: str
    image: str
    category: str
    group: str
    present: bool
    text: str
    counts: Overlap
    pixels: int  # labelled pixels of the window

    @property
    def false_alarm_share(self) -> float:
        """Share of labelled pixels answered wrongly as target."""
        return (self.counts.predicted - self.counts.intersection) / max(1, self.pixels)


@dataclass
class Findings:
    """All answers, with the confidence of the model in answers to explicit questions."""

    answers: list[Answer] = field(default_factory=list)
    features: list[Feature] = field(default_factory=list)
    masks: list[WholeMask] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Appends other findings."""
        self.answers += other.answers
        self.features += other.features
        self.masks += other.masks


@dataclass(frozen=True)
class _Compared:
    """A question with its label."""

    question: Question
    target: Mask
    known: Mask
    number: int
    held_out: HeldOut

    def answer(self, by: str, mask: Mask) -> Answer:
        asked = self.question
        return Answer(
            by, self.number, self.held_out.source, self.held_out.image, asked.category, asked.group, asked.present,
            asked.text, overlap(mask, self.target, self.known), int(np.count_nonzero(self.known)),
        )  # fmt: skip


def examine(
    answerer: Answerer,
    windows: Iterable[tuple[int, HeldOut]],
    wordings: Wordings,
    baselines: Baselines | None = None,
    groups: Sequence[str] = tuple(GROUPS),
) -> Findings:
    """Asks about numbered windows in some groups of wordings, optionally with baselines."""
    found = Findings()
    for number, held_out in windows:
        window = held_out.cut()
        asked = [question for question in questions_of(window, wordings, number) if question.group in groups]
        if asked:
            found.add(_ask_window(answerer, window, asked, held_out, number, wordings, baselines))
    return found


def _ask_window(
    answerer: Answerer,
    window: Window,
    asked: list[Question],
    held_out: HeldOut,
    number: int,
    wordings: Wordings,
    baselines: Baselines | None,
) -> Findings:
    others = [_other_texts(question, number, wordings, baselines) for question in asked]
    texts = list(dict.fromkeys([*(q.text for q in asked), *(text for other in others for text in other.values())]))
    logits = enlarged(answerer.logits(window.pixels, texts), window.labels.shape[0])
    index = {text: row for row, text in enumerate(texts)}
    found = Findings()
    labels = {category: target_and_known(window, category) for category in {q.category for q in asked}}
    for question, other in zip(asked, others, strict=True):
        compared = _Compared(question, *labels[question.category], number, held_out)
        own = logits[index[question.text]]
        found.answers.append(compared.answer(MODEL, own > 0))
        found.answers += [compared.answer(by, logits[index[text]] > 0) for by, text in other.items()]
        if baselines is not None:
            found.answers += _without_model(compared, baselines)
        if question.group == "explicit":
            features, whole = features_of(own, compared.target, compared.known)
            found.features += features
            found.masks += whole
    return found


def _other_texts(question: Question, number: int, wordings: Wordings, baselines: Baselines | None) -> dict[str, str]:
    """Questions that the model is asked for the baselines, by baseline."""
    if baselines is None:
        return {}
    guess = baselines.guesses[question.text]
    texts = {"n-gram text": baselines.names[guess]}
    if question.group in RANDOM_GROUPS:
        rng = random.Random(f"{number} {question.category} {question.group}")
        other = other_category(question.category, wordings.categories(question.group), rng)
        text = wordings.take(other, question.group, number)
        assert text is not None  # it is one of the group's categories
        texts["random category"] = text
    return texts


def _without_model(compared: _Compared, baselines: Baselines) -> list[Answer]:
    nothing = np.zeros_like(compared.target)
    prior = baselines.prior(compared.question.category, len(nothing))
    return [
        compared.answer(by, mask)
        for by, mask in (("all background", nothing), ("whole window", ~nothing), ("category prior", prior))
    ]


def enlarged(logits: Tensor, side: int) -> NDArray[np.float32]:
    """Logits `[N, s, s]` at `[N, side, side]`, bilinear (`align_corners=False`, section 2.7)."""
    scaled = functional.interpolate(logits[:, None].float(), (side, side), mode="bilinear", align_corners=False)
    return np.asarray(torch.squeeze(scaled, 1).numpy())
