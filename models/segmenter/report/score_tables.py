"""Results of an evaluation on held-out windows as tables of text cells; numbers are percent."""

from collections.abc import Mapping, Sequence

import numpy as np

from segmenter.evaluation.estimates import LAND_COVER, Estimate, GroupScore, share_of
from segmenter.evaluation.examination import BASELINES, MODEL
from segmenter.evaluation.held_out import GROUPS
from segmenter.evaluation.reliability import Bin
from segmenter.language.bank import HELD_OUT_KINDS, UNIONS

Table = list[list[str]]
#: Scores by answerer and group of wordings.
Scores = Mapping[str, Mapping[str, GroupScore]]

#: Goals of the bundled model as shares; the last one is an upper limit.
GOAL_OBJECTS, GOAL_LAND_COVER, GOAL_KEPT, GOAL_FALSE_ALARMS = 0.45, 0.55, 0.75, 0.12


def goal_table(scores: Mapping[str, GroupScore]) -> Table:
    """Header and one row per goal, with the measured value."""
    explicit, implicit = scores["explicit"], scores["implicit_unseen"]
    kept = Estimate(share_of(implicit, explicit))
    rows: list[tuple[str, float, Estimate]] = [
        ("object classes, explicit words: gIoU, mean of questions", GOAL_OBJECTS, explicit.object_questions),
        ("object classes, explicit words: gIoU, mean of classes", GOAL_OBJECTS, explicit.objects),
        ("land cover, explicit words: gIoU, mean of classes", GOAL_LAND_COVER, explicit.land_cover),
        ("objects, implicit words never seen: share of the explicit gIoU", GOAL_KEPT, kept),
    ]
    table = [["aimed at", "goal", "measured", "reached"]]
    table += [[name, f"≥ {100 * goal:.0f}", cell(got), _yes(got.value >= goal)] for name, goal, got in rows]
    alarms = _complement(explicit.empty)
    name = "false alarms, explicit words: share of questions about absent targets"
    return [*table, [name, f"≤ {100 * GOAL_FALSE_ALARMS:.0f}", cell(alarms), _yes(alarms.value <= GOAL_FALSE_ALARMS)]]


def answerer_table(scores: Scores) -> Table:
    """Header and one row for the model and each baseline: objects, land cover and false alarms, explicit and implicit."""
    table = [["answered by", "objects, explicit", "objects, never seen implicit", "land cover, explicit",
              "land cover, never seen implicit", "false alarms, explicit", "false alarms, never seen implicit"]]  # fmt: skip
    for by in (MODEL, *BASELINES):
        groups = [scores[by].get(group) for group in ("explicit", "implicit_unseen")] if by in scores else []
        if not groups:
            continue
        cells = [
            *(cell(one.object_questions) if one else "–" for one in groups),
            *(cell(one.land_cover) if one else "–" for one in groups),
            *(cell(_complement(one.empty)) if one else "–" for one in groups),
        ]
        table.append([by, *cells])
    return table


def group_table(scores: Mapping[str, GroupScore]) -> Table:
    """Header and one row per summary; columns are the groups of wordings."""
    groups = [group for group in GROUPS if group in scores]
    rows = (
        ("15 objects, mean of classes", lambda s: s.objects),
        ("15 objects, mean of questions", lambda s: s.object_questions),
        (f"{len(LAND_COVER)} kinds of land cover, mean of classes", lambda s: s.land_cover),
        ("land cover, mean of questions", lambda s: s.land_cover_questions),
        ("absent targets answered empty", lambda s: s.empty),
        ("present targets answered", lambda s: s.answered),
    )
    table = [["", *(title(group) for group in groups)]]
    return [*table, *([name, *(cell(pick(scores[group])) for group in groups)] for name, pick in rows)]


def category_table(scores: Mapping[str, GroupScore]) -> Table:
    """Header and one row per category: gIoU by group of wordings, then the share of absent targets answered empty."""
    groups = [group for group in GROUPS if group in scores]
    table = [["category", "present", *(title(group) for group in groups), "absent", "empty"]]
    for name in sorted({category for group in groups for category in scores[group].categories}):
        first = next(scores[group].categories[name] for group in groups if name in scores[group].categories)
        found = [scores[group].categories.get(name) for group in groups]
        ious = [cell(one.iou) if one else "–" for one in found]
        table.append([name, str(first.present), *ious, str(first.absent), cell(first.empty)])
    return table


def baseline_category_table(scores: Scores) -> Table:
    """Header and one row per category: gIoU of the model and of baselines with non-empty answers."""
    columns = [(by, "explicit") for by in (MODEL, "whole window", "category prior", "random category")]
    columns += [(by, "implicit_unseen") for by in (MODEL, "random category", "n-gram text")]
    columns = [(by, group) for by, group in columns if group in scores.get(by, {})]
    table = [["category", *(f"{by}, {title(group)}" for by, group in columns)]]
    for name in sorted({c for by, group in columns for c, one in scores[by][group].categories.items() if one.present}):
        found = [scores[by][group].categories.get(name) for by, group in columns]
        table.append([name, *(percent(one.iou.value) if one else "–" for one in found)])
    return table


def resampled_table(scores: Mapping[float, GroupScore]) -> Table:
    """Header and one row per resampling factor."""
    table = [["source pixels a window pixel", "questions", "objects", "land cover", "false alarms", "present answered"]]
    for factor, one in scores.items():
        shown = [one.object_questions, one.land_cover_questions, _complement(one.empty), one.answered]
        table.append([f"x {factor:g}", str(one.present + one.absent), *map(cell, shown)])
    return table


def bin_table(features: Sequence[Bin], masks: Sequence[Bin]) -> Table:
    """Header and one row per bin of mean probability."""
    whole = {one.low: one for one in masks}
    table = [["mean probability", "features", "mean in bin", "right pixels, mean of features", "right pixels, of all",
              "masks", "mean IoU of masks"]]  # fmt: skip
    for one in features:
        mask = whole.get(one.low)
        shares = [percent(one.probability), percent(one.right), percent(one.pixels_right)]
        last = [str(mask.count), percent(mask.right)] if mask else ["0", "–"]
        table.append([f"{one.low:.2f} to {one.high:.2f}", str(one.count), *shares, *last])
    return table


def weak_categories(scores: Mapping[str, GroupScore], most: int = 8) -> Table:
    """Header and the categories with the lowest explicit gIoU."""
    mine = [(name, one) for name, one in scores["explicit"].categories.items() if one.present and name not in UNIONS]
    mine.sort(key=lambda pair: pair[1].iou.value)
    rows = [[name, str(one.present), cell(one.iou), str(one.absent), cell(_complement(one.empty))] for name, one in mine]
    return [["category", "present", "gIoU", "absent", "false alarms"], *rows[:most]]


def held_out_kinds() -> str:
    """The kinds of questions held out from training, as a phrase."""
    return ", ".join(f"{category} ({kind})" for category, kind in sorted(HELD_OUT_KINDS))


def title(group: str) -> str:
    """The title of a group of wordings."""
    kind, _, seen = group.partition("_")
    return f"{kind}, {'never seen' if seen == 'unseen' else 'seen'}"


def percent(value: float) -> str:
    """A share as percent with one decimal; a dash for NaN."""
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def cell(estimate: Estimate) -> str:
    """An estimate as percent, with its interval if it has one."""
    if np.isnan(estimate.low):
        return percent(estimate.value)
    return f"{percent(estimate.value)} ({percent(estimate.low)}–{percent(estimate.high)})"


def _complement(estimate: Estimate) -> Estimate:
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low)


def _yes(reached: bool) -> str:
    return "yes" if reached else "no"
