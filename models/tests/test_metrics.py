"""Scores against a slow twin that counts pixel by pixel."""

import math

import numpy as np
import pytest

from segmenter.evaluation.metrics import Overlap, c_iou, empty_share, g_iou, overlap, precision


def counted(prediction: np.ndarray, target: np.ndarray, known: np.ndarray) -> tuple[int, int, int]:
    """The obvious loop."""
    intersection = union = predicted = 0
    for row in range(prediction.shape[0]):
        for column in range(prediction.shape[1]):
            if known[row, column]:
                p, t = prediction[row, column], target[row, column]
                intersection += int(p and t)
                union += int(p or t)
                predicted += int(p)
    return intersection, union, predicted


def test_counts_and_means_equal_the_loop() -> None:
    rng = np.random.default_rng(3)
    found, ious, inter, uni = [], [], 0, 0
    for share in (0.0, 0.1, 0.5, 0.9, 1.0, 0.3):
        prediction, target = rng.random((9, 11)) < share, rng.random((9, 11)) < 0.4
        known = rng.random((9, 11)) < 0.8
        i, u, p = counted(prediction, target, known)
        found.append(overlap(prediction, target, known))
        assert found[-1] == Overlap(i, u, p)
        ious.append(i / (u + 1e-5))
        inter, uni = inter + i, uni + u
    assert g_iou(found) == pytest.approx(np.mean(ious))
    assert c_iou(found) == pytest.approx(inter / uni)
    assert precision(found, 0.3) == pytest.approx(np.mean([v > 0.3 for v in ious]))
    assert empty_share(found) == pytest.approx(1 / 6)


def test_an_empty_answer_to_an_absent_target_is_right() -> None:
    nothing = np.zeros((4, 4), bool)
    right = overlap(nothing, nothing)
    assert right.iou == 1.0 and empty_share([right]) == 1.0
    one = nothing.copy()
    one[0, 0] = True
    assert overlap(one, nothing).iou == pytest.approx(0.0)
    assert c_iou([right, overlap(one, nothing)]) == pytest.approx(0.0)


def test_means_of_nothing_are_not_a_number() -> None:
    assert math.isnan(g_iou([])) and math.isnan(empty_share([])) and math.isnan(precision([], 0.5))


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\), target \(2, 3\)"):
        overlap(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
