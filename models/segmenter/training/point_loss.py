"""Mask losses on points, most of them where the mask is least sure.

Cheng et al. 2022, "Mask2Former", section 3.3; Kirillov et al. 2020, "PointRend". A mask is compared at a few points instead of
at all pixels, so that a loss at full resolution costs little memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: Points of a mask, candidates for each of them, and the share that is chosen among the candidates for being unsure.
POINTS, OVERSAMPLING, UNSURE_SHARE = 12_544, 3, 0.75


def sampled(maps: Tensor, points: Tensor) -> Tensor:
    """Bilinear values `[N, P]` of maps `[N, h, w]` at points (x, y) in 0..1 `[N, P, 2]`; beyond the border lie zeros."""
    values = F.grid_sample(maps[:, None], 2 * points[:, None] - 1, align_corners=False)
    return values[:, 0, 0]


@torch.no_grad()
def unsure_points(logits: Tensor, generators: Sequence[torch.Generator], count: int = POINTS) -> Tensor:
    """Points `[N, count, 2]` for logits `[N, h, w]`: of three times as many at random those of the smallest absolute logit,
    and a quarter at random. `generators` has one for each mask, so that its points do not depend on its neighbours."""
    unsure, candidates = round(UNSURE_SHARE * count), OVERSAMPLING * count
    drawn = torch.stack(
        [torch.rand(candidates + count - unsure, 2, generator=g, device=logits.device) for g in generators]
    )  # [N, candidates + rest, 2]
    tried, rest = drawn[:, :candidates], drawn[:, candidates:]
    chosen = (-sampled(logits, tried).abs()).topk(unsure, 1).indices
    return torch.cat((tried.gather(1, chosen[..., None].expand(-1, -1, 2)), rest), 1)


def point_losses(logits: Tensor, target: Tensor, known: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice `[N]` of masks at points; logits `[N, h, w]`, target and known 0..1 `[N, S, S]`.

    Points that nobody labelled (known 0) do not count. Dice is 1 - (2 overlap + 1) / (prediction + target + 1).
    """
    at = sampled(logits, points)
    with torch.no_grad():
        wanted, weight = sampled(target, points), sampled_known(known, points)
    entropy = (F.binary_cross_entropy_with_logits(at, wanted, reduction="none") * weight).sum(1) / weight.sum(1).clamp(min=1)
    probability, wanted = at.sigmoid() * weight, wanted * weight
    dice = 1 - (2 * (probability * wanted).sum(1) + 1) / (probability.sum(1) + wanted.sum(1) + 1)
    return entropy, dice


def sampled_known(known: Tensor, points: Tensor) -> Tensor:
    """1 at points `[N, P]` of which all pixels around are known, else 0. Beyond the border all is known."""
    return (sampled(1 - known, points) == 0).to(known.dtype)
