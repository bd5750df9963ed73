"""The two training recipes: length, learning rates and trained parts of the network."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of a training run. `frozen` lists parameter-name prefixes that are not trained."""

    batch: int  # images per step, over all processes
    rate: float  # peak learning rate of AdamW
    final_rate: float  # share of the peak at the end
    warm_up: float  # warm-up steps; below 1 a share of the run
    betas: tuple[float, float]
    weight_decay: float  # of matrices; vectors and embeddings never decay
    clip: float | None  # maximum gradient norm; None disables clipping
    language_rate: float  # learning rate of the language model relative to `rate`
    encoder_rate: float  # learning rate of the image encoder relative to `rate`
    average: float | None  # decay of the exponential moving average of the weights; None disables it
    frozen: tuple[str, ...]
    bf16: bool
    checkpointing: bool  # recompute activations in the backward pass
    steps: int | None  # length of the run, unless minutes or epochs set it
    epochs: float | None  # passes over the images of a labelled data set


#: The bundled model: all parts train from scratch on packs, with averaged weights.
COMPACT = Recipe(
    batch=16, rate=1e-3, final_rate=0.01, warm_up=150, betas=(0.9, 0.98), weight_decay=0.05, clip=1.0, language_rate=0.3,
    encoder_rate=1.0, average=0.998, frozen=(), bf16=False, checkpointing=False, steps=1_000_000, epochs=None,
)  # fmt: skip

#: The published size as its authors train it (Li et al. 2025, and their released scripts): the vision encoder is frozen, no
#: weight decay, no clipping. They keep stochastic depth on in the frozen encoder; here it is off.
FULL = Recipe(
    batch=2, rate=1e-4, final_rate=0.0, warm_up=0.03, betas=(0.9, 0.999), weight_decay=0.0, clip=None, language_rate=1.0,
    encoder_rate=1.0, average=None, frozen=("model.vision_tower",), bf16=True, checkpointing=True, steps=None, epochs=15.0,
)  # fmt: skip

RECIPES = {"compact": COMPACT, "full": FULL}


def rate_factor(progress: float, step: int, warm_up: float, final: float) -> float:
    """Learning rate relative to its peak at `progress` 0..1 of the run.

    A warm-up in steps multiplies a cosine that falls from 1 to `final` over the run. A warm-up below 1 is a share of the
    run: the rate rises linearly from 0 and the cosine starts afterwards, as in the published training.
    """
    progress = min(1.0, progress)
    if warm_up >= 1:
        return min(1.0, (step + 1) / warm_up) * _cosine(progress, final)
    if progress < warm_up:
        return progress / warm_up
    return _cosine((progress - warm_up) / (1 - warm_up), final)


def _cosine(progress: float, final: float) -> float:
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
