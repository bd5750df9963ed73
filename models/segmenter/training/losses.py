"""What training minimises: masks of questions, presence, and all labelled classes of a window at once.

Segmentation losses follow the paper's section on training (binary cross-entropy and dice on every stage). Pixels that
the source does not decide weigh nothing. Where several processes share a step, `all_reduce` sums over all of them, so that a
loss is that of all windows together (`distributed.Worker.all_reduce`).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from segmenter.training.distributed import local_only

AllReduce = Callable[[Tensor], Tensor]

#: Most that a covered cell weighs against an uncovered one, and cross-entropy against dice, in the dense loss.
RAREST, ENTROPY_SHARE = 20.0, 4.0


def class_maps(bits: Tensor, classes: int, side: int) -> Tensor:
    """Bit sets int32 `[B, S, S]` to the covered share of each cell, float32 `[B, classes, side, side]`."""
    flags = bits[:, None] >> torch.arange(classes, dtype=torch.int32, device=bits.device)[:, None, None] & 1
    return F.avg_pool2d(flags.float(), bits.shape[-1] // side)


def dense_loss(logits: Tensor, labels: Tensor, known: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """Every class on every pixel that is decided: balanced cross-entropy plus dice, each averaged over classes.

    Logits, covered share and decided share are `[B, classes, h, w]`. A class is gathered over the all_reduce batch. Its
    covered cells weigh more by the square root of how rare they are, and dice counts only classes that the batch shows,
    so that small rare objects weigh against water.
    """
    target = labels * known
    decided, covered = all_reduce(torch.stack((known.sum((0, 2, 3)), target.sum((0, 2, 3)))))
    rarity = ((decided - covered + 1) / (covered + 1)).sqrt().clamp(1, RAREST)[:, None, None]
    weight = known + target * (rarity - 1)
    entropy = F.binary_cross_entropy_with_logits(logits, labels, reduction="none") * weight
    probability = logits.sigmoid() * known
    overlap, total = probability * target, probability.square() + target.square()
    sums = all_reduce(torch.stack([values.sum((0, 2, 3)) for values in (entropy, weight, overlap, total)]))
    shown = covered > 4
    dice = 1 - (2 * sums[2, shown] + 1) / (sums[3, shown] + 1)
    return (ENTROPY_SHARE * (sums[0] / sums[1].clamp(min=1)).sum() + dice.sum()) / logits.shape[1]


def mask_loss(
    logits: Tensor, target: Tensor, known: Tensor, present: Tensor, all_reduce: AllReduce = local_only
) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy over all questions and mean dice over those whose target is present.

    Logits, target share and decided share are `[N, h, w]`; present `[N]` is 1 or 0. Dice of an absent target would
    reward nothing but emptiness, which cross-entropy and the presence score teach.
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
    """Cross-entropy and dice averaged over the stages `[N, s, s]`, the last one at twice the side and double weight.

    Target and knowledge are `[N, 2s, 2s]`: the last stage is what the product shows, so it is compared with finer edges.
    """
    coarse_target, coarse_known = F.avg_pool2d(target[:, None], 2)[:, 0], F.avg_pool2d(known[:, None], 2)[:, 0]
    fine = F.interpolate(stages[-1][:, None], scale_factor=2.0, mode="bilinear", align_corners=False)[:, 0]
    losses = [mask_loss(stage, coarse_target, coarse_known, present, all_reduce) for stage in stages[:-1]]
    last = mask_loss(fine, target, known, present, all_reduce)
    losses += [last, last]
    entropy, dice = (torch.stack(parts).mean() for parts in zip(*losses, strict=True))
    return entropy, dice


def agreement_loss(stages: list[Tensor], dense: Tensor, present: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """One minus the correlation over the cells of each stage `[N, s, s]` with what the dense head says `[N, s, s]`.

    The dense head is the teacher: it learns a category from all windows, a question only from those that are asked. Only
    questions whose target is present count, and scale and offset are left to the other losses.
    """
    teacher = centred(dense.detach())
    agreement = torch.stack([(centred(stage) * teacher).sum(-1) for stage in stages]).mean(0)
    sums = all_reduce(torch.stack((((1 - agreement) * present).sum(), present.sum())))
    return sums[0] / sums[1].clamp(min=1)


def centred(maps: Tensor) -> Tensor:
    """Maps `[N, s, s]` as unit vectors `[N, s * s]` around their mean."""
    flat = maps.flatten(1)
    return F.normalize(flat - flat.mean(1, keepdim=True), dim=1)


def presence_loss(logits: Tensor, present: Tensor, all_reduce: AllReduce = local_only) -> Tensor:
    """Cross-entropy of the presence score `[N]` against 1 (something of it in the window) or 0."""
    entropy = F.binary_cross_entropy_with_logits(logits, present, reduction="none")
    sums = all_reduce(torch.stack((entropy.sum(), torch.ones_like(present).sum())))
    return sums[0] / sums[1]
