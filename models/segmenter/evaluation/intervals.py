"""95 % intervals: of a mean by its cluster-robust standard error, of anything else by a seeded bootstrap over clusters.

In the bootstrap, clusters are resampled with replacement: answers about one image are correlated, so they are drawn together.
Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (percentile intervals).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS, SEED = 1000, 0

Values = NDArray[np.float64]


def bootstrap_weights(clusters: Sequence[tuple[str, str]], rounds: int = ROUNDS, seed: int = SEED) -> Values:
    """How often each (source, cluster) is drawn, `[1 + rounds, clusters]`; row 0 is the sample itself, all ones.

    Each source keeps its number of clusters in every round.
    """
    rng = np.random.default_rng(seed)
    drawn = np.ones((1 + rounds, len(clusters)))
    sources = np.array([source for source, _ in clusters])
    for source in dict.fromkeys(sources.tolist()):
        mine = np.flatnonzero(sources == source)
        drawn[1:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), rounds)
    return drawn


def weighted_ratio(drawn: Values, part: Values, whole: Values) -> Values:
    """Weighted sums of `part` over those of `whole` `[clusters, columns]`: `[1 + rounds, columns]`; NaN where the sum is 0."""
    parts, wholes = drawn @ part, drawn @ whole
    return np.divide(parts, wholes, out=np.full_like(parts, np.nan), where=wholes > 0)


def percentile_interval(values: Values) -> tuple[float, float] | None:
    """The 2.5th and 97.5th percentile of the bootstrap rounds `values[1:]`; None if every round is NaN."""
    drawn = values[1:][~np.isnan(values[1:])]
    if not len(drawn):
        return None
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def half_width(values: Sequence[float], clusters: Sequence[str]) -> float | None:
    """Half the width of the 95 % interval of the mean of `values`, each in the cluster of the same position.

    1.96 cluster-robust standard errors, as in `terraql evaluate`. None with fewer than two clusters, whose spread is
    unknown. Cameron and Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference", section II.
    """
    sums: dict[str, float] = {}
    centre = float(np.mean(values)) if values else 0.0
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - centre
    count = len(sums)
    if count < 2:
        return None
    squares = sum(deviation * deviation for deviation in sums.values())
    return 1.96 * float(np.sqrt(squares / len(values) ** 2 * count / (count - 1)))
