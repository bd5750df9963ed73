"""The byte-level BPE tokenizer of the compact model: training, and encoding of questions.

GPT-2 style: split by GPT-2's regular expression, bytes mapped to printable characters, no normalisation, no prefix space.
`[PAD]` and `[SEG]` are the last two ids. The file is a Hugging Face `tokenizer.json`.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch import Tensor

from segmenter.language.files import TOKENIZER_FILE, VOCABULARY_SIZE

PAD, SEG = "[PAD]", "[SEG]"

BEFORE_IMAGE = "An image seen from above: "
AFTER_IMAGE = {
    "REASONING": ", please reason about what is asked and segment it:\n",
    "REFERRING": ", please segment what is named:\n",
}
"""Prompt pieces A and B; image tokens stand between them, the question after."""


class QuestionTokenizer:
    """Encodes questions as ids. `vocabulary_size` includes `[PAD]` and `[SEG]`."""

    def __init__(self, tokenizer: Tokenizer):
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # "[SEG]" typed by a user is plain text
        pad, seg, size = tokenizer.token_to_id(PAD), tokenizer.token_to_id(SEG), tokenizer.get_vocab_size()
        if pad is None or seg is None or (pad, seg) != (size - 2, size - 1):
            raise ValueError(f"{PAD} and {SEG} are ids {pad} and {seg}; must be {size - 2} and {size - 1}")
        self.pad_id, self.seg_id, self.vocabulary_size = pad, seg, size

    @classmethod
    def load(cls, path: Path = TOKENIZER_FILE) -> "QuestionTokenizer":
        """Reads a `tokenizer.json`; raises `FileNotFoundError`, or `ValueError` if the last two ids are not PAD and SEG."""
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist; create it with `python -m segmenter tokenizer`")
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, text: str) -> list[int]:
        """Ids of the exact text, without `[SEG]` or an added space."""
        return list(self._tokenizer.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; exact inverse of `encode`. Skips `[PAD]` and `[SEG]`."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def question(self, text: str) -> list[int]:
        """Ids of a question: one space, the text, `[SEG]`."""
        return [*self.encode(f" {text}"), self.seg_id]

    def batch(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Questions right-padded with `[PAD]`: ids and mask (1 on tokens including `[SEG]`), both int64 [N, R]."""
        return self.pad([self.question(text) for text in texts])

    def pad(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Id lists right-padded to the longest: ids and mask, int64 [N, R]. Raises `ValueError` without rows."""
        if not rows:
            raise ValueError("a batch needs at least one question, got none")
        ids = torch.full((len(rows), max(map(len, rows))), self.pad_id, dtype=torch.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row, dtype=torch.int64)
        return ids, (ids != self.pad_id).long()

    def token_texts(self) -> list[str]:
        """Text of each id, by id; incomplete UTF-8 becomes U+FFFD, PAD and SEG are empty."""
        return [self.decode([number]) for number in range(self.vocabulary_size)]


def prompt_pieces(tokenizer: QuestionTokenizer) -> tuple[list[int], dict[str, list[int]]]:
    """Ids of piece A (before the image) and of piece B for each task; each piece is encoded separately."""
    return tokenizer.encode(BEFORE_IMAGE), {task: tokenizer.encode(text) for task, text in AFTER_IMAGE.items()}


def train_tokenizer(sentences: Iterable[str], words: Sequence[str], vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Trains byte-level BPE on sentences (as questions, and in lower case) and on words, most frequent first.

    Words have Zipf weights, so that frequent ones become single tokens even if no sentence uses them.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary_size - 2,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_training_text(sentences, words), trainer)
    tokenizer.add_special_tokens([AddedToken(PAD, special=True), AddedToken(SEG, special=True)])
    return tokenizer


def _training_text(sentences: Iterable[str], words: Sequence[str]) -> Iterator[str]:
    for sentence in sentences:
        yield f" {sentence}"
        yield f" {sentence.lower()}"
    for rank, word in enumerate(words):
        yield f" {word}" * max(1, 40_000 // (rank + 200))
    yield from (BEFORE_IMAGE, *AFTER_IMAGE.values())
