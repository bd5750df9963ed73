"""D-Projector: the description embedding attends to the image before it becomes the mask query.

One perceiver layer (Alayrac et al. 2022, "Flamingo", section 3.1.1) with one latent per question. The media are the cells
of res5 without position encoding; the keys also include the latent itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segmenter.network.config import ProjectorConfig


class PerceiverAttention(nn.Module):
    """Cross-attention of each latent to the media of its image and to itself."""

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        inner = config.heads * config.head_dim
        self.heads = config.heads
        self.norm_media = nn.LayerNorm(config.dim)
        self.norm_latents = nn.LayerNorm(config.dim)
        self.to_q = nn.Linear(config.dim, inner, bias=False)
        self.to_kv = nn.Linear(config.dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, config.dim, bias=False)

    def media(self, media: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values [B, heads, cells, head_dim] of media [B, cells, dim]."""
        return self._keys_values(self.norm_media(media))

    def forward(self, latents: Tensor, media_keys: Tensor, media_values: Tensor) -> Tensor:
        """Latents [B, Q, dim]; a latent attends to the media and itself, not to other latents."""
        normed = self.norm_latents(latents)
        query = self._heads(self.to_q(normed))  # [B, heads, Q, head_dim]
        query = query * query.shape[-1] ** -0.5
        own_key, own_value = self._keys_values(normed)
        own_score = (query * own_key).sum(-1, keepdim=True)  # [B, heads, Q, 1]
        scores = torch.cat((query @ media_keys.transpose(-2, -1), own_score), -1)
        weights = scores.softmax(-1)
        x = weights[..., :-1] @ media_values + weights[..., -1:] * own_value
        return self.to_out(x.transpose(1, 2).flatten(2))

    def _keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.to_kv(x).chunk(2, -1)
        return self._heads(keys), self._heads(values)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class DescriptionProjector(nn.Module):
    """Latents [B, Q, dim] after attention to the image, of the same shape."""

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        hidden = config.ff_mult * config.dim
        feed_forward = nn.Sequential(
            nn.LayerNorm(config.dim),
            nn.Linear(config.dim, hidden, bias=False),
            nn.GELU(),
            nn.Linear(hidden, config.dim, bias=False),
        )
        self.layers = nn.ModuleList([nn.ModuleList([PerceiverAttention(config), feed_forward])])
        self.norm = nn.LayerNorm(config.dim)

    @property
    def attention(self) -> PerceiverAttention:
        """The attention layer."""
        return self.get_submodule("layers.0.0")  # type: ignore[return-value]

    def forward(self, latents: Tensor, media_keys: Tensor, media_values: Tensor) -> Tensor:
        """Keys and values come from `attention.media`."""
        x = latents + self.attention(latents, media_keys, media_values)
        x = x + self.get_submodule("layers.0.1")(x)
        return self.norm(x)


def row_major(features: Tensor) -> Tensor:
    """Cells [B, rows * columns, C] of a map [B, C, rows, columns]."""
    return features.flatten(2).transpose(1, 2)
