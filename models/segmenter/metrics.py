"""Scores of answered questions: gIoU, cIoU and precision as SegEarth-R1's own evaluation counts them, and emptiness."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
PRECISION_AT = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Overlap:
    """Pixels that prediction and target share, and that either covers."""

    intersection: int
    union: int
    predicted: int

    @property
    def iou(self) -> float:
        """Intersection over union; 1 where both are empty (section 6.2 of the specification: U = 0)."""
        return self.intersection / (self.union + 1e-5) if self.union else 1.0


def overlap(prediction: Mask, target: Mask, known: Mask | None = None) -> Overlap:
    """Counts of two masks of one shape. Pixels outside `known` (nobody labelled them) do not count."""
    if prediction.shape != target.shape:
        raise ValueError(f"prediction is {prediction.shape}, target {target.shape}")
    if known is not None:
        prediction, target = prediction & known, target & known
    intersection = int(np.count_nonzero(prediction & target))
    predicted = int(np.count_nonzero(prediction))
    return Overlap(intersection, predicted + int(np.count_nonzero(target)) - intersection, predicted)


def g_iou(overlaps: Iterable[Overlap]) -> float:
    """Mean IoU over answers; NaN without any."""
    values = [one.iou for one in overlaps]
    return float(np.mean(values)) if values else float("nan")


def c_iou(overlaps: Iterable[Overlap]) -> float:
    """Summed intersections over summed unions: large targets weigh more. A correct empty answer adds nothing."""
    answers = list(overlaps)
    return sum(one.intersection for one in answers) / (sum(one.union for one in answers) + 1e-10)


def precision(overlaps: Iterable[Overlap], threshold: float) -> float:
    """Share of answers whose IoU exceeds the threshold; NaN without any."""
    values = [one.iou > threshold for one in overlaps]
    return float(np.mean(values)) if values else float("nan")


def empty_share(overlaps: Iterable[Overlap]) -> float:
    """Share of answers without a single predicted pixel; NaN without any."""
    values = [one.predicted == 0 for one in overlaps]
    return float(np.mean(values)) if values else float("nan")
