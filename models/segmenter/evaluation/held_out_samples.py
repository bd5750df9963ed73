"""Questions about held-out windows as samples of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segmenter.data.samples import Sample
from segmenter.evaluation.held_out import Wordings, held_out_windows, numbered, questions_of, target_and_known
from segmenter.language.bank import QuestionBank


def held_out_samples(data: Path, side: int, split: str, every: int) -> Iterator[Sample]:
    """Questions of `segmenter evaluate` about held-out windows, one sample per question; see `held_out.questions_of`."""
    wordings = Wordings(QuestionBank.load())
    for number, held_out in numbered(held_out_windows(data, side, split), every):
        window = held_out.cut()
        for question in questions_of(window, wordings, number):
            target, known = target_and_known(window, question.category)
            yield Sample(
                name=f"{held_out.source}-{number}-{question.category}-{question.group}",
                image=f"{held_out.source}-{number}",
                pixels=lambda window=window: window.pixels,  # type: ignore[misc]
                labels=lambda target=target: target.astype(np.uint8),  # type: ignore[misc]
                questions=(question.text,),
                task="REASONING",
                category=question.category,
                group=question.group,
                known=lambda known=known: known,  # type: ignore[misc]
            )
