"""Example answers of a report: selection, and images with hits, false alarms and misses in colour."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

from segmenter.data.frames import nearest_indices
from segmenter.evaluation.benchmark import Answered

#: Maximum long side of a picture, px.
_LONG_SIDE = 480
_SHOWN = 6

#: RGB of pixels in target and answer, in the answer only, in the target only.
HIT, FALSE_ALARM, MISSED = (0, 200, 90), (230, 30, 60), (40, 120, 255)
_OPACITY = 0.55


@dataclass(frozen=True)
class Shelf:
    """Answers of one kind, shown side by side."""

    title: str
    cases: Sequence[Answered]


def shelves(answered: Sequence[Answered]) -> list[Shelf]:
    """First questions: best, median and worst IoU at the image's size of present targets, largest false alarms of absent ones.

    Shelves do not share answers.
    """
    first = [one for one in answered if one.asked.first]
    present = sorted((one for one in first if one.asked.target > 0), key=lambda one: -one.asked.scene.iou)
    count = min(_SHOWN, max(1, len(present) // 3))
    best, rest = present[:count], present[count:]
    middle, worst = rest[:-count], rest[-count:]
    start = max(0, (len(middle) - count) // 2)
    alarms = [one for one in first if one.asked.target == 0 and one.asked.scene.predicted > 0]
    alarms.sort(key=lambda one: -one.asked.scene.predicted / max(1, one.asked.pixels))
    found = [
        Shelf("Best", best),
        Shelf("Median", middle[start : start + count]),
        Shelf("Worst", worst[::-1]),
        Shelf("Largest false alarms", alarms[:_SHOWN]),
    ]
    return [shelf for shelf in found if shelf.cases]


def picture(case: Answered) -> str:
    """The case as a data URI (JPEG), at most 480 px on its long side; unlabelled pixels are not painted."""
    pixels, target = case.sample.pixels(), case.sample.labels() > 0
    answer = coco_mask.decode(case.runs).astype(bool)
    if case.sample.known is not None:  # unlabelled pixels are neither right nor wrong
        known = case.sample.known()
        answer, target = answer & known, target & known
    height, width = target.shape
    scale = min(1.0, _LONG_SIDE / max(height, width))
    rows = nearest_indices(height, max(1, round(height * scale)))
    columns = nearest_indices(width, max(1, round(width * scale)))
    small = np.asarray(Image.fromarray(pixels).resize((len(columns), len(rows)), Image.Resampling.BOX))
    painted = painted_over(small, answer[rows[:, None], columns], target[rows[:, None], columns])
    packed = io.BytesIO()
    Image.fromarray(painted).save(packed, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode()}"


def painted_over(pixels: NDArray[np.uint8], answer: NDArray[np.bool_], target: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """RGB `[height, width, 3]` with hits, false alarms and misses laid over it."""
    painted = pixels.astype(np.float32)
    for where, colour in ((answer & target, HIT), (answer & ~target, FALSE_ALARM), (target & ~answer, MISSED)):
        painted[where] = painted[where] * (1 - _OPACITY) + np.array(colour, np.float32) * _OPACITY
    return painted.round().astype(np.uint8)
