"""Scores of answers with 95 % intervals, by a seeded bootstrap.

What is drawn again with replacement are held-out images, within their source: windows and questions of one image go
together, since they are no independent evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.data.windows import DUBAI_CLASSES
from segmenter.evaluation.examination import Answer
from segmenter.language.bank import ISAID_OBJECTS

ROUNDS, SEED = 1000, 0
LAND_COVER = DUBAI_CLASSES

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval; NaN where there is nothing to measure, and no interval with fewer than two images."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class CategoryScore:
    """Scores of a category: IoU over the questions about something present, emptiness over those about something absent."""

    iou: Estimate
    present: int
    empty: Estimate
    absent: int


@dataclass(frozen=True)
class GroupScore:
    """Scores of the answers to one group of wordings."""

    objects: Estimate  # mean of the 15 object categories
    object_questions: Estimate  # mean over all questions about present objects
    land_cover: Estimate  # mean of the land-cover categories
    land_cover_questions: Estimate
    empty: Estimate  # share of the questions about something absent that are answered by nothing
    answered: Estimate  # share of the questions about something present that are answered by something
    present: int
    absent: int
    categories: dict[str, CategoryScore]


class Tally:
    """Sums of answers by held-out image and category."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.places = sorted({(a.source, a.place) for a in answers})
        self.categories = sorted({a.category for a in answers})
        row = {place: number for number, place in enumerate(self.places)}
        column = {category: number for number, category in enumerate(self.categories)}
        shape = (len(self.places), len(self.categories))
        self.iou, self.present, self.answered, self.absent, self.empty = (np.zeros(shape) for _ in range(5))
        for a in answers:
            at = row[a.source, a.place], column[a.category]
            if a.present:
                self.present[at] += 1
                self.iou[at] += a.counts.iou
                self.answered[at] += a.counts.predicted > 0
            else:
                self.absent[at] += 1
                self.empty[at] += a.counts.predicted == 0

    def columns(self, names: Sequence[str]) -> list[int]:
        """Places of those categories that were asked about."""
        return [number for number, category in enumerate(self.categories) if category in names]


def weights(places: Sequence[tuple[str, str]], rounds: int = ROUNDS, seed: int = SEED) -> Values:
    """How often each (source, image) is drawn, `[1 + rounds, places]`: each once, then as the bootstrap draws them."""
    rng = np.random.default_rng(seed)
    drawn = np.ones((1 + rounds, len(places)))
    sources = np.array([source for source, _ in places])
    for source in dict.fromkeys(sources.tolist()):
        mine = np.flatnonzero(sources == source)
        drawn[1:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), rounds)
    return drawn


def score(answers: Sequence[Answer], rounds: int = ROUNDS, seed: int = SEED) -> GroupScore:
    """Scores of one answerer's answers to one group of wordings."""
    tally = Tally(answers)
    drawn = weights(tally.places, rounds, seed)
    ious, empties = _ratio(drawn, tally.iou, tally.present), _ratio(drawn, tally.empty, tally.absent)
    objects, land = tally.columns(ISAID_OBJECTS), tally.columns(LAND_COVER)

    def over_questions(part: Values, whole: Values, columns: Sequence[int]) -> Estimate:
        parts, wholes = part[:, list(columns)].sum(1, keepdims=True), whole[:, list(columns)].sum(1, keepdims=True)
        return _estimate(_ratio(drawn, parts, wholes)[:, 0], wholes[:, 0])

    def over_categories(columns: Sequence[int]) -> Estimate:
        seen = [number for number in columns if tally.present[:, number].any()]
        return _estimate(_mean(ious[:, seen]), tally.present[:, seen].sum(1))

    everything = range(len(tally.categories))
    return GroupScore(
        objects=over_categories(objects),
        object_questions=over_questions(tally.iou, tally.present, objects),
        land_cover=over_categories(land),
        land_cover_questions=over_questions(tally.iou, tally.present, land),
        empty=over_questions(tally.empty, tally.absent, everything),
        answered=over_questions(tally.answered, tally.present, everything),
        present=int(tally.present.sum()),
        absent=int(tally.absent.sum()),
        categories={
            name: CategoryScore(
                _estimate(ious[:, n], tally.present[:, n]), int(tally.present[:, n].sum()),
                _estimate(empties[:, n], tally.absent[:, n]), int(tally.absent[:, n].sum()),
            )
            for n, name in enumerate(tally.categories)
        },
    )  # fmt: skip


def share_of(mine: GroupScore, other: GroupScore) -> float:
    """How much of the object score of another group of wordings is kept; NaN where that is nothing."""
    whole = other.object_questions.value
    return mine.object_questions.value / whole if whole else float("nan")


def _ratio(drawn: Values, part: Values, whole: Values) -> Values:
    """Weighted sums of `part` over those of `whole`, `[1 + rounds, columns]`; NaN where nothing was drawn."""
    parts, wholes = drawn @ part, drawn @ whole
    return np.divide(parts, wholes, out=np.full_like(parts, np.nan), where=wholes > 0)


def _mean(values: Values) -> Values:
    """Mean over columns that are no NaN; NaN where all are."""
    there = ~np.isnan(values)
    count = there.sum(1)
    return np.divide(np.where(there, values, 0).sum(1), count, out=np.full(len(values), np.nan), where=count > 0)


def _estimate(values: Values, evidence: Values) -> Estimate:
    """From the value of each round, the first being the measured one; `evidence` are the questions of each image."""
    drawn = values[1:][~np.isnan(values[1:])]
    if np.count_nonzero(evidence) < 2 or not len(drawn):
        return Estimate(float(values[0]))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(float(values[0]), float(low), float(high))
