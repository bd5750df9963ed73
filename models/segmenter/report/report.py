"""The report of an evaluation on a labelled data set, as JSON data and as text tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segmenter.data.samples import DataSet
from segmenter.evaluation.benchmark import Answered
from segmenter.evaluation.metrics import Asked, summary
from segmenter.report.report_published import ModelFacts, published_rows, why_not_comparable

Report = dict[str, Any]


def make_report(model: ModelFacts, dataset: DataSet, answered: Sequence[Answered], complete: bool) -> Report:
    """The report as JSON data. `complete` means that every image of the split was evaluated."""
    asked = [one.asked for one in answered]
    first = [one for one in asked if one.first]
    reason = why_not_comparable(model, dataset.name, dataset.split, complete and not dataset.problems)
    return {
        "model": {
            "name": model.name,
            "version": model.version,
            "windowPx": model.window_px,
            "convertedFrom": None if model.release is None else {"release": model.release, "sha256": model.weights},
        },
        "dataset": {"name": dataset.name, "split": dataset.split, "complete": complete, "leftOut": list(dataset.problems)},
        "firstQuestion": summary(first),
        "allQuestions": summary(asked),
        "groups": {name: _group(asked, name) for name in sorted({a.group for a in asked} - {""})},
        "categories": _categories(asked),
        "published": {
            "whyNot": reason,
            "rows": [] if reason else [vars(row) for row in published_rows(dataset.name, dataset.split)],
        },
        "answers": [_answer(one) for one in asked],
    }


def _group(asked: Sequence[Asked], name: str) -> dict[str, Any]:
    mine = [one for one in asked if one.group == name]
    return {**summary(mine), "categories": _categories(mine)}


def _categories(asked: Sequence[Asked]) -> dict[str, Any]:
    names = sorted({one.category for one in asked} - {""})
    return {name: summary([one for one in asked if one.category == name]) for name in names}


def _answer(one: Asked) -> dict[str, Any]:
    return {
        "sample": one.sample,
        "question": one.question,
        "first": one.first,
        "targetPixels": one.target,
        "predictedPixels": one.scene.predicted,
        "iouWindow": one.window.iou,
        "iouScene": one.scene.iou,
    }


def text_report(report: Report) -> str:
    """The report as text: scores of both frames, absent targets, groups and categories, published scores."""
    model, dataset = report["model"], report["dataset"]
    lines = [
        f"{model['name']} {model['version']} on {dataset['name']} ({dataset['split']}): "
        f"{report['allQuestions']['questions']} questions, {report['allQuestions']['images']} images",
        "",
        text_table(score_rows(report)),
        "",
        text_table(absence_rows(report)),
    ]
    breakdown = breakdown_rows(report)
    if len(breakdown) > 1:
        lines += ["", text_table(breakdown)]
    left_out = dataset["leftOut"]
    if left_out:
        lines += ["", f"left out: {len(left_out)}; first problem: {left_out[0]}"]
    return "\n".join([*lines, "", *_published_lines(report)])


def score_rows(report: Report) -> list[list[str]]:
    """Header and one row per frame and set of questions; percent."""
    model = report["model"]
    rows = [["questions", "frame", "gIoU", "±", "cIoU", *(f"P@{at}" for at in ("0.5", "0.6", "0.7", "0.8", "0.9"))]]
    for title, key in (("first", "firstQuestion"), ("all", "allQuestions")):
        for frame, name in (("window", f"{model['windowPx']} px window"), ("scene", "original size")):
            scores = report[key][frame]
            rows.append([title, name, *(percent(scores[one]) for one in ("gIoU", "gIoU95", "cIoU")),
                         *(percent(value) for value in scores["precision"].values())])  # fmt: skip
    return rows


def absence_rows(report: Report) -> list[list[str]]:
    """Header and one row per set of questions: present targets, then absent ones; percent."""
    rows = [["questions", "present", "gIoU present", "±", "answered", "absent", "empty right", "false alarms", "area"]]
    for title, key in (("first", "firstQuestion"), ("all", "allQuestions")):
        present, absent = report[key]["present"], report[key]["absent"]
        shares = [percent(absent[one]) for one in ("emptyAccuracy", "falseAlarmRate", "falseAlarmArea")]
        rows.append([title, str(present["questions"]), percent(present["gIoU"]), percent(present["gIoU95"]),
                     percent(present["answered"]), str(absent["questions"]), *shares])  # fmt: skip
    return rows


def breakdown_rows(report: Report) -> list[list[str]]:
    """Header and one row per group and category; original size, percent."""
    rows = [["group", "category", "present", "gIoU", "±", "absent", "false alarms"]]
    for group, scores in report["groups"].items():
        rows.append(_breakdown(group, "", scores))
        rows.extend(_breakdown(group, category, part) for category, part in scores["categories"].items())
    if not report["groups"]:
        rows.extend(_breakdown("", category, part) for category, part in report["categories"].items())
    return rows


def _breakdown(group: str, category: str, scores: dict[str, Any]) -> list[str]:
    present, absent = scores["present"], scores["absent"]
    return [group, category, str(present["questions"]), percent(present["gIoU"]), percent(present["gIoU95"]),
            str(absent["questions"]), percent(absent["falseAlarmRate"])]  # fmt: skip


def published_table(report: Report) -> list[list[str]]:
    """Header, published rows, and this measurement; only for a comparable report."""
    own, rows = report["firstQuestion"]["window"], report["published"]["rows"]
    table = [["method", "gIoU", "cIoU", "P@0.5"]]
    for row in rows:
        numbers = [row["g_iou"], row["c_iou"], row["precision_at_half"]]
        table.append([row["method"], *("–" if number is None else f"{number:.2f}" for number in numbers)])
    measured = [own["gIoU"], own["cIoU"], own["precision"]["0.5"]]
    return [*table, ["measured here", *(f"{100 * number:.2f}" for number in measured)]]


def _published_lines(report: Report) -> list[str]:
    if report["published"]["whyNot"]:
        return [f"not set beside published scores: {report['published']['whyNot']}"]
    release = report["model"]["convertedFrom"]["release"]
    return [f"published scores beside those of {release}:", text_table(published_table(report))]


def percent(value: float | None) -> str:
    """A share as percent with one decimal; a dash for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines with aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
