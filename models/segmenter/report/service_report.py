"""Compares answers of the service (`terraql evaluate`) with those of this package to the same questions.

Answers are joined by sample name, which `export-dataset` builds from window number, category and group.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segmenter.evaluation.examination import MODEL, Answer
from segmenter.evaluation.held_out import GROUPS
from segmenter.language.bank import ISAID_OBJECTS
from segmenter.report.score_tables import Table, percent, title

#: Maximum IoU difference between answers that agree.
ALIKE = 0.05


class ServiceReportError(ValueError):
    """The file is not a report of `terraql evaluate`, or covers other windows."""


@dataclass(frozen=True)
class ServiceAnswer:
    """Answer of the service: IoU at the window's size, and predicted pixels."""

    iou: float
    predicted: int


@dataclass(frozen=True)
class ServiceReport:
    """Answers by sample and question, and the SHA-256 of the model's manifest."""

    model: str
    sha256: str
    dataset: str
    answers: dict[tuple[str, str], ServiceAnswer]


@dataclass(frozen=True)
class Agreement:
    """Number of common questions, and the scores of both on them."""

    joined: int
    table: Table


def read_service_report(path: Path) -> ServiceReport:
    """Reads the output of `terraql evaluate --json`. Raises ServiceReportError for anything else."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        answers = {
            (one["sample"], one["question"]): ServiceAnswer(float(one["iouScene"]), int(one["predictedPixels"]))
            for one in report["answers"]
        }
        model = report["model"]
        return ServiceReport(str(model["id"]), str(model["sha256"]), str(report["dataset"]["name"]), answers)
    except (ValueError, KeyError, TypeError) as error:
        raise ServiceReportError(f"{path} is not output of `terraql evaluate --json`: {error!r}") from error


def require_same_model(service: ServiceReport, model: Path) -> None:
    """Raises ServiceReportError unless the service used the exported model in that folder."""
    own = hashlib.sha256((model / "manifest.json").read_bytes()).hexdigest()
    if service.sha256 != own:
        raise ServiceReportError(
            f"the service answered with {service.model}, manifest {service.sha256}; the manifest of {model} is {own}"
        )


def agreement_table(service: ServiceReport, answers: Sequence[Answer]) -> Agreement:
    """Scores of both on their common questions. Raises ServiceReportError if there are none."""
    pairs = [(a, service.answers[key]) for a in answers if a.by == MODEL and (key := _key(a)) in service.answers]
    if not pairs:
        raise ServiceReportError(
            f"none of the {len(service.answers)} answers about {service.dataset!r} is about a window of this evaluation: "
            "export-dataset and evaluate must use the same windows"
        )
    header = ["", "questions", "objects, here", "objects, service", "all present, here", "all present, service",
              "false alarms, here", "false alarms, service", "mean difference of IoU", f"apart by over {ALIKE}"]  # fmt: skip
    rows = [_row(title(group), [pair for pair in pairs if pair[0].group == group]) for group in GROUPS]
    return Agreement(len(pairs), [header, *rows, _row("all", pairs)])


def _key(answer: Answer) -> tuple[str, str]:
    return f"{answer.source}-{answer.window}-{answer.category}-{answer.group}", answer.text


def _row(name: str, pairs: Sequence[tuple[Answer, ServiceAnswer]]) -> list[str]:
    present = [pair for pair in pairs if pair[0].present]
    objects = [pair for pair in present if pair[0].category in ISAID_OBJECTS]
    absent = [pair for pair in pairs if not pair[0].present]
    gaps = np.array([abs(mine.counts.iou - other.iou) for mine, other in pairs])
    shares = [
        *_means([(mine.counts.iou, other.iou) for mine, other in objects]),
        *_means([(mine.counts.iou, other.iou) for mine, other in present]),
        *_means([(float(mine.counts.predicted > 0), float(other.predicted > 0)) for mine, other in absent]),
        *((float(gaps.mean()), float((gaps > ALIKE).mean())) if len(gaps) else (float("nan"), float("nan"))),
    ]
    return [name, str(len(pairs)), *map(percent, shares)]


def _means(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    if not values:
        return float("nan"), float("nan")
    mine, other = np.mean(values, 0)
    return float(mine), float(other)
