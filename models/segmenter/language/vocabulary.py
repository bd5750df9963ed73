"""The vocabulary configuration of the compact model."""

from __future__ import annotations

from segmenter.language.tokenizer import QuestionTokenizer, prompt_pieces
from segmenter.network.config import TASKS, VocabularyConfig


def own_vocabulary() -> VocabularyConfig:
    """Vocabulary of the package's own tokenizer, with the encoded prompt of the compact model."""
    tokenizer = QuestionTokenizer.load()
    before, after = prompt_pieces(tokenizer)
    return VocabularyConfig(
        size=tokenizer.vocabulary_size,
        pad_id=tokenizer.pad_id,
        seg_id=tokenizer.seg_id,
        before_image=tuple(before),
        after_image={task: tuple(after[task]) for task in TASKS},
    )
