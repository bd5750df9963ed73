"""Question and answer as one token sequence, laid out as in the published training.

In a reasoning sample, `[/INST]` closes the user's turn after the question, and the model learns to predict the answer,
`[SEG]` and the end of the text. The mask uses the question's tokens only, which a causal model computes without seeing
the answer. A referring sample ends with the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segmenter.errors import TrainError
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import ModelConfig

#: Answer for samples with an empty list of answers: the image has no target.
NO_TARGET = "There is no target object in the image."


@dataclass(frozen=True)
class AnswerFrame:
    """Ids around an answer: `closing` is input, everything after it is predicted."""

    closing: tuple[int, ...]  # " [/INST]"
    lead: tuple[int, ...]  # " Sure, It is "
    middle: tuple[int, ...]  # ". \n", after a mask placeholder that produces no token
    end: tuple[int, ...]  # ". " and the end of the text


#: Of the published model, in GPT-2 ids.
PUBLISHED_FRAME = AnswerFrame((46581, 38604, 60), (10889, 11, 632, 318, 220), (13, 220, 198), (13, 220, 50256))


def answer_frame(tokenizer: QuestionTokenizer, published: bool) -> AnswerFrame:
    """The published ids, or the same texts in another vocabulary without an end-of-text token."""
    if published:
        return PUBLISHED_FRAME
    return AnswerFrame(*(tuple(tokenizer.encode(text)) for text in (" [/INST]", " Sure, It is ", ". \n", ". ")))


@dataclass(frozen=True)
class Turn:
    """Ids of a question, including `[SEG]`, and its answer; ids from `said` on are predicted (none if `said` is `len(ids)`)."""

    ids: tuple[int, ...]
    question: int  # number of ids of the question
    said: int


class Conversations:
    """Encodes turns for a network; raises TrainError if one exceeds its maximum length."""

    def __init__(self, tokenizer: QuestionTokenizer, config: ModelConfig, frame: AnswerFrame) -> None:
        if tokenizer.vocabulary_size != config.vocabulary.size:
            raise TrainError(f"the tokenizer has {tokenizer.vocabulary_size} ids, the network {config.vocabulary.size}")
        self._tokenizer, self._longest, self._frame = tokenizer, config.max_question_tokens, frame

    def turn(self, question: str, answer: str | None) -> Turn:
        """A question, with its answer unless `answer` is None."""
        asked = self._tokenizer.question(question)
        ids, said = list(asked), len(asked)
        if answer is not None:
            frame = self._frame
            spoken = [*frame.lead, *frame.middle, *self._tokenizer.encode(answer), self._tokenizer.seg_id, *frame.end]
            said = len(asked) + len(frame.closing)
            ids = [*asked, *frame.closing, *spoken]
        if len(ids) > self._longest:
            raise TrainError(f"{len(ids)} tokens exceed the limit of {self._longest}: {question[:80]!r} with its answer")
        return Turn(tuple(ids), len(asked), said)

    def rows(self, turns: Sequence[Turn]) -> tuple[Tensor, Tensor, Tensor]:
        """Ids int64 `[N, R]`, padded on the right, and bool `[N, R]` masks of the question and of the predicted tokens."""
        ids, _ = self._tokenizer.pad([turn.ids for turn in turns])
        position = torch.arange(ids.shape[1])
        question, said, end = (
            torch.tensor(values)[:, None]
            for values in ([t.question for t in turns], [t.said for t in turns], [len(t.ids) for t in turns])
        )
        return ids, position < question, (position >= said) & (position < end)
