"""Training batches: windows from all sources in fixed shares, with questions that their labels can answer."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segmenter.data.mixture import Mixture
from segmenter.data.windows import BIT, CATEGORIES, Window, bits
from segmenter.language.bank import UNIONS, QuestionBank, absent_categories

#: Minimum pixels of a category in a window; with fewer, but some, the category is not asked about.
MIN_PIXELS = 24
#: Minimum share of decided pixels in a window before a category counts as absent.
DECIDED_SHARE = 0.97
PRESENT_A_WINDOW, ABSENT_A_WINDOW = 5, 5
#: Questions about an absent category per question about a present one.
ABSENT_A_PRESENT = 0.8


@dataclass(frozen=True)
class Batch:
    """B windows and N questions.

    `pixels` uint8 `[B, S, S, 3]`; `labels`, `known` int32 `[B, S, S]` (bits over `CATEGORIES`); `texts` are U
    distinct questions, and question n asks `texts[text_index[n]]` of window `image_index[n]`; its mask is any of
    the bits `category_bits[n]`; `present` `[N]` is 1.0 or 0.0.
    """

    pixels: Tensor
    labels: Tensor
    known: Tensor
    texts: list[str]
    text_index: Tensor
    image_index: Tensor
    category_bits: Tensor
    present: Tensor


def askable(window: Window) -> tuple[list[str], list[str]]:
    """Categories (including unions) that are present in a window, and those that are certainly absent."""
    area = window.labels.size
    present, decided, doubtful = [], [], set()
    for name in (*CATEGORIES, *UNIONS):
        mask = bits([name])
        known = np.count_nonzero((window.known & mask) == mask)
        covered = np.count_nonzero(window.labels & window.known & mask)
        if covered >= MIN_PIXELS:
            present.append(name)
        elif covered:
            doubtful.add(name)
        if known >= DECIDED_SHARE * area:
            decided.append(name)
    return present, [name for name in absent_categories({*present, *doubtful}, decided) if name not in doubtful]


def absence_odds(mixture: Mixture, draws: int = 400, seed: int = 11) -> dict[str, float]:
    """Probability per category of asking about it in a window without it, estimated on `draws` windows.

    Each category is then asked about `ABSENT_A_PRESENT` times as often when absent as when present. Without this balance,
    rare categories would be learnt as always absent.
    """
    rng = np.random.default_rng(seed)
    present_counts: Counter[str] = Counter()
    absent_counts: Counter[str] = Counter()
    for _ in range(draws):
        present, absent = askable(mixture.draw(rng))
        present_counts.update(present)
        absent_counts.update(absent)
    return {name: min(1.0, ABSENT_A_PRESENT * (present_counts[name] + 0.5) / count) for name, count in absent_counts.items()}


class Questions:
    """Draws questions about windows; absent categories with the `odds` of :func:`absence_odds`, or always without."""

    def __init__(self, bank: QuestionBank, odds: dict[str, float] | None = None, explicit_share: float = 0.4) -> None:
        self.bank, self.odds, self.explicit_share = bank, odds or {}, explicit_share
        self._asked = set(bank.categories)

    def draw(self, windows: list[Window], rng: random.Random) -> list[tuple[int, str, bool]]:
        """(window number, category, present) triples."""
        asked = []
        for number, window in enumerate(windows):
            present, absent = ([c for c in names if c in self._asked] for names in askable(window))
            absent = [c for c in absent if rng.random() < self.odds.get(c, 1.0)]
            for names, most, answer in ((present, PRESENT_A_WINDOW, True), (absent, ABSENT_A_WINDOW, False)):
                asked += [(number, name, answer) for name in rng.sample(names, min(most, len(names)))]
        return asked

    def phrase(self, asked: list[tuple[int, str, bool]], rng: random.Random) -> tuple[list[str], list[int]]:
        """Distinct texts, and the text index of each triple; about a third of the triples of a category share a text."""
        texts: list[str] = []
        chosen: dict[str, list[int]] = defaultdict(list)
        index = []
        for _, category, _ in asked:
            pool = chosen[category]
            if not pool or rng.random() < 0.4:
                pool.append(len(texts))
                texts.append(self.bank.draw(category, rng, self.explicit_share).text)
            index.append(rng.choice(pool))
        return texts, index


class Batches(Dataset[Batch]):
    """Batch i is a function of (seed, i) alone, so a resumed run sees the same batches as an uninterrupted one."""

    def __init__(self, mixture: Mixture, questions: Questions | None, size: int, steps: int, seed: int) -> None:
        self.mixture, self.questions, self.size, self.steps, self.seed = mixture, questions, size, steps, seed

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step])
        windows = [self.mixture.draw(rng) for _ in range(self.size)]
        asked: list[tuple[int, str, bool]] = []
        texts: list[str] = []
        text_index: list[int] = []
        if self.questions is not None:
            words = random.Random(f"{self.seed} {step}")
            asked = self.questions.draw(windows, words)
            texts, text_index = self.questions.phrase(asked, words)
        return Batch(
            pixels=torch.from_numpy(np.stack([w.pixels for w in windows])),
            labels=torch.from_numpy(np.stack([w.labels for w in windows])),
            known=torch.from_numpy(np.stack([w.known for w in windows])),
            texts=texts,
            text_index=torch.tensor(text_index, dtype=torch.int64),
            image_index=torch.tensor([number for number, _, _ in asked], dtype=torch.int64),
            category_bits=torch.tensor([int(bits([name])) for _, name, _ in asked], dtype=torch.int32),
            present=torch.tensor([float(answer) for _, _, answer in asked]),
        )


def question_targets(batch: Batch, side: int) -> tuple[Tensor, Tensor]:
    """Covered and decided cells of each question, float32 `[N, side, side]` each."""
    step = batch.labels.shape[-1] // side
    start = step // 2
    labels = batch.labels[:, start::step, start::step][batch.image_index]
    known = batch.known[:, start::step, start::step][batch.image_index]
    wanted = batch.category_bits[:, None, None]
    covered = (labels & known & wanted) != 0
    return covered.float(), (covered | ((known & wanted) == wanted)).float()


__all__ = ["BIT", "Batch", "Batches", "Mixture", "Questions", "askable", "question_targets"]
