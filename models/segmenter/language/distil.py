"""Distillation of the sentence teacher into the language model: a linear projection of its description embedding is
trained to match the teacher's sentence embedding; export drops the projection.

Joint training continues this loss with `DistillationBatches` and `distillation_loss`.
"""

import math
import os
import random
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from segmenter.language.bank import QuestionBank
from segmenter.language.corpus import taught_questions
from segmenter.language.phrasing import punctuated, reworded
from segmenter.language.sentence_targets import TARGET_SIZE, MeaningTargets
from segmenter.language.teacher import EmbeddedSentences, one_line
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import TASKS
from segmenter.network.network import SegEarthR1, masked_mean

LONGEST_QUESTION = 64
"""Maximum ids per sentence in distillation; longer ones are truncated."""


class DistillationBatch(NamedTuple):
    """`ids` and `mask` int64 [N, R], right-padded and ending in `[SEG]`; `teacher` float32 unit targets [N, 384]."""

    ids: Tensor
    mask: Tensor
    teacher: Tensor


class DistillationBatches:
    """Endless random batches of sentences with the targets of `MeaningTargets`.

    `folder` was written by `segmenter corpus`. `question_share` of each batch are questions, randomly reworded with an
    unchanged target, so that lead-ins carry no meaning; the rest are plain sentences with random case and punctuation.
    Held-out wordings of `bank` are never used. Each token except `[SEG]` is dropped with probability `token_dropout`.
    """

    def __init__(
        self,
        folder: Path,
        tokenizer: QuestionTokenizer,
        bank: QuestionBank,
        batch_size: int,
        question_share: float = 0.6,
        token_dropout: float = 0.1,
        seed: int = 0,
    ):
        questions, plain = EmbeddedSentences(folder, "questions"), EmbeddedSentences(folder, "plain")
        taught = {one_line(text): categories for text, categories in taught_questions(bank).items()}
        rows = [row for row, sentence in enumerate(questions.sentences) if sentence in taught]
        if not rows or not plain.sentences:
            raise ValueError(f"{folder} has no embedded sentences; run `python -m segmenter corpus --folder {folder}`")
        texts = [questions.sentences[row] for row in rows]
        asked = [taught[text] for text in texts]
        self.meaning = MeaningTargets(questions.embeddings[rows], asked)
        self._questions = (texts, self.meaning.of_questions(questions.embeddings[rows], asked))
        self._plain = (plain.sentences, self.meaning.of_sentences(plain.embeddings))
        self._tokenizer, self._bank, self._seed, self._rng = tokenizer, bank, seed, random.Random(seed)
        self._dropout = token_dropout
        self._counts = (round(batch_size * question_share), batch_size - round(batch_size * question_share))

    def __iter__(self) -> Iterator[DistillationBatch]:
        while True:
            yield self.next()

    def numbered(self, number: int) -> DistillationBatch:
        """Batch `number`, a function of (seed, number) alone, so that a resumed run sees the same sentences."""
        self._rng = random.Random(f"{self._seed} {number}")
        return self.next()

    def next(self) -> DistillationBatch:
        """The next batch, on the CPU."""
        rows, targets = [], []
        parts = ((self._questions, self._reworded), (self._plain, punctuated))
        for ((sentences, wanted), vary), count in zip(parts, self._counts, strict=True):
            numbers = self._rng.choices(range(len(sentences)), k=count)
            rows += [self._tokenizer.question(vary(sentences[number], self._rng)) for number in numbers]
            targets.append(wanted[numbers])
        ids, mask = self._tokenizer.pad([self._thinned(ids) for ids in rows])
        return DistillationBatch(ids, mask, torch.cat(targets))

    def _thinned(self, ids: list[int]) -> list[int]:
        kept = [number for number in ids[:-1] if self._rng.random() >= self._dropout]
        return [*kept[: LONGEST_QUESTION - 1], ids[-1]]

    def _reworded(self, text: str, rng: random.Random) -> str:
        other = reworded(text, rng)
        return text if self._bank.is_held_out(other) else other


def distillation_loss(projected: Tensor, teacher: Tensor, temperature: float = 0.05) -> Tensor:
    """Distance of projected descriptions [N, 384] to unit targets [N, 384]; scalar, at least 0.

    1 - cosine, plus the KL divergence between the rows of softmax(teacher · teacherᵀ / temperature) and
    softmax(projected · teacherᵀ / temperature) in the batch, which preserves the order of neighbours.
    """
    unit = functional.normalize(projected.float(), dim=-1)
    cosine = (1 - (unit * teacher).sum(-1)).mean()
    wanted = functional.log_softmax(teacher @ teacher.T / temperature, -1)
    found = functional.log_softmax(unit @ teacher.T / temperature, -1)
    return cosine + functional.kl_div(found, wanted, log_target=True, reduction="batchmean")


def new_projection(hidden: int) -> nn.Linear:
    """The linear map from description embeddings [N, hidden] to targets [N, 384]."""
    return nn.Linear(hidden, TARGET_SIZE)


