"""Results of an evaluation on held-out windows: scores, calibration, and the ground-distance curve."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cached_property
from typing import Any

from segmenter.evaluation.estimates import Estimate, GroupScore, score
from segmenter.evaluation.examination import BASELINES, MODEL, Findings
from segmenter.evaluation.held_out import GROUPS
from segmenter.evaluation.reliability import Bin, bins, expected_error, mask_bins
from segmenter.report.plots import calibration_plot, resampled_plot
from segmenter.report.score_tables import (
    Table,
    answerer_table,
    baseline_category_table,
    bin_table,
    category_table,
    goal_table,
    group_table,
    resampled_table,
)

#: Source pixels per window pixel in the ground-distance curve.
FACTORS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass
class Evaluation:
    """Findings about the named model at native scale and at each resampling factor."""

    name: str
    native: Findings
    resampled: Mapping[float, Findings]

    @property
    def questions(self) -> int:
        """Number of questions to the model at native scale."""
        return sum(a.by == MODEL for a in self.native.answers)

    @property
    def windows(self) -> int:
        """Number of windows with a question at native scale."""
        return len({a.window for a in self.native.answers})

    @cached_property
    def scores(self) -> dict[str, dict[str, GroupScore]]:
        """Scores by answerer and group of wordings; groups without answers are left out."""
        found: dict[str, dict[str, GroupScore]] = {}
        for by in (MODEL, *BASELINES):
            for group in GROUPS:
                mine = [a for a in self.native.answers if a.by == by and a.group == group]
                if mine:
                    found.setdefault(by, {})[group] = score(mine)
        return found

    @cached_property
    def resampled_scores(self) -> dict[float, GroupScore]:
        """Scores by resampling factor for explicit wordings; factors without windows are left out."""
        return {factor: score(found.answers) for factor, found in self.resampled.items() if found.answers}

    @cached_property
    def feature_bins(self) -> list[Bin]:
        """Calibration bins of features in answers to explicit questions."""
        return bins(self.native.features)

    @cached_property
    def answer_bins(self) -> list[Bin]:
        """Calibration bins of whole answers to explicit questions."""
        return mask_bins(self.native.masks)

    def tables(self) -> list[tuple[str, Table]]:
        """All tables with their headings."""
        model = self.scores[MODEL]
        tables = [
            ("Goals", goal_table(model)),
            ("Beside answers without a model, and the model asked otherwise", answerer_table(self.scores)),
            ("By kind of words", group_table(model)),
            ("By category", category_table(model)),
            ("Baselines by category, gIoU", baseline_category_table(self.scores)),
        ]
        if self.resampled_scores:
            tables.append(("Over the ground distance", resampled_table(self.resampled_scores)))
        if self.feature_bins:
            tables.append(("Calibration of meanProbability", bin_table(self.feature_bins, self.answer_bins)))
        return tables

    def plots(self) -> dict[str, str]:
        """Plots as SVG by file name; plots without data are left out."""
        found = {}
        if self.feature_bins:
            error = expected_error(self.feature_bins)
            found["calibration.svg"] = calibration_plot(self.feature_bins, self.answer_bins, error)
        if self.resampled_scores:
            found["ground-distance.svg"] = resampled_plot(self.resampled_scores)
        return found

    def as_json(self) -> dict[str, Any]:
        """The scores as JSON data (see :func:`plain`); baselines without categories."""
        summaries = {
            by: {group: {key: value for key, value in vars(one).items() if key != "categories"} for group, one in groups.items()}
            for by, groups in self.scores.items()
            if by != MODEL
        }
        return dict(
            plain(
                {
                    "questions": self.questions,
                    "windows": self.windows,
                    "scores": {MODEL: self.scores[MODEL], **summaries},
                    "resampled": {f"{factor:g}": one for factor, one in self.resampled_scores.items()},
                    "calibration": {
                        "features": self.feature_bins,
                        "answers": self.answer_bins,
                        "expectedError": expected_error(self.feature_bins),
                        "expectedErrorByPixels": expected_error(self.feature_bins, by_pixels=True),
                    },
                }
            )
        )


def plain(value: Any) -> Any:
    """Nested data as JSON types: an estimate is [value, low, high], shares have four decimals, NaN is null."""
    if isinstance(value, Estimate):
        return [plain(part) for part in (value.value, value.low, value.high)]
    if is_dataclass(value):
        return plain(vars(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
