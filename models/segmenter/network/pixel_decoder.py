"""Pixel decoder: deformable attention over three resolutions, then one step down to the mask features.

Zhu et al. 2021, "Deformable DETR", section 4.1; Cheng et al. 2022, "Mask2Former", section 3.2.3. Unlike in
Mask2Former, a ReLU follows the lateral convolution and both convolutions of the last step have a bias.
Level order everywhere: 0 = res5, 1 = res4, 2 = res3. Cells are row-major.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import ModelConfig, PixelDecoderConfig


def sine_positions(side: int, dim: int) -> Tensor:
    """Sine encoding of a square map: [side^2, dim], first half rows, second half columns.

    Coordinates 1..side are scaled to (0, 2 pi]; even channels are sines and odd ones cosines of the same frequency.
    """
    half = dim // 2
    position = torch.arange(1, side + 1).float() / (side + 1e-6) * (2 * math.pi)
    divisor = 10000.0 ** (2 * (torch.arange(half) // 2).float() / half)
    angle = position[:, None] / divisor
    axis = torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), -1).flatten(1)  # [side, half]
    rows = axis[:, None].expand(side, side, half)
    columns = axis[None, :].expand(side, side, half)
    return torch.cat((rows, columns), -1).reshape(side * side, dim)


def cell_centres(sides: Sequence[int]) -> Tensor:
    """Centres (x, y) in [0, 1] of the cells of all levels: [cells, 2]."""
    centres = []
    for side in sides:
        centre = (torch.arange(side).float() + 0.5) / side
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        centres.append(torch.stack((x, y), -1).view(-1, 2))
    return torch.cat(centres)


class DeformableAttention(nn.Module):
    """Each cell attends to a few learnt positions, relative to its own, on every level."""

    centres: Tensor

    def __init__(self, config: PixelDecoderConfig, sides: Sequence[int]) -> None:
        super().__init__()
        self.heads, self.points, self.sides = config.heads, config.points, tuple(sides)
        samples = config.heads * len(sides) * config.points
        self.sampling_offsets = nn.Linear(config.dim, 2 * samples)
        self.attention_weights = nn.Linear(config.dim, samples)
        self.value_proj = nn.Linear(config.dim, config.dim)
        self.output_proj = nn.Linear(config.dim, config.dim)
        self.register_buffer("centres", cell_centres(sides), persistent=False)

    def forward(self, query: Tensor, cells: Tensor) -> Tensor:
        """query, cells [B, cells of all levels, dim]; returns [B, cells, dim].

        Offsets are (x, y) in cells of the sampled level. Values outside a map are 0.
        """
        batch, count, dim = query.shape
        levels = len(self.sides)
        value = self.value_proj(cells).view(batch, count, self.heads, -1).permute(0, 2, 3, 1).flatten(0, 1)
        offsets = self.sampling_offsets(query).view(batch, count, self.heads, levels, self.points, 2)
        offsets = offsets.permute(3, 0, 2, 1, 4, 5).flatten(1, 2)  # [levels, B * heads, cells, points, 2]
        weights = self.attention_weights(query).view(batch, count, self.heads, levels * self.points).softmax(-1)
        weights = weights.view(batch, count, self.heads, levels, self.points)
        weights = weights.permute(3, 0, 2, 1, 4).flatten(1, 2).unsqueeze(2)  # [levels, B * heads, 1, cells, points]
        origin = (2 * self.centres - 1)[None, :, None]
        attended, start = [], 0
        for level, side in enumerate(self.sides):
            level_map = value[:, :, start : start + side * side].unflatten(-1, (side, side))
            grid = origin + offsets[level] * (2.0 / side)
            sampled = F.grid_sample(level_map, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
            attended.append((sampled * weights[level]).sum(-1))  # [B * heads, head_dim, cells]
            start += side * side
        x = torch.stack(attended).sum(0).view(batch, dim, count)
        return self.output_proj(x.transpose(1, 2))


class DeformableLayer(nn.Module):
    """Post-norm encoder layer: deformable attention, then a ReLU feed-forward."""

    def __init__(self, config: PixelDecoderConfig, sides: Sequence[int]) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(config, sides)
        self.norm1 = nn.LayerNorm(config.dim)
        self.linear1 = nn.Linear(config.dim, config.feed_forward)
        self.linear2 = nn.Linear(config.feed_forward, config.dim)
        self.norm2 = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        x = self.norm1(x + self.self_attn(x + positions, x))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class DeformableEncoder(nn.Module):
    """The layers and the learnt level embedding, named as in the published checkpoint."""

    positions: Tensor

    def __init__(self, config: PixelDecoderConfig, sides: Sequence[int]) -> None:
        super().__init__()
        self.sides = tuple(sides)
        self.level_embed = nn.Parameter(torch.zeros(len(sides), config.dim))
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(DeformableLayer(config, sides) for _ in range(config.layers))})
        positions = torch.cat([sine_positions(side, config.dim) for side in sides])
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps [B, dim, side, side] of all levels; returns maps of the same shapes."""
        cells = torch.cat([level.flatten(2).transpose(1, 2) for level in maps], 1)
        counts = [side * side for side in self.sides]
        embedded = [self.level_embed[level].expand(count, -1) for level, count in enumerate(counts)]
        positions = self.positions + torch.cat(embedded)
        for layer in self.encoder["layers"]:  # type: ignore[attr-defined]
            cells = layer(cells, positions)
        split = cells.transpose(1, 2).split(counts, -1)
        return [level.unflatten(-1, (side, side)).contiguous() for level, side in zip(split, self.sides, strict=True)]


