"""The report as a self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from segmenter.evaluation.benchmark import Answered
from segmenter.report.report import Report, absence_rows, breakdown_rows, percent, published_table, score_rows
from segmenter.report.report_pictures import FALSE_ALARM, HIT, MISSED, picture, shelves


def html_page(report: Report, answered: Sequence[Answered]) -> str:
    """The page: tables, and images of the best, median and worst answers and the largest false alarms."""
    environment = Environment(loader=PackageLoader("segmenter.report", "."), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html.jinja").render(
        report=report,
        tables=[score_rows(report), absence_rows(report)],
        breakdown=breakdown_rows(report),
        published=None if report["published"]["whyNot"] else published_table(report),
        shelves=shelves(answered),
        picture=picture,
        percent=percent,
        colours=[
            (f"rgb{HIT}", "target, and answered"),
            (f"rgb{FALSE_ALARM}", "answered, but not the target"),
            (f"rgb{MISSED}", "target, but not answered"),
        ],
    )
