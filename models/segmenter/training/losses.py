"""Losses of the compact recipe: masks of questions, presence, and all labelled classes of a window.

Segmentation losses follow the paper (binary cross-entropy and dice on every stage). Pixels that the source leaves
undecided have weight 0. With several processes, `all_reduce` sums over all of them, so that a loss covers the windows
of every process (`distributed.Worker.all_reduce`).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from segmenter.training.distributed import local_only

AllReduce = Callable[[Tensor], Tensor]

#: Dense loss: maximum weight of a covered cell relative to an uncovered one, and weight of cross-entropy relative to dice.
RAREST, ENTROPY_SHARE = 5.0, 4.0
#: Minimum covered share of any cell for a class to count as present in a window.
PRESENT_SHARE = 0.3


def class_maps(bits: Tensor, classes: int, side: int) -> Tensor:
    """Covered share of each cell, float32 `[B, classes, side, side]`, from bit sets int32 `[B, S, S]`."""
    flags = bits[:, None] >> torch.arange(classes, dtype=torch.int32, device=bits.device)[:, None, None] & 1
    return F.avg_pool2d(flags.float(), bits.shape[-1] // side)


def dense_loss(logits: Tensor, labels: Tensor, known: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """Balanced cross-entropy plus dice over all decided pixels.

    Logits, covered share and decided share are `[B, classes, h, w]`. Sums of a class run over the batch. Covered cells
    are weighted by the square root of their rarity. Cross-entropy is averaged over the classes with any decided cell in the
    batch, dice over those present in it, so that small rare objects matter beside water.
    """
    target = labels * known
    decided, covered = all_reduce(torch.stack((known.sum((0, 2, 3)), target.sum((0, 2, 3)))))
    rarity = ((decided - covered + 1) / (covered + 1)).sqrt().clamp(1, RAREST)[:, None, None]
    weight = known + target * (rarity - 1)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    probability = logits.sigmoid() * known
    overlap, total = probability * target, probability.square() + target.square()
    sums = all_reduce(torch.stack([values.sum((0, 2, 3)) for values in (entropy, weight, overlap, total)]))
    said, shown = decided > 0, covered > 4
    dice = 1 - (2 * sums[2, shown] + 1) / (sums[3, shown] + 1)
    mean_entropy = (sums[0, said] / sums[1, said]).sum() / said.sum().clamp(min=1)
    return ENTROPY_SHARE * mean_entropy + dice.sum() / shown.sum().clamp(min=1)


def seen_loss(logits: Tensor, labels: Tensor, known: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """Cross-entropy of each class's presence in each window, logits `[B, classes]`, where the labels decide it.

    Covered share and decided share are `[B, classes, h, w]`. A class is present where it covers `PRESENT_SHARE` of a cell,
    and absent where it does not and every cell is decided.
    """
    present = ((labels * known).amax((2, 3)) > PRESENT_SHARE).float()
    sure = torch.maximum(known.amin((2, 3)), present)
    entropy = F.binary_cross_entropy_with_logits(logits, present, reduction="none") * sure
    sums = all_reduce(torch.stack((entropy.sum(), sure.sum())))
    return sums[0] / sums[1].clamp(min=1)


def mask_loss(
    logits: Tensor, target: Tensor, known: Tensor, present: Tensor, all_reduce: AllReduce = local_only
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy over all questions, and mean dice over questions with a present target.

    Logits, target share and decided share are `[N, h, w]`; `present` `[N]` is 1 or 0. Absent targets are left to
    cross-entropy and the presence loss: their dice would only reward emptiness.
    """
    decided = known.sum((1, 2)).clamp(min=1)
    entropy = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * known).sum((1, 2)) / decided
    probability = logits.sigmoid() * known
    target = target * known
    overlap = (probability * target).sum((1, 2))
    dice = 1 - (2 * overlap + 1) / (probability.sum((1, 2)) + target.sum((1, 2)) + 1)
    sums = all_reduce(torch.stack((entropy.sum(), torch.ones_like(present).sum(), (dice * present).sum(), present.sum())))
    return sums[0] / sums[1], sums[2] / sums[3].clamp(min=1)


def stages_loss(
    stages: list[Tensor], target: Tensor, known: Tensor, present: Tensor, all_reduce: AllReduce = local_only
) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice averaged over the stages `[N, s, s]`, the last one upsampled twice and with double weight.

    `target` and `known` are `[N, 2s, 2s]`. The service shows the last stage, so its edges are compared at finer resolution.
    """
    coarse_target, coarse_known = F.avg_pool2d(target[:, None], 2)[:, 0], F.avg_pool2d(known[:, None], 2)[:, 0]
    fine = F.interpolate(stages[-1][:, None], scale_factor=2.0, mode="bilinear", align_corners=False)[:, 0]
    losses = [mask_loss(stage, coarse_target, coarse_known, present, all_reduce) for stage in stages[:-1]]
    last = mask_loss(fine, target, known, present, all_reduce)
    losses += [last, last]
    entropy, dice = (torch.stack(parts).mean() for parts in zip(*losses, strict=True))
    return entropy, dice


def agreement_loss(stages: list[Tensor], dense: Tensor, present: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """One minus the correlation of each stage `[N, s, s]` with the dense head's logits `[N, s, s]` over the cells.

    The dense head is the teacher: it sees every window of a category, a question only some. Only questions with a present
    target count; scale and offset are left to the other losses.
    """
    teacher = centred(dense.detach())
    agreement = torch.stack([(centred(stage) * teacher).sum(-1) for stage in stages]).mean(0)
    sums = all_reduce(torch.stack((((1 - agreement) * present).sum(), present.sum())))
    return sums[0] / sums[1].clamp(min=1)


def centred(maps: Tensor) -> Tensor:
    """Maps `[N, s, s]` as mean-free unit vectors `[N, s * s]`."""
    flat = maps.flatten(1)
    return F.normalize(flat - flat.mean(1, keepdim=True), dim=1)


def presence_loss(logits: Tensor, present: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """Cross-entropy of the presence logits `[N]` against `present` `[N]` (1: the target is in the window)."""
    entropy = F.binary_cross_entropy_with_logits(logits, present, reduction="none")
    sums = all_reduce(torch.stack((entropy.sum(), torch.ones_like(present).sum())))
    return sums[0] / sums[1]
