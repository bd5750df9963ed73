"""Scores of answered questions: gIoU, cIoU and precision as in SegEarth-R1's evaluation, and empty answers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.evaluation.intervals import half_width

Mask = NDArray[np.bool_]
PRECISION_AT = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Overlap:
    """Pixel counts of the intersection, the union and the prediction."""

    intersection: int
    union: int
    predicted: int

    @property
    def iou(self) -> float:
        """Intersection over union; 1 if both are empty (section 6.2 of the specification: U = 0)."""
        return self.intersection / (self.union + 1e-5) if self.union else 1.0


def overlap(prediction: Mask, target: Mask, known: Mask | None = None) -> Overlap:
    """Overlap of two masks of equal shape. Pixels outside `known` (unlabelled) do not count."""
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
    """Summed intersections over summed unions: large targets weigh more, correct empty answers add nothing."""
    answers = list(overlaps)
    return sum(one.intersection for one in answers) / (sum(one.union for one in answers) + 1e-10)


def precision(overlaps: Iterable[Overlap], threshold: float) -> float:
    """Share of answers whose IoU exceeds the threshold; NaN without any."""
    values = [one.iou > threshold for one in overlaps]
    return float(np.mean(values)) if values else float("nan")


def empty_share(overlaps: Iterable[Overlap]) -> float:
    """Share of empty answers; NaN without any."""
    values = [one.predicted == 0 for one in overlaps]
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Asked:
    """An answered question, compared in both frames; see `data.frames`."""

    sample: str
    image: str
    question: str
    first: bool  # whether the paper asks this question
    category: str
    group: str
    window: Overlap
    scene: Overlap
    pixels: int  # labelled pixels of the image

    @property
    def target(self) -> int:
        """Target pixels in the image."""
        return self.scene.union - self.scene.predicted + self.scene.intersection


def frame_scores(overlaps: Sequence[Overlap], images: Sequence[str]) -> dict[str, object]:
    """gIoU with its interval, cIoU and P@0.5 .. P@0.9 of answers in one frame; None without answers."""
    ious = [one.iou for one in overlaps]
    return {
        "gIoU": float(np.mean(ious)) if ious else None,
        "gIoU95": half_width(ious, images),
        "cIoU": c_iou(overlaps) if ious else None,
        "precision": {str(limit): precision(overlaps, limit) if ious else None for limit in PRECISION_AT},
    }


def summary(answers: Sequence[Asked]) -> dict[str, object]:
    """Scores of answers: both frames over all of them, then present and absent targets separately (at original size)."""
    images = [answer.image for answer in answers]
    present, absent = [a for a in answers if a.target > 0], [a for a in answers if a.target == 0]
    return {
        "questions": len(answers),
        "images": len(set(images)),
        "window": frame_scores([a.window for a in answers], images),
        "scene": frame_scores([a.scene for a in answers], images),
        "present": {
            "questions": len(present),
            **frame_scores([a.scene for a in present], [a.image for a in present]),
            "answered": _share([a.scene.predicted > 0 for a in present]),
        },
        "absent": {
            "questions": len(absent),
            "emptyAccuracy": empty_share([a.scene for a in absent]) if absent else None,
            "falseAlarmRate": _share([a.scene.predicted > 0 for a in absent]),
            "falseAlarmArea": _share([a.scene.predicted / max(1, a.pixels) for a in absent]),
        },
    }


def _share(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
