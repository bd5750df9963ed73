"""What a description should mean: the teacher's sentence embedding and, beside it, the category that is asked for.

The teacher alone mixes up neighbours (asked for what a storm sinks, a harbour lies as near as a ship). So a target has
384 coordinates: the teacher's embedding turned to its leading components, and one coordinate per category. A question
knows its category; for a plain sentence a softmax regression on the teacher's embeddings of the questions guesses it.
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
"""Length of the category part against the teacher's part, which has about unit length."""


def category_codes(categories: Sequence[str]) -> Tensor:
    """Unit rows [categories, categories]: an axis each; a union leans on its parts' axes as well."""
    codes = torch.eye(len(categories))
    index = {category: number for number, category in enumerate(categories)}
    for union, parts in UNIONS.items():
        for part in parts:
            if union in index and part in index:
                codes[index[union], index[part]] = 1.0
    return functional.normalize(codes, dim=-1)


class MeaningTargets:
    """Makes targets, unit rows [n, 384], from teacher embeddings [n, 384] and categories.

    Fitted on the training questions: `embeddings` [n, 384] and for each row the set of categories it asks for.
    Raises `ValueError` where both differ in length or a row has no category.
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
        """What a checkpoint keeps of the coordinates: `categories` and the teacher's `axes` [384, 384 - categories]."""
        return {"categories": self.categories, "axes": self._axes}

    def likeness(self, kept: dict[str, Any]) -> float:
        """Cosine of the questions' coordinates, all rows as one vector, to those on the axes of another :meth:`state`.

        1 for the same axes, 0 where the categories differ; axes that no question needs count nothing.
        """
        if kept["categories"] != self.categories:
            return 0.0
        other = kept["axes"]
        own_length, other_length = ((axes * (self._moment @ axes)).sum() for axes in (self._axes, other))
        return float((other * (self._moment @ self._axes)).sum() / (own_length * other_length).sqrt())

    def of_questions(self, embeddings: NDArray[np.float16], categories: Sequence[frozenset[str]]) -> Tensor:
        """Targets of questions whose categories are known."""
        known = torch.tensor([[float(c in asked) for c in self.categories] for asked in categories])
        return self._joined(embeddings, functional.normalize(known @ self._codes, dim=-1))

    def of_sentences(self, embeddings: NDArray[np.float16]) -> Tensor:
        """Targets of any sentences; the surer the guess of the category, the longer its part."""
        return self._joined(embeddings, self.guess(embeddings) @ self._codes)

    def guess(self, embeddings: NDArray[np.float16]) -> Tensor:
        """Probabilities [n, categories] that a sentence asks for each of `categories`."""
        return torch.softmax(torch.from_numpy(embeddings).float() @ self._weight + self._bias, -1)

    def _joined(self, embeddings: NDArray[np.float16], category_part: Tensor) -> Tensor:
        sentence_part = torch.from_numpy(embeddings).float() @ self._axes
        return functional.normalize(torch.cat((sentence_part, CATEGORY_WEIGHT * category_part), -1), dim=-1)


def softmax_regression(rows: Tensor, wanted: Tensor, penalty: float = 1e-4) -> tuple[Tensor, Tensor]:
    """Weight [features, categories] and bias that give the probabilities `wanted`, each category weighing the same."""
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
