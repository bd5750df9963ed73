"""Mask losses at sampled points, most of them where the mask is most uncertain.

Cheng et al. 2022, "Mask2Former", section 3.3; Kirillov et al. 2020, "PointRend". A few points instead of all pixels
keep the memory of a full-resolution loss small.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: Points per mask, candidates per point, and the share of points chosen for uncertainty.
POINTS, OVERSAMPLING, UNSURE_SHARE = 12_544, 3, 0.75


def sampled(maps: Tensor, points: Tensor) -> Tensor:
    """Bilinear values `[N, P]` of maps `[N, h, w]` at points (x, y) in 0..1 `[N, P, 2]`; zero outside the map."""
    values = F.grid_sample(maps[:, None], 2 * points[:, None] - 1, align_corners=False)
    return values[:, 0, 0]


@torch.no_grad()
def unsure_points(logits: Tensor, generators: Sequence[torch.Generator], count: int = POINTS) -> Tensor:
    """Points `[N, count, 2]` for logits `[N, h, w]`: three quarters have the smallest absolute logit of `OVERSAMPLING * count`
    random candidates, the rest is random. One generator per mask keeps its points independent of the other masks."""
    unsure, candidates = round(UNSURE_SHARE * count), OVERSAMPLING * count
    drawn = torch.stack(
        [torch.rand(candidates + count - unsure, 2, generator=g, device=logits.device) for g in generators]
    )  # [N, candidates + rest, 2]
    tried, rest = drawn[:, :candidates], drawn[:, candidates:]
    chosen = (-sampled(logits, tried).abs()).topk(unsure, 1).indices
    return torch.cat((tried.gather(1, chosen[..., None].expand(-1, -1, 2)), rest), 1)


def point_losses(logits: Tensor, target: Tensor, known: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and dice `[N]` at points; logits `[N, h, w]`, `target` and `known` 0..1 `[N, S, S]`.

    Unlabelled points (`known` 0) have weight 0. Dice is 1 - (2 overlap + 1) / (prediction + target + 1).
    """
    at = sampled(logits, points)
    with torch.no_grad():
        wanted, weight = sampled(target, points), sampled_known(known, points)
    entropy = (F.binary_cross_entropy_with_logits(at, wanted, reduction="none") * weight).sum(1) / weight.sum(1).clamp(min=1)
    probability, wanted = at.sigmoid() * weight, wanted * weight
    dice = 1 - (2 * (probability * wanted).sum(1) + 1) / (probability.sum(1) + wanted.sum(1) + 1)
    return entropy, dice


def sampled_known(known: Tensor, points: Tensor) -> Tensor:
    """1 at points `[N, P]` whose surrounding pixels are all known, else 0. Everything outside the map is known."""
    return (sampled(1 - known, points) == 0).to(known.dtype)
