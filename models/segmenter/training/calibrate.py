"""Calibrates the presence score: a required share of absent targets is answered empty, at the smallest cost in IoU.

The search varies the scale of the presence logit, the weight of the mask's evidence and a bias, on windows that neither
training nor evaluation uses. The result is folded into the presence layer, so exported graphs need no threshold.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from segmenter.evaluation.answerers import TorchAnswerer
from segmenter.evaluation.held_out import HeldOut, Wordings, questions_of, target_and_known
from segmenter.network.mask_generator import evidence
from segmenter.network.network import normalise

SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
EVIDENCE = (0.0, 0.25, 0.5, 1.0, 2.0)
#: Search range of the bias, and number of bisection steps.
BIASES, BISECTIONS = (-12.0, 12.0), 12


@dataclass(frozen=True)
class Setting:
    """Maps the presence logit p and the mask's evidence e to `scale * p + evidence * e + bias`."""

    scale: float = 1.0
    evidence: float = 0.0
    bias: float = 0.0


@dataclass(frozen=True)
class Asked:
    """Answers to N questions before presence is combined with the mask."""

    logits: Tensor  # [N, s, s]
    presence: Tensor  # [N]
    evidence: Tensor  # [N], of the mask logits
    target: Tensor  # bool [N, s, s]
    known: Tensor  # bool [N, s, s]
    present: Tensor  # bool [N]


@torch.inference_mode()
def ask(answerer: TorchAnswerer, windows: Iterable[tuple[int, HeldOut]], wordings: Wordings) -> Asked:
    """Asks every window the evaluation's questions; targets are sampled at the cells of the logits."""
    rows: list[tuple[Tensor, ...]] = []
    network = answerer.network
    for number, held_out in windows:
        window = held_out.cut()
        asked = questions_of(window, wordings, number)
        if not asked:
            continue
        state = network.encode_image(normalise(torch.from_numpy(window.pixels)[None]))
        ids, mask = answerer.tokenizer.batch([question.text for question in asked])
        index = torch.zeros(len(asked), dtype=torch.int64)
        description = network.describe(state, index, answerer.task, ids, mask)
        stages, presence = network.segment(state, index, description, every_stage=False)
        if presence is None:
            raise ValueError("the network has no presence score to calibrate")
        masks, surest = stages[-1], evidence(stages[-1])
        step = window.labels.shape[0] // masks.shape[-1]
        for row, question in enumerate(asked):
            target, known = (
                torch.from_numpy(cells[step // 2 :: step, step // 2 :: step])
                for cells in target_and_known(window, question.category)
            )
            rows.append((masks[row], presence[row], surest[row], target, known, torch.tensor(question.present)))
    return Asked(*(torch.stack(column) for column in zip(*rows, strict=True)))


def outcome(asked: Asked, setting: Setting) -> tuple[float, float]:
    """Mean IoU over present targets, and share of absent targets answered empty."""
    presence = setting.scale * asked.presence + setting.evidence * asked.evidence + setting.bias
    mask = (asked.logits > least_logit(presence)[:, None, None]) & asked.known
    overlap = (mask & asked.target).sum((1, 2)).float()
    union = (mask | asked.target).sum((1, 2)).float()
    here = asked.present & (asked.target.sum((1, 2)) > 0)
    empty = mask.sum((1, 2)) == 0
    return float((overlap / union.clamp(min=1))[here].mean()), float(empty[~asked.present].float().mean())


def least_logit(presence: Tensor) -> Tensor:
    """Mask logit above which sigmoid(mask) * sigmoid(presence) exceeds 0.5; infinite if it never does."""
    absence = (-presence).exp()
    return torch.where(presence > 0, ((1 + absence) / (1 - absence)).log(), torch.inf)


def best_setting(asked: Asked, least_empty: float) -> Setting:
    """The setting with the highest IoU among those that answer at least `least_empty` of the absent targets empty.

    Raises ValueError if there is none.
    """
    settings = [largest_bias(asked, Setting(s, e), least_empty) for s, e in product(SCALES, EVIDENCE)]
    allowed = [setting for setting in settings if setting is not None]
    if not allowed:
        raise ValueError(f"no bias of at least {BIASES[0]} answers {least_empty} of the absent targets empty")
    return max(allowed, key=lambda setting: outcome(asked, setting)[0])


def largest_bias(asked: Asked, setting: Setting, least_empty: float) -> Setting | None:
    """The setting with the largest bias that still answers enough absent targets empty; None if there is none."""
    low, high = BIASES
    if outcome(asked, replace(setting, bias=low))[1] < least_empty:
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if outcome(asked, replace(setting, bias=middle))[1] >= least_empty:
            low = middle
        else:
            high = middle
    return replace(setting, bias=low)
