"""Plots of an evaluation as SVG on a white background; equal data gives equal files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segmenter.evaluation.estimates import Estimate, GroupScore
from segmenter.evaluation.reliability import EDGES, Bin

BLUE, ORANGE, GREEN, GREY = "#0b57d0", "#b3541e", "#137333", "#6b6b6b"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "segmenter", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": GREY, "axes.grid": True, "grid.color": "#e3e3e3", "axes.axisbelow": True, "legend.frameon": False,
}  # fmt: skip


def calibration_plot(features: Sequence[Bin], masks: Sequence[Bin], error: float) -> str:
    """Mean probability against the share of correct pixels of features and the IoU of masks, with counts below."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 6.2), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.plot((0.5, 1), (0.5, 1), color=GREY, linestyle="--", linewidth=1, label="as sure as right")
        shown = (
            ("features: share of right pixels, mean of features", features, [b.right for b in features], BLUE, "o-"),
            ("features: share of right pixels, all pixels", features, [b.pixels_right for b in features], GREEN, "s-"),
            ("whole answers: IoU with the label", masks, [b.right for b in masks], ORANGE, "^-"),
        )
        for label, found, heights, colour, marks in shown:
            above.plot([b.probability for b in found], heights, marks, color=colour, label=label, markersize=5)
        above.set(xlim=(0.5, 1), ylim=(0, 1), ylabel="right")
        above.set_title(f"Calibration of meanProbability (expected error {100 * error:.1f} points)", fontsize=11, loc="left")
        figure.legend(loc="outside lower center", fontsize=9)
        width = EDGES[1] - EDGES[0]
        below.bar([b.low + width / 2 for b in features], [b.count for b in features], width * 0.9, color=BLUE, alpha=0.6)
        for one in features:
            below.annotate(str(one.count), (one.low + width / 2, one.count), ha="center", va="bottom", fontsize=8)
        below.set(xlabel="mean probability", ylabel="features")
        below.margins(y=0.25)
        return _svg(figure)


def resampled_plot(scores: Mapping[float, GroupScore]) -> str:
    """Scores by resampling factor, with intervals."""
    lines = (
        ("objects, gIoU of present targets", BLUE, "o", [s.object_questions for s in scores.values()]),
        ("land cover, gIoU of present targets", GREEN, "s", [s.land_cover_questions for s in scores.values()]),
        ("absent targets answered empty", ORANGE, "^", [s.empty for s in scores.values()]),
    )
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.subplots()
        for number, (label, colour, mark, estimates) in enumerate(lines):
            _line(axes, [factor * 1.03 ** (number - 1) for factor in scores], estimates, colour, mark, label)
        axes.set_xscale("log", base=2)
        axes.set_xticks(list(scores), [f"x {factor:g}" for factor in scores])
        axes.set(ylim=(0, 100), xlabel="source pixels a window pixel (finer to the left)", ylabel="percent")
        axes.set_title("Over the ground distance, as a factor of the source's own", fontsize=11, loc="left")
        figure.legend(loc="outside lower center", fontsize=9)
        return _svg(figure)


def _line(axes: Axes, x: Sequence[float], estimates: Sequence[Estimate], colour: str, mark: str, label: str) -> None:
    values = [100 * one.value for one in estimates]
    below = [100 * max(0.0, one.value - one.low) if one.low == one.low else 0.0 for one in estimates]
    above = [100 * max(0.0, one.high - one.value) if one.high == one.high else 0.0 for one in estimates]
    axes.errorbar(x, values, (below, above), color=colour, marker=mark, markersize=5, capsize=3, linewidth=1.5, label=label)


def _svg(figure: Figure) -> str:
    packed = BytesIO()
    figure.savefig(packed, format="svg", facecolor="white", metadata={"Date": None})
    return packed.getvalue().decode()
