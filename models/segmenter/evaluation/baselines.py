"""Baselines: empty, full window, category prior, random category, and a text classifier."""

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segmenter.data.windows import Bits, Scenes, Source, bits, nearest
from segmenter.evaluation.held_out import LABELLED, SCENE_SOURCES, boxes
from segmenter.evaluation.metrics import Mask
from segmenter.language.bank import UNIONS, QuestionBank, canonical
from segmenter.language.files import QUESTION_FOLDER
from segmenter.language.sentence_targets import softmax_regression

#: Cells per side of a category prior, and maximum training masks per prior.
PRIOR_CELLS, PRIOR_MASKS = 32, 400
#: Priors use every n-th training image of iSAID, and this many training scenes.
PRIOR_EVERY, PRIOR_SCENES = 8, 300


@dataclass(frozen=True)
class Baselines:
    """Data of the baselines; picklable for worker processes."""

    priors: Mapping[str, Mask]  # category -> [PRIOR_CELLS, PRIOR_CELLS]
    guesses: Mapping[str, str]  # question -> category predicted from its n-grams
    names: Mapping[str, str]  # category -> its name in plain words

    def prior(self, category: str, side: int) -> Mask:
        """The prior mask of a category in a window of `side` px; empty if training shows none."""
        mask = self.priors.get(category, np.zeros((PRIOR_CELLS, PRIOR_CELLS), np.bool_))
        indices = np.arange(side) * PRIOR_CELLS // side
        return np.asarray(mask[indices[:, None], indices[None, :]])


def make_baselines(data: Path, side: int, bank: QuestionBank) -> Baselines:
    """Fits priors on the training split of the packs, and the text classifier on the seen questions."""
    seen = [question for question in bank.questions if question.split == "seen"]
    classifier = NgramClassifier([q.text for q in seen], [q.category for q in seen])
    texts = sorted({question.text for question in bank.questions})
    guesses = dict(zip(texts, classifier.guess(texts), strict=True))
    return Baselines(category_priors(training_labels(data, side)), guesses, category_names(QUESTION_FOLDER))


def category_names(folder: Path) -> dict[str, str]:
    """The name of each category in plain words, from its question file."""
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {content["category"]: content["label"] for content in contents}


def other_category(category: str, among: Sequence[str], rng: random.Random) -> str:
    """A random category of `among` that shares no part with this one."""
    parts = set(UNIONS.get(category, (category,)))
    return rng.choice([name for name in among if not parts & set(UNIONS.get(name, (name,)))])


def training_labels(data: Path, side: int) -> list[Bits]:
    """Labels `[PRIOR_CELLS, PRIOR_CELLS]` of training windows of `side` px, cropped like the held-out windows."""
    found = []
    for name in LABELLED:
        source = Source(data / name, "train")
        for entry in source.entries[:: PRIOR_EVERY if name == "isaid" else 1]:
            own = source.source_labels(entry)
            found += [source.translate(nearest(own, box, PRIOR_CELLS)) for box in boxes(entry, side)]
    scenes = Scenes([Source(data / name, "train") for name in SCENE_SOURCES], PRIOR_CELLS)
    rng = np.random.default_rng(3)
    found += [scenes.draw(rng).labels for _ in range(PRIOR_SCENES if scenes.kinds else 0)]
    return found


def category_priors(labels: Sequence[Bits]) -> dict[str, Mask]:
    """For each category, the mean of its masks `[n, n]` over windows that show it, thresholded for the best mean IoU."""
    masks: dict[str, list[Mask]] = defaultdict(list)
    for window in labels:
        here = int(np.bitwise_or.reduce(window, axis=None))
        for category in _categories():
            if here & int(bits([category])) and len(masks[category]) < PRIOR_MASKS:
                masks[category].append((window & bits([category])) != 0)
    return {category: best_cut(np.stack(shown)) for category, shown in masks.items() if shown}


def _categories() -> list[str]:
    return sorted(category_names(QUESTION_FOLDER))


def best_cut(masks: NDArray[np.bool_]) -> Mask:
    """The mean of masks `[k, n, n]`, thresholded where its mean IoU with them is highest."""
    mean = masks.mean(0)
    levels = np.unique(np.quantile(mean, np.linspace(0, 1, 33)))
    cuts = mean[None] >= levels[:, None, None]
    flat, wanted = cuts.reshape(len(levels), -1).astype(np.float32), masks.reshape(len(masks), -1).astype(np.float32)
    shared = flat @ wanted.T  # [levels, k]
    union = flat.sum(1)[:, None] + wanted.sum(1)[None] - shared
    return np.asarray(cuts[int((shared / union).mean(1).argmax())])


class NgramClassifier:
    """Predicts the category of a question from its words and word pairs (softmax regression)."""

    def __init__(self, texts: Sequence[str], categories: Sequence[str]) -> None:
        counted = Counter(gram for text in texts for gram in set(ngrams(text)))
        self._indices = {gram: index for index, gram in enumerate(sorted(g for g, count in counted.items() if count > 1))}
        self.categories = sorted(set(categories))
        wanted = torch.tensor([[float(category == name) for name in self.categories] for category in categories])
        self._weight, self._bias = softmax_regression(self._rows(texts), wanted)

    def guess(self, texts: Sequence[str]) -> list[str]:
        """The most likely category of each text."""
        best = (self._rows(texts) @ self._weight + self._bias).argmax(-1)
        return [self.categories[index] for index in best.tolist()]

    def _rows(self, texts: Sequence[str]) -> Tensor:
        """Sparse unit rows `[texts, grams]`."""
        indices: list[tuple[int, int]] = []
        values: list[float] = []
        for row, text in enumerate(texts):
            counted = Counter(self._indices[gram] for gram in ngrams(text) if gram in self._indices)
            length = math.sqrt(sum(count * count for count in counted.values()))
            indices += [(row, index) for index in counted]
            values += [count / length for count in counted.values()]
        shape = (len(texts), len(self._indices))
        return torch.sparse_coo_tensor(
            torch.tensor(indices).reshape(-1, 2).T, values, shape, dtype=torch.float32, check_invariants=True
        ).coalesce()


def ngrams(text: str) -> list[str]:
    """Words and pairs of adjacent words of a text, without case and punctuation."""
    words = ["<", *canonical(text).split(), ">"]
    return [*words[1:-1], *(f"{a} {b}" for a, b in pairwise(words))]
