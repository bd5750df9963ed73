"""Scores of answers with 95 % bootstrap intervals.

The bootstrap resamples held-out images within their source; windows and questions of an image stay together because they
are correlated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segmenter.data.windows import DUBAI_CLASSES
from segmenter.evaluation.examination import Answer
from segmenter.evaluation.intervals import ROUNDS, SEED, Values, bootstrap_weights, percentile_interval, weighted_ratio
from segmenter.language.bank import ISAID_OBJECTS

LAND_COVER = DUBAI_CLASSES


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % interval; NaN if there is nothing to measure, no interval with fewer than two images."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class CategoryScore:
    """Scores of a category: IoU over present targets, share of empty answers over absent ones."""

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
    empty: Estimate  # share of absent targets answered empty
    answered: Estimate  # share of present targets with a non-empty answer
    present: int
    absent: int
    categories: dict[str, CategoryScore]


class Tally:
    """Sums of answers by held-out image and category."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        self.images = sorted({(a.source, a.image) for a in answers})
        self.categories = sorted({a.category for a in answers})
        row = {image: number for number, image in enumerate(self.images)}
        column = {category: number for number, category in enumerate(self.categories)}
        shape = (len(self.images), len(self.categories))
        self.iou, self.present, self.answered, self.absent, self.empty = (np.zeros(shape) for _ in range(5))
        for a in answers:
            at = row[a.source, a.image], column[a.category]
            if a.present:
                self.present[at] += 1
                self.iou[at] += a.counts.iou
                self.answered[at] += a.counts.predicted > 0
            else:
                self.absent[at] += 1
                self.empty[at] += a.counts.predicted == 0

    def columns(self, names: Sequence[str]) -> list[int]:
        """Columns of the named categories, as far as they occur."""
        return [number for number, category in enumerate(self.categories) if category in names]


def score(answers: Sequence[Answer], rounds: int = ROUNDS, seed: int = SEED) -> GroupScore:
    """Scores of one answerer in one group of wordings."""
    tally = Tally(answers)
    drawn = bootstrap_weights(tally.images, rounds, seed)
    ious, empties = weighted_ratio(drawn, tally.iou, tally.present), weighted_ratio(drawn, tally.empty, tally.absent)
    objects, land = tally.columns(ISAID_OBJECTS), tally.columns(LAND_COVER)

    def over_questions(part: Values, whole: Values, columns: Sequence[int]) -> Estimate:
        parts, wholes = part[:, list(columns)].sum(1, keepdims=True), whole[:, list(columns)].sum(1, keepdims=True)
        return _estimate(weighted_ratio(drawn, parts, wholes)[:, 0], wholes[:, 0])

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
    """Object score relative to another group of wordings; NaN if that is 0."""
    whole = other.object_questions.value
    return mine.object_questions.value / whole if whole else float("nan")


def _mean(values: Values) -> Values:
    """Mean over columns, ignoring NaN; NaN if all are."""
    there = ~np.isnan(values)
    count = there.sum(1)
    return np.divide(np.where(there, values, 0).sum(1), count, out=np.full(len(values), np.nan), where=count > 0)


def _estimate(values: Values, evidence: Values) -> Estimate:
    """Estimate from the measured value `values[0]` and the bootstrap rounds; `evidence` counts the questions per image."""
    interval = percentile_interval(values) if np.count_nonzero(evidence) > 1 else None
    return Estimate(float(values[0]), *(interval or ()))
