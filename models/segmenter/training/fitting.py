"""Affine maps between features, fitted in one go."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Weight of the ridge against the mean square of the features.
RIDGE = 1e-3


@dataclass(frozen=True)
class AffineMap:
    """y = `matrix` [y, x] @ x + `offset` [y]; `explained` is the share of the variance of y that it tells."""

    matrix: Tensor
    offset: Tensor
    explained: float


def fit(given: Tensor, wanted: Tensor) -> AffineMap:
    """Ridge regression of `wanted` [rows, y] on `given` [rows, x]."""
    given, wanted = given.double(), wanted.double()
    centre, target = given.mean(0), wanted.mean(0)
    x, y = given - centre, wanted - target
    gram = x.T @ x
    ridge = RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    matrix = torch.linalg.solve(gram + ridge, x.T @ y).T
    explained = 1 - (y - x @ matrix.T).square().sum() / y.square().sum()
    return AffineMap(matrix.float(), (target - matrix @ centre).float(), float(explained))
