"""Frames of comparison against slow twins that look at one pixel at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segmenter.data.frames import letterbox_nearest, nearest_indices, scene_mask
from segmenter.data.letterbox import letterbox_geometry

cv2 = pytest.importorskip("cv2")


@pytest.mark.parametrize(("source", "target"), [(900, 1024), (700, 796), (5, 128), (1024, 1024), (7617, 1024), (123, 1024)])
def test_nearest_indices_are_those_of_opencv(source: int, target: int) -> None:
    ramp = np.arange(source, dtype=np.float32)[None]
    assert (
        cv2.resize(ramp, (target, 1), interpolation=cv2.INTER_NEAREST)[0].astype(int).tolist()
        == nearest_indices(source, target).tolist()
    )


def test_a_label_is_letterboxed_by_nearest_neighbour_with_bars_around_it() -> None:
    labels = np.random.default_rng(0).integers(0, 2, (10, 30), dtype=np.uint8)
    window = letterbox_nearest(labels, 64, 7)
    place = letterbox_geometry(10, 30, 64)
    shown = cv2.resize(labels, (place.width, place.height), interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(window[place.top : place.top + place.height, place.left : place.left + place.width], shown)
    assert (window[: place.top] == 7).all() and (window[place.top + place.height :] == 7).all()


def slow_scene_mask(logits: np.ndarray, height: int, width: int, side: int) -> np.ndarray:
    """One pixel at a time: bilinear between cell centres inside the image."""
    place, stride, size = letterbox_geometry(height, width, side), side / logits.shape[0], logits.shape[0]

    def cell(pixel: int, length: int, padding: int, shown: int) -> tuple[int, int, float]:
        position = (padding + (pixel + 0.5) * shown / length) / stride - 0.5
        first = next(k for k in range(size) if (k + 0.5) * stride >= padding or k == size - 1)
        last = max((k for k in range(size) if (k + 0.5) * stride <= padding + shown), default=first)
        position = min(max(position, first), max(first, last))
        low = math.floor(position)
        return low, min(low + 1, size - 1), position - low

    mask = np.zeros((height, width), bool)
    for y in range(height):
        top, bottom, fy = cell(y, height, place.top, place.height)
        for x in range(width):
            left, right, fx = cell(x, width, place.left, place.width)
            upper = logits[top, left] * (1 - fx) + logits[top, right] * fx
            lower = logits[bottom, left] * (1 - fx) + logits[bottom, right] * fx
            mask[y, x] = upper * (1 - fy) + lower * fy >= 0
    return mask


@pytest.mark.parametrize(("height", "width"), [(40, 70), (64, 64), (33, 12), (5, 200)])
def test_logits_come_back_to_the_image_as_pixel_by_pixel(height: int, width: int) -> None:
    logits = np.random.default_rng(1).standard_normal((16, 16)).astype(np.float32)
    found = scene_mask(logits, height, width, 64)
    different = np.count_nonzero(found != slow_scene_mask(logits, height, width, 64))
    assert different <= height * width * 0.002  # rounding of logits next to 0