class StepwiseGroupNorm(nn.GroupNorm):
    """Group normalisation whose exported form averages row by row.

    ONNX Runtime sums the values of a group sequentially in float32: over the half million values of a group at full size
    the error is 3e-5, row by row 7e-7.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Maps [B, C, H, W] to maps of the same shape."""
        if not torch.compiler.is_exporting():
            return super().forward(input)
        batch, channels, height, width = input.shape
        grouped = input.reshape(batch, self.num_groups, channels // self.num_groups, height, width)
        centred = grouped - _mean_by_rows(grouped)
        scaled = centred * torch.rsqrt(_mean_by_rows(centred * centred) + self.eps)
        return scaled.reshape(input.shape) * self.weight[:, None, None] + self.bias[:, None, None]


def _mean_by_rows(values: Tensor) -> Tensor:
    """Mean over the last three axes, kept, one axis after the other."""
    return values.mean(-1, keepdim=True).mean(-2, keepdim=True).mean(-3, keepdim=True)


class PixelDecoder(nn.Module):
    """Vision outputs to ms0 (S/32), ms1 (S/16), ms2 (S/8) and the mask features (S/4), all of width `dim`."""

    def __init__(self, config: ModelConfig, decoder: PixelDecoderConfig) -> None:
        super().__init__()
        dims = config.vision.dims
        dim, groups = decoder.dim, decoder.norm_groups
        sides = [config.side(stage) for stage in (3, 2, 1)]
        self.input_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(dims[stage], dim, 1), StepwiseGroupNorm(groups, dim)) for stage in (3, 2, 1)
        )
        self.transformer = DeformableEncoder(decoder, sides)
        self.adapter_1 = nn.Sequential(nn.Conv2d(dims[0], dim, 1), StepwiseGroupNorm(groups, dim))
        self.layer_1 = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), StepwiseGroupNorm(groups, dim))
        self.mask_features = nn.Conv2d(dim, dim, 1)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """res2..res5 to mask features [B, dim, S/4, S/4] and [ms0, ms1, ms2]."""
        res2, res3, res4, res5 = features
        maps = [project(level) for project, level in zip(self.input_proj, (res5, res4, res3), strict=True)]
        ms = self.transformer(maps)
        lateral = F.relu(self.adapter_1(res2))
        lateral = lateral + F.interpolate(ms[2], scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mask_features(F.relu(self.layer_1(lateral))), ms
