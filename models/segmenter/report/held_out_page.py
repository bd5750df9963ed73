"""The evaluation on held-out windows as an HTML page with example images.

The images come from sources that must not be redistributed: the page is for owners of the packs only.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from segmenter.evaluation.examination import MODEL, Answer, Answerer, enlarged
from segmenter.evaluation.held_out import HeldOut, target_and_known
from segmenter.report.report_pictures import FALSE_ALARM, HIT, MISSED, painted_over
from segmenter.report.results import Evaluation
from segmenter.report.score_tables import percent

_SHOWN = 12
COLOURS = [
    (f"rgb{HIT}", "target, and answered"),
    (f"rgb{FALSE_ALARM}", "answered, but not the target"),
    (f"rgb{MISSED}", "target, but not answered"),
]


@dataclass(frozen=True)
class PicturedCase:
    """An answer and its picture as a data URI."""

    answer: Answer
    picture: str


def failure_shelves(answers: Sequence[Answer], shown: int = _SHOWN) -> list[tuple[str, list[Answer]]]:
    """Answers of the model to explicit questions: false alarms, missed and worst targets, then median and best ones.

    A shelf shows a category at most twice; shelves do not share answers.
    """
    mine = [a for a in answers if a.by == MODEL and a.group == "explicit"]
    alarms = sorted((a for a in mine if not a.present and a.counts.predicted), key=lambda a: -a.false_alarm_share)
    missed = sorted((a for a in mine if a.present and not a.counts.predicted), key=lambda a: -a.counts.union)
    found = sorted((a for a in mine if a.present and a.counts.predicted), key=lambda a: a.counts.iou)
    third = len(found) // 3
    middle = sorted(found[third : len(found) - third], key=lambda a: abs(a.counts.iou - found[len(found) // 2].counts.iou))
    shelves = [
        ("Largest false alarms", alarms),
        ("Largest targets missed altogether", missed),
        ("Worst overlap", found[:third]),
        ("Median overlap", middle),
        ("Best overlap", found[len(found) - third :][::-1]),
    ]
    return [(heading, chosen) for heading, cases in shelves if (chosen := _varied(cases, shown))]


def _varied(answers: Sequence[Answer], most: int) -> list[Answer]:
    counted: dict[str, int] = {}
    chosen = []
    for answer in answers:
        counted[answer.category] = counted.get(answer.category, 0) + 1
        if counted[answer.category] <= 2:
            chosen.append(answer)
    return chosen[:most]


def held_out_page(evaluation: Evaluation, answerer: Answerer, windows: Mapping[int, HeldOut]) -> str:
    """The page; computes the shown answers again. `windows` are keyed by their numbers in the evaluation."""
    shelves = [
        (heading, [PicturedCase(answer, _picture(answerer, windows[answer.window], answer)) for answer in answers])
        for heading, answers in failure_shelves(evaluation.native.answers)
    ]
    environment = Environment(loader=PackageLoader("segmenter.report", "."), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("held_out.html.jinja").render(
        name=evaluation.name,
        questions=evaluation.questions,
        windows=evaluation.windows,
        tables=evaluation.tables(),
        plots=[svg[svg.index("<svg") :] for svg in evaluation.plots().values()],
        shelves=shelves,
        colours=COLOURS,
        percent=percent,
    )


def _picture(answerer: Answerer, held_out: HeldOut, answer: Answer) -> str:
    window = held_out.cut()
    side = window.labels.shape[0]
    mask = enlarged(answerer.logits(window.pixels, [answer.text]), side)[0] > 0
    target, known = target_and_known(window, answer.category)
    packed = io.BytesIO()
    Image.fromarray(painted_over(window.pixels, mask & known, target)).save(packed, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode()}"