@torch.no_grad()
def start_from_words(
    network: SegEarthR1, projection: nn.Linear, tokenizer: QuestionTokenizer, words: EmbeddedSentences, meaning: MeaningTargets
) -> None:
    """Initialises token embeddings with the principal components of the targets of their texts, and the projection with the
    inverse map, so that the untrained network embeds a sentence roughly as its bag of words.

    Tokens whose text is not among `words` keep their random values. Raises `ValueError` if fewer tokens have a word than
    the embedding has dimensions.
    """
    row = {text.lower(): number for number, text in enumerate(words.sentences)}
    texts = [one_line(text).lower() for text in tokenizer.token_texts()]
    known = [number for number, text in enumerate(texts) if text in row]
    if len(known) < projection.in_features:
        raise ValueError(f"{len(known)} tokens have an embedded word; a width of {projection.in_features} needs at least as many")
    targets = meaning.of_sentences(words.embeddings[[row[texts[number]] for number in known]])  # [known, 384]
    mean = targets.mean(0)
    axes = torch.linalg.svd(targets - mean, full_matrices=False).Vh[: projection.in_features]  # [hidden, 384]
    components = (targets - mean) @ axes.T
    scale = 0.5 / components.std()
    network.model.embed_tokens.weight[known] = components * scale
    projection.weight.copy_(axes.T / (2 * scale))
    projection.bias.copy_(mean)


def language_weights(network: SegEarthR1) -> dict[str, Tensor]:
    """State dict of the language model, without vision tower and connector."""
    image_side = ("model.vision_tower.", "model.mm_projector.")
    return {k: v for k, v in network.state_dict().items() if k.startswith("model.") and not k.startswith(image_side)}


def save_language(path: Path, network: SegEarthR1, projection: nn.Linear, meaning: MeaningTargets) -> None:
    """Writes the language model, its projection, and the coordinate system of their targets."""
    entries = {"language": language_weights(network), "projection": projection.state_dict(), "meaning": meaning.state()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".partial")
    torch.save(entries, unfinished)
    os.replace(unfinished, path)


def load_language(path: Path, network: SegEarthR1) -> tuple[nn.Linear, dict[str, Any] | None]:
    """Loads the distilled language model into a network; returns its projection and the :meth:`MeaningTargets.state` of
    their targets, None in older files.

    Raises `FileNotFoundError`, or `ValueError` if names or shapes differ from the network.
    """
    entries = torch.load(path, map_location="cpu", weights_only=True)
    own = language_weights(network)
    wrong = [k for k in own.keys() | entries["language"].keys() if _shape(own, k) != _shape(entries["language"], k)]
    if wrong:
        raise ValueError(f"{path} does not fit the network: {sorted(wrong)[:3]} and {max(0, len(wrong) - 3)} more differ")
    network.load_state_dict(entries["language"], strict=False)
    projection = new_projection(network.config.language.hidden)
    projection.load_state_dict(entries["projection"])
    return projection, entries.get("meaning")


def _shape(weights: dict[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(weights[name].shape) if name in weights else None


def describe_as_bag(network: SegEarthR1, ids: Tensor, mask: Tensor) -> Tensor:
    """Description embeddings [N, hidden] without the layers: the mean of normalised token embeddings."""
    return masked_mean(network.model.final_layernorm(network.model.embed_tokens(ids)), mask)


@torch.no_grad()
def scale_down_layers(network: SegEarthR1, factor: float = 0.1) -> None:
    """Scales down the residual branches, so that training with layers continues from the bag of words."""
    for name, parameter in network.model.layers.named_parameters():
        if name.endswith(("self_attn.dense.weight", "mlp.fc2.weight")):
            parameter.mul_(factor)


def distil(
    network: SegEarthR1,
    projection: nn.Linear,
    batches: DistillationBatches,
    rate: float,
    seconds: float,
    steps: int = 1_000_000,
    layers: bool = True,
) -> list[float]:
    """Trains the language model and the projection in place; returns the loss of every step.

    Without `layers` only token embeddings, final norm and projection learn, as a bag of words at a hundredth of the cost.
    AdamW, 3 % warm-up, cosine to a twentieth of `rate`. The schedule follows `steps` or `seconds`, whichever is closer to
    its limit.
    """
    weights = [p for n, p in network.named_parameters() if n in language_weights(network)] + [*projection.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=0.01, betas=(0.9, 0.98))
    start, losses = time.monotonic(), list[float]()
    network.train()
    while (spent := max(len(losses) / steps, (time.monotonic() - start) / seconds)) < 1:
        warm, cosine = min(1.0, spent / 0.03 + 0.02), 0.525 + 0.475 * math.cos(math.pi * spent)
        optimiser.param_groups[0]["lr"] = rate * warm * cosine
        batch = batches.next()
        task = TASKS[len(losses) % len(TASKS)]
        describe = partial(network.describe_text, task=task) if layers else partial(describe_as_bag, network)
        loss = distillation_loss(projection(describe(batch.ids, batch.mask)), batch.teacher)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in weights if p.grad is not None], 1.0)
        optimiser.step()
        losses.append(loss.item())
        if len(losses) % 50 == 0:
            print(
                f"step {len(losses)} loss {np.mean(losses[-50:]):.4f} after {time.monotonic() - start:.0f} s",
                flush=True,
            )
    network.eval()
    return losses


@torch.inference_mode()
def describe_sentences(network: SegEarthR1, tokenizer: QuestionTokenizer, texts: list[str]) -> NDArray[np.float32]:
    """Text-only description embeddings [n, hidden] of unmodified sentences."""
    parts = [network.describe_text(*tokenizer.batch(texts[i : i + 256])) for i in range(0, len(texts), 256)]
    return torch.cat(parts).float().numpy()
