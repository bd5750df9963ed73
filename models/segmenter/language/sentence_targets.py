"""Targets for descriptions: the teacher's sentence embedding combined with the category of the question.

The teacher alone confuses related categories ("what a storm sinks" is as close to harbour as to ship). A target has 384
coordinates: the leading components of the teacher's embedding, and one coordinate per category. The category of a plain
sentence is predicted by a softmax regression trained on the questions' embeddings.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmenter.language.bank import UNIONS
from segmenter.language.teacher import EMBEDDING_SIZE

TARGET_SIZE = EMBEDDING_SIZE
CATEGORY_WEIGHT = 1.0
"""Length of the category part; the teacher's part has about unit length."""


def category_codes(categories: Sequence[str]) -> Tensor:
    """Unit rows [categories, categories]: one axis per category; a union includes the axes of its parts."""
    codes = torch.eye(len(categories))
    index = {category: number for number, category in enumerate(categories)}
    for union, parts in UNIONS.items():
        for part in parts:
            if union in index and part in index:
                codes[index[union], index[part]] = 1.0
    return functional.normalize(codes, dim=-1)


class MeaningTargets:
    """Computes targets, unit rows [n, 384], from teacher embeddings [n, 384] and categories.

    Fitted on the training questions: `embeddings` [n, 384] and the set of categories of each row. Raises `ValueError` if
    the lengths differ or a row has no category.
    """

    def __init__(self, embeddings: NDArray[np.float16], categories: Sequence[frozenset[str]]):
        if len(embeddings) != len(categories) or not all(categories):
            raise ValueError(f"{len(embeddings)} embeddings need as many non-empty category sets, got {len(categories)}")
        self.categories = sorted(frozenset().union(*categories))
        self._codes = category_codes(self.categories)
        rows = torch.from_numpy(embeddings).float()
        self._moment = rows.T @ rows / len(rows)
        spread = torch.linalg.eigh(self._moment)  # axes by rising share of the questions' length
        self._axes = spread.eigenvectors[:, len(self.categories) :]  # [384, 384 - categories]
        wanted = torch.tensor([[float(c in asked) for c in self.categories] for asked in categories])
        self._weight, self._bias = softmax_regression(rows, wanted / wanted.sum(-1, keepdim=True))

    def state(self) -> dict[str, Any]:
        """The coordinate system, for a checkpoint: `categories` and the teacher's `axes` [384, 384 - categories]."""
        return {"categories": self.categories, "axes": self._axes}

    def similarity(self, kept: dict[str, Any]) -> float:
        """Cosine between the questions' coordinates on these axes and on those of another :meth:`state`, as one vector.

        1 for the same axes, 0 if the categories differ. Axes are weighted by their share of the questions' variance.
        """
        if kept["categories"] != self.categories:
            return 0.0
        other = kept["axes"]
        own_length, other_length = ((axes * (self._moment @ axes)).sum() for axes in (self._axes, other))
        return float((other * (self._moment @ self._axes)).sum() / (own_length * other_length).sqrt())

    def of_questions(self, embeddings: NDArray[np.float16], categories: Sequence[frozenset[str]]) -> Tensor:
        """Targets of questions with known categories."""
        known = torch.tensor([[float(c in asked) for c in self.categories] for asked in categories])
        return self._joined(embeddings, functional.normalize(known @ self._codes, dim=-1))

    def of_sentences(self, embeddings: NDArray[np.float16]) -> Tensor:
        """Targets of any sentences; a more confident category prediction has a longer category part."""
        return self._joined(embeddings, self.guess(embeddings) @ self._codes)

    def guess(self, embeddings: NDArray[np.float16]) -> Tensor:
        """Probability [n, categories] of each category for a sentence."""
        return torch.softmax(torch.from_numpy(embeddings).float() @ self._weight + self._bias, -1)

    def _joined(self, embeddings: NDArray[np.float16], category_part: Tensor) -> Tensor:
        sentence_part = torch.from_numpy(embeddings).float() @ self._axes
        return functional.normalize(torch.cat((sentence_part, CATEGORY_WEIGHT * category_part), -1), dim=-1)


def softmax_regression(rows: Tensor, wanted: Tensor, penalty: float = 1e-4) -> tuple[Tensor, Tensor]:
    """Weight [features, categories] and bias fitted to the probabilities `wanted`; categories have equal total weight."""
    weight = torch.zeros(rows.shape[1], wanted.shape[1], requires_grad=True)
    bias = torch.zeros(wanted.shape[1], requires_grad=True)
    importance = (wanted / wanted.sum(0)).sum(-1)
    importance = importance / importance.sum()
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        surprise = -(wanted * functional.log_softmax(rows @ weight + bias, -1)).sum(-1)
        value = (importance * surprise).sum() + penalty * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weight.detach(), bias.detach()
