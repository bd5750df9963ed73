"""Calibration of `meanProbability`: mean probability of answers against the share of their pixels that is correct.

A feature is what the service stores: a 4-connected component of a mask, with the mean probability of its pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from segmenter.evaluation.metrics import Mask, overlap

#: Edges of the probability bins; mask pixels have a probability of at least 0.5.
EDGES = tuple(round(0.5 + 0.05 * step, 2) for step in range(11))


@dataclass(frozen=True)
class Feature:
    """A component of an answered mask: mean probability, labelled pixels, and target pixels among them."""

    probability: float
    pixels: int
    right: int


@dataclass(frozen=True)
class WholeMask:
    """An answered mask: mean probability and IoU with the label."""

    probability: float
    iou: float


@dataclass(frozen=True)
class Bin:
    """Means over features (or masks) of similar mean probability, and the share of their correct pixels."""

    low: float
    high: float
    count: int
    probability: float
    right: float
    pixels: int
    pixels_right: float


def features_of(logits: NDArray[np.float32], target: Mask, known: Mask) -> tuple[list[Feature], list[WholeMask]]:
    """Features of an answer `[S, S]`, and the answer as a whole; pixels outside `known` do not count.

    Features and masks without a labelled pixel are left out.
    """
    mask = logits > 0
    if not mask.any():
        return [], []
    labels, count = ndimage.label(mask)  # 4-connected by default
    probability = 1 / (1 + np.exp(-logits[mask].astype(np.float64)))
    parts, spoken, right = labels[mask], known[mask], (target & known)[mask]
    size = np.bincount(parts, minlength=count + 1)[1:]
    total = np.bincount(parts, probability, count + 1)[1:]
    pixels = np.bincount(parts[spoken], minlength=count + 1)[1:]
    hits = np.bincount(parts[right], minlength=count + 1)[1:]
    features = [
        Feature(float(total[n] / size[n]), int(pixels[n]), int(hits[n])) for n in range(count) if pixels[n]
    ]  # fmt: skip
    whole = [WholeMask(float(probability.mean()), overlap(mask, target, known).iou)] if features else []
    return features, whole


def bins(features: Sequence[Feature]) -> list[Bin]:
    """Features binned by mean probability; empty bins are left out."""
    probability = np.array([f.probability for f in features])
    pixels = np.array([f.pixels for f in features], np.int64)
    right = np.array([f.right for f in features], np.int64)
    found = []
    for low, high, inside in _binned(probability):
        count, area = int(inside.sum()), int(pixels[inside].sum())
        shares = (right[inside] / pixels[inside]).mean()
        found.append(
            Bin(low, high, count, float(probability[inside].mean()), float(shares), area, float(right[inside].sum() / area))
        )
    return found


def mask_bins(masks: Sequence[WholeMask]) -> list[Bin]:
    """Masks binned by mean probability; `right` is their mean IoU. Empty bins are left out."""
    probability, ious = np.array([m.probability for m in masks]), np.array([m.iou for m in masks])
    return [
        Bin(low, high, int(inside.sum()), float(probability[inside].mean()), float(ious[inside].mean()), 0, float("nan"))
        for low, high, inside in _binned(probability)
    ]


def _binned(probability: NDArray[np.float64]) -> list[tuple[float, float, NDArray[np.bool_]]]:
    index = np.clip(np.digitize(probability, EDGES) - 1, 0, len(EDGES) - 2)
    cut = [(low, high, index == number) for number, (low, high) in enumerate(pairwise(EDGES))]
    return [(low, high, inside) for low, high, inside in cut if inside.any()]


def expected_error(found: Sequence[Bin], by_pixels: bool = False) -> float:
    """Expected calibration error: mean distance between probability and share of correct pixels; NaN without bins.

    Features have equal weight, or pixels with `by_pixels`.
    """
    weights = np.array([b.pixels if by_pixels else b.count for b in found], float)
    gaps = np.array([abs(b.probability - (b.pixels_right if by_pixels else b.right)) for b in found])
    return float((weights * gaps).sum() / weights.sum()) if len(found) else float("nan")
