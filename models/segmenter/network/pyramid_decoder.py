"""Pixel decoder of the light kind: a top-down pyramid with a skip from stride 2, in place of deformable attention.

Lin et al. 2017, "Feature Pyramid Networks", section 3. On a CPU it costs a third of one deformable layer, and a
1 x 1 convolution on its mask features learns all labelled classes at once, before any question is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import PyramidConfig
from segmenter.network.lite_config import LiteConfig
from segmenter.network.pixel_decoder import StepwiseGroupNorm


def smooth(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """A 3 x 3 convolution, normed and activated."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), StepwiseGroupNorm(groups, outputs), nn.ReLU(inplace=True)
    )


class PyramidDecoder(nn.Module):
    """The encoder's maps to ms0 (S/32), ms1 (S/16), ms2 (S/8) and the mask features (S/4), all of width `dim`."""

    def __init__(self, config: PyramidConfig, vision: LiteConfig) -> None:
        super().__init__()
        wide, dim, groups = config.wide, config.dim, config.norm_groups
        res2, res3, res4, res5 = vision.dims
        self.lateral5, self.lateral4 = nn.Conv2d(res5, wide, 1), nn.Conv2d(res4, wide, 1)
        self.lateral3, self.lateral2 = nn.Conv2d(res3, wide, 1), nn.Conv2d(res2, dim, 1)
        self.fine = nn.Conv2d(vision.half, dim, 2, stride=2)
        self.context = nn.Sequential(nn.Linear(res5, wide), nn.ReLU(), nn.Linear(wide, wide))
        self.smooth5, self.smooth4 = smooth(wide, wide, groups), smooth(wide, wide, groups)
        self.smooth3, self.smooth2 = smooth(wide, dim, groups), smooth(dim, dim, groups)
        self.narrow5, self.narrow4 = nn.Conv2d(wide, dim, 1), nn.Conv2d(wide, dim, 1)
        self.mask_features = nn.Conv2d(dim, dim, 1)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Maps at strides 2 to 32 to mask features [B, dim, S/4, S/4] and [ms0, ms1, ms2]."""
        mask_features, wide5, wide4, ms2 = self._pyramid(features)
        return mask_features, [self.narrow5(wide5), self.narrow4(wide4), ms2]

    def mask_features_of(self, features: Sequence[Tensor]) -> Tensor:
        """The mask features alone."""
        return self._pyramid(features)[0]

    def _pyramid(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        half, res2, res3, res4, res5 = features
        context = self.context(res5.mean((2, 3)))[:, :, None, None]
        wide5 = self.smooth5(self.lateral5(res5) + context)
        wide4 = self.smooth4(self.lateral4(res4) + F.interpolate(wide5, scale_factor=2.0))
        ms2 = self.smooth3(self.lateral3(res3) + F.interpolate(wide4, scale_factor=2.0))
        x = self.lateral2(res2) + F.interpolate(ms2, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mask_features(self.smooth2(x + self.fine(half))), wide5, wide4, ms2


@torch.no_grad()
def initialise_pyramid(decoder: PyramidDecoder) -> None:
    """First weights: torch's own, and mask features that are the last map itself."""
    nn.init.dirac_(decoder.mask_features.weight)
    assert decoder.mask_features.bias is not None
    nn.init.zeros_(decoder.mask_features.bias)
