"""Random initialisation of a network; each part follows its paper."""

from __future__ import annotations

import math

import torch
from torch import nn

from segmenter.network.pixel_decoder import DeformableAttention, PixelDecoder
from segmenter.network.pyramid_decoder import PyramidDecoder, initialise_pyramid


@torch.no_grad()
def initialise(network: nn.Module) -> None:
    """Initialises the weights in place with torch's global generator."""
    language: nn.Module = network.get_submodule("model")
    for name, module in language.named_modules():
        if name.startswith("mm_projector"):
            continue  # convolutions keep torch's fan-in rule
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if hasattr(module, "relative_position_bias_table"):
            nn.init.trunc_normal_(module.relative_position_bias_table, std=0.02)
    decoder = network.get_submodule("pixel_decoder")
    if isinstance(decoder, PyramidDecoder):
        initialise_pyramid(decoder)
    elif isinstance(decoder, PixelDecoder):
        _initialise_deformable(decoder)
    for module in network.get_submodule("predictor").modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


def _initialise_deformable(decoder: PixelDecoder) -> None:
    for module in decoder.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in decoder.modules():
        if isinstance(module, DeformableAttention):
            _initialise_offsets(module)
    nn.init.normal_(decoder.transformer.level_embed)


def _initialise_offsets(attention: DeformableAttention) -> None:
    """Each head samples in its own direction, point i at i + 1 cells, with equal weights (Deformable DETR)."""
    nn.init.zeros_(attention.sampling_offsets.weight)
    nn.init.zeros_(attention.attention_weights.weight)
    angle = torch.arange(attention.heads).float() * (2 * math.pi / attention.heads)
    direction = torch.stack((angle.cos(), angle.sin()), -1)
    direction = direction / direction.abs().max(-1, keepdim=True).values
    distance = torch.arange(1, attention.points + 1).float()
    offsets = direction[:, None, None] * distance[:, None]  # [heads, 1, points, 2]
    offsets = offsets.expand(-1, len(attention.sides), -1, -1)
    attention.sampling_offsets.bias.copy_(offsets.flatten())
