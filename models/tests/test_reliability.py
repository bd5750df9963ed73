"""Features, bins and the expected error against twins that walk pixel by pixel."""

import math

import numpy as np
import pytest

from segmenter.evaluation.reliability import EDGES, Feature, WholeMask, bins, expected_error, features_of, mask_bins


def flooded(logits: np.ndarray, target: np.ndarray, known: np.ndarray) -> list[Feature]:
    """4-connected parts by flooding, with their means."""
    left = {(int(r), int(c)) for r, c in np.argwhere(logits > 0)}
    found = []
    while left:
        front, part = [min(left)], []
        left.remove(front[0])
        while front:
            r, c = front.pop()
            part.append((r, c))
            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if near in left:
                    left.remove(near)
                    front.append(near)
        probability = sum(1 / (1 + math.exp(-logits[at])) for at in part) / len(part)
        spoken = [at for at in part if known[at]]
        if spoken:
            found.append(Feature(probability, len(spoken), sum(bool(target[at]) for at in spoken)))
    return found


def test_features_equal_those_found_by_flooding() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        logits = rng.normal(-0.2, 1, (12, 14)).astype(np.float32)
        target, known = rng.random((12, 14)) < 0.4, rng.random((12, 14)) < 0.8
        features, whole = features_of(logits, target, known)
        expected = flooded(logits, target, known)
        assert sorted((round(f.probability, 5), f.pixels, f.right) for f in features) == sorted(
            (round(f.probability, 5), f.pixels, f.right) for f in expected
        )
        mask = (logits > 0) & known
        assert whole[0].iou == pytest.approx((mask & target).sum() / (mask | (target & known)).sum(), abs=1e-4)
    assert features_of(-np.ones((3, 3), np.float32), np.ones((3, 3), bool), np.ones((3, 3), bool)) == ([], [])


def test_bins_and_expected_errors_equal_the_loop() -> None:
    rng = np.random.default_rng(6)
    drawn = zip(rng.uniform(0.5, 1, 300), rng.integers(1, 50, 300), strict=True)
    features = [Feature(float(p), int(n), int(rng.integers(0, n + 1))) for p, n in drawn]
    found = bins(features)
    gap = area_gap = 0.0
    for one in found:
        mine = [f for f in features if one.low <= f.probability < one.high]
        assert one.count == len(mine) and one.pixels == sum(f.pixels for f in mine)
        probability = float(np.mean([f.probability for f in mine]))
        right = float(np.mean([f.right / f.pixels for f in mine]))
        assert (one.probability, one.right) == (pytest.approx(probability), pytest.approx(right))
        gap += len(mine) / 300 * abs(probability - right)
        area = sum(f.pixels for f in mine)
        area_gap += area / sum(f.pixels for f in features) * abs(probability - sum(f.right for f in mine) / area)
    assert expected_error(found) == pytest.approx(gap)
    assert expected_error(found, by_pixels=True) == pytest.approx(area_gap)
    assert sum(one.count for one in found) == 300 and found[0].low == EDGES[0]


def test_the_ends_belong_to_the_outer_bins_and_nothing_gives_no_error() -> None:
    assert [(b.low, b.high) for b in bins([Feature(0.5, 1, 1), Feature(1.0, 1, 1)])] == [(0.5, 0.55), (0.95, 1.0)]
    assert mask_bins([WholeMask(0.72, 0.4), WholeMask(0.74, 0.6)])[0].right == pytest.approx(0.5)
    assert bins([]) == [] and math.isnan(expected_error([]))
