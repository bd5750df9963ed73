"""Published scores, and the conditions for comparing a measurement with them.

Values are from the tables on the authors' project page (arXiv 2504.09644); percent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmenter.network.checkpoint import read_checkpoint
from segmenter.published.releases import RELEASES

_EARTHREASON = {
    "LISA": ((61.04, 57.39), (60.88, 59.10)),
    "PixelLM": ((57.94, 57.79), (60.01, 59.22)),
    "PSALM": ((66.61, 62.03), (68.30, 64.61)),
    "SegEarth-R1": ((68.60, 64.13), (70.75, 68.25)),
}
_RRSIS_D = {
    "RRN": ((46.06, 66.53, 51.09), (45.64, 66.43, 51.07)),
    "CMSA": ((48.85, 69.39, 55.68), (48.54, 69.39, 55.32)),
    "LSCM": ((50.36, 69.05, 57.12), (49.92, 69.28, 56.02)),
    "CMPC": ((50.41, 69.22, 57.93), (49.24, 69.39, 55.83)),
    "BRINet": ((51.14, 70.73, 58.79), (49.65, 69.88, 56.90)),
    "CMPC+": ((51.41, 70.14, 59.19), (50.24, 68.64, 57.65)),
    "LGCE": ((60.16, 76.68, 68.10), (59.37, 76.34, 67.65)),
    "RIS-DMMI": ((60.72, 77.01, 70.40), (60.12, 76.20, 68.74)),
    "LAVT": ((61.46, 77.59, 69.54), (61.04, 77.19, 69.52)),
    "RMSIN": ((65.10, 78.27, 74.66), (64.20, 77.79, 74.26)),
    "LISA": ((27.84, None, 27.07), (26.78, None, 24.51)),
    "PixelLM": ((33.89, None, 33.46), (31.65, None, 28.81)),
    "NEXT-Chat": ((26.98, None, 28.97), (24.98, None, 26.37)),
    "GeoGround": ((61.10, None, 68.69), (60.50, None, 67.50)),
    "SegEarth-R1": ((67.56, 78.92, 78.62), (66.40, 78.01, 76.96)),
}
_TABLES: dict[str, dict[str, Any]] = {"EarthReason": _EARTHREASON, "RRSIS-D": _RRSIS_D}
_SPLITS = {"val": 0, "test": 1}


@dataclass(frozen=True)
class PublishedRow:
    """Published scores of a method in percent; None if the table has none."""

    method: str
    g_iou: float | None
    c_iou: float | None
    precision_at_half: float | None


@dataclass(frozen=True)
class ModelFacts:
    """Facts about the model, for the report and for :func:`why_not_comparable`."""

    name: str
    version: str
    window_px: int
    release: str | None  # the published release that the weights were converted from
    weights: dict[str, str]  # sha256 of the release's files, by name


def manifest_facts(folder: Path) -> ModelFacts:
    """Facts of an exported model."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    origin = manifest.get("convertedFrom") or {}
    return ModelFacts(
        manifest["name"], manifest["version"], manifest["windowPx"], origin.get("release"), origin.get("sha256", {})
    )


def checkpoint_facts(path: Path) -> ModelFacts:
    """Facts of a checkpoint; its version is the file name."""
    entries = read_checkpoint(path)
    origin = entries.get("converted_from") or {}
    config = entries["config"]
    return ModelFacts(config.name, path.name, config.window_px, origin.get("release"), origin.get("sha256", {}))


def why_not_comparable(model: ModelFacts, dataset: str, split: str, complete: bool) -> str | None:
    """Why the scores are not comparable with published ones; None if they are."""
    if model.name != "segearth-r1":
        return f"{model.name} is not the published network but a smaller one, trained on other data"
    if model.release is None:
        return "the weights are not known to be a published release (`segmenter convert --release` records it)"
    if dataset not in _TABLES:
        return f"no weights were released for {dataset}"
    if model.release != RELEASES[dataset]:
        return f"{model.release} was not trained for {dataset}; {RELEASES[dataset]} was"
    if split not in _SPLITS:
        return f"split {split} has no published scores; val and test have"
    return None if complete else "only a part of the split was evaluated"


def published_rows(dataset: str, split: str) -> list[PublishedRow]:
    """The rows of the paper's table for a data set and split that :func:`why_not_comparable` accepts."""
    rows = []
    for method, scores in _TABLES[dataset].items():
        g_iou, c_iou, *precision = scores[_SPLITS[split]]
        rows.append(PublishedRow(method, g_iou, c_iou, precision[0] if precision else None))
    return rows
