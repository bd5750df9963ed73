"""The two recipes that one trainer follows: how long, how fast and on which parts of the network it learns."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training. Prefixes in `frozen` name parts of the network that stay as they are."""

    batch: int  # images a step, over all processes
    rate: float  # peak learning rate of AdamW
    final_rate: float  # share of the peak at the end
    warm_up: float  # steps in which the rate rises; below 1 a share of the run
    betas: tuple[float, float]
    weight_decay: float  # of matrices; vectors and tables never decay
    clip: float | None  # longest gradient; None leaves it as it is
    language_rate: float  # share of the rate for the language model
    average: float | None  # how much of the averaged weights a step keeps; None trains without an average
    frozen: tuple[str, ...]
    bf16: bool
    checkpointing: bool  # recompute layers in the backward pass instead of keeping what they computed
    steps: int | None  # length of the run, where neither minutes nor epochs set it
    epochs: float | None  # passes over the images of a labelled data set


#: The bundled model: everything learns from nothing on packs, under an average of the weights.
COMPACT = Recipe(
    batch=16, rate=1e-3, final_rate=0.01, warm_up=150, betas=(0.9, 0.98), weight_decay=0.05, clip=1.0, language_rate=0.3,
    average=0.998, frozen=(), bf16=False, checkpointing=False, steps=1_000_000, epochs=None,
)  # fmt: skip

#: The published size as its authors train it (Li et al. 2025, and their released scripts): all but the vision encoder learns,
#: no decay, no clipping. They leave stochastic depth on in the frozen encoder; here it rests.
FULL = Recipe(
    batch=2, rate=1e-4, final_rate=0.0, warm_up=0.03, betas=(0.9, 0.999), weight_decay=0.0, clip=None, language_rate=1.0,
    average=None, frozen=("model.vision_tower",), bf16=True, checkpointing=True, steps=None, epochs=15.0,
)  # fmt: skip

RECIPES = {"compact": COMPACT, "full": FULL}


def rate_factor(progress: float, step: int, warm_up: float, final: float) -> float:
    """Share of the peak learning rate at `progress` 0..1 of the run.

    A warm-up in steps rises linearly and is laid over a cosine that falls from the start to `final` at the end. A warm-up
    below 1 is a share of the run: the rate rises from 0, and the cosine begins when it is over, as in the published training.
    """
    progress = min(1.0, progress)
    if warm_up >= 1:
        return min(1.0, (step + 1) / warm_up) * _cosine(progress, final)
    if progress < warm_up:
        return progress / warm_up
    return _cosine((progress - warm_up) / (1 - warm_up), final)


def _cosine(progress: float, final: float) -> float:
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress))
