"""Causal language model of the Phi-1.5 type: parallel residual, one norm per layer, rotary positions on part of a head.

Gunasekar et al. 2023, "Textbooks Are All You Need"; Su et al. 2021, "RoFormer", for the rotary positions. The fused
projection is laid out head by head as (q, k, v). Only hidden states are used; tokens are not predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import LanguageConfig


@dataclass(frozen=True)
class KeyValues:
    """Keys and values of every layer, [layers, B, heads, positions, head_dim] each, rotary already applied."""

    keys: Tensor
    values: Tensor

    @property
    def positions(self) -> int:
        return self.keys.shape[3]

    def select(self, index: Tensor) -> KeyValues:
        """The batch rows `index` [N]."""
        return KeyValues(self.keys[:, index], self.values[:, index])


def rotary_tables(config: LanguageConfig) -> Tensor:
    """Cosine and sine per position and pair: [2, max_positions, rotary_dims / 2], float32."""
    exponent = torch.arange(0, config.rotary_dims, 2).float() / config.rotary_dims
    angle = torch.arange(config.max_positions).float()[:, None] / config.rope_theta**exponent
    return torch.stack((angle.cos(), angle.sin()))


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates the pairs (i, i + rotary_dims / 2) of x [N, heads, R, head_dim] by the angles [R, rotary_dims / 2]."""
    half = cosine.shape[-1]
    first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine, rest), -1)


class CausalAttention(nn.Module):
    """Attention to all earlier positions, cached ones and those of this call."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.head_dim = config.head_dim
        self.query_key_value = nn.Linear(config.hidden, 3 * config.hidden)
        self.dense = nn.Linear(config.hidden, config.hidden)

    def forward(
        self, x: Tensor, rotary: Tensor, visible: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """x [N, R, hidden], rotary [2, R, rotary_dims / 2], visible [R, P + R] bool, past [N or 1, heads, P, head_dim].

        Returns the attended rows [N, R, hidden] and this call's keys and values [N, heads, R, head_dim].
        """
        batch, rows, hidden = x.shape
        fused = self.query_key_value(x).view(batch, rows, self.heads, 3, self.head_dim)
        query, key, value = fused.permute(3, 0, 2, 1, 4)  # each [N, heads, R, head_dim]
        query, key = rotate(query, rotary[0], rotary[1]), rotate(key, rotary[0], rotary[1])
        keys, values = key, value
        if past is not None:
            keys = torch.cat((past[0].expand(batch, -1, -1, -1), key), 2)
            values = torch.cat((past[1].expand(batch, -1, -1, -1), value), 2)
        x = F.scaled_dot_product_attention(query, keys, values, attn_mask=visible)
        return self.dense(x.transpose(1, 2).reshape(batch, rows, hidden)), key, value


class PhiMlp(nn.Module):
    """Two linear layers with the tanh form of GELU between."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden, config.mlp)
        self.fc2 = nn.Linear(config.mlp, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class PhiLayer(nn.Module):
    """x + attention(norm x) + mlp(norm x)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.LayerNorm(config.hidden)
        self.self_attn = CausalAttention(config)
        self.mlp = PhiMlp(config)

    def forward(
        self, x: Tensor, rotary: Tensor, visible: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Shapes as in :class:`CausalAttention`."""
        normed = self.input_layernorm(x)
        attended, key, value = self.self_attn(normed, rotary, visible, past)
        return x + attended + self.mlp(normed), key, value


class LanguageModel(nn.Module):
    """Embedded tokens to hidden states; later calls can reuse the keys and values of a first call as their past."""

    rotary: Tensor

    def __init__(self, config: LanguageConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary_size, config.hidden)
        self.layers = nn.ModuleList(PhiLayer(config) for _ in range(config.layers))
        self.final_layernorm = nn.LayerNorm(config.hidden)
        self.register_buffer("rotary", rotary_tables(config), persistent=False)

    def forward(self, embedded: Tensor, past: KeyValues | None = None) -> tuple[Tensor, KeyValues]:
        """embedded [N, R, hidden] at positions P..P+R-1, where P is the length of `past` (batch N or 1).

        Returns the hidden states after the final norm [N, R, hidden] and this call's own keys and values.
        Right padding needs no mask: earlier positions do not attend to it.
        """
        rows = embedded.shape[1]
        start = 0 if past is None else past.positions
        position = torch.arange(rows, device=embedded.device) + start
        visible = torch.arange(start + rows, device=embedded.device)[None, :] <= position[:, None]
        rotary = self.rotary[:, start : start + rows]
        x, keys, values = embedded, [], []
        for index, layer in enumerate(self.layers):
            cached = None if past is None else (past.keys[index], past.values[index])
            x, key, value = layer(x, rotary, visible, cached)
            keys.append(key)
            values.append(value)
        return self.final_layernorm(x), KeyValues(torch.stack(keys), torch.stack(values))
