"""Mask generator: one query per question, refined by masked attention; the mask is its product with the mask features.

Cheng et al. 2022, "Mask2Former", section 3.2. Questions do not attend to each other, so
self-attention over a single query reduces to its value projection. Query positions are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import ModelConfig
from segmenter.network.pixel_decoder import sine_positions


@dataclass(frozen=True)
class MaskMemory:
    """Keys and values of an image for the layers: [B, heads, cells, head_dim], one pair per layer."""

    keys: list[Tensor]
    values: list[Tensor]


@dataclass(frozen=True)
class MaskPrediction:
    """Mask logits [B, Q, S/4, S/4], initial and after each layer (or the last alone), and presence logits [B, Q]."""

    logits: list[Tensor]
    presence: Tensor | None


def cell_means(mask_features: Tensor, side: int) -> Tensor:
    """Mask features [B, C, S/4, S/4] resampled to a coarser grid: [B, C, side^2].

    Mean of the four cells around each coarse centre, as bilinear resampling without antialiasing. Mask logits are linear
    in the features, so resampled logits need no full-size logits.
    """
    factor = mask_features.shape[-1] // side
    low, high = factor // 2 - 1, factor // 2
    rows = mask_features[:, :, low::factor] + mask_features[:, :, high::factor]
    return ((rows[..., low::factor] + rows[..., high::factor]) * 0.25).flatten(2)


def visible_cells(logits: Tensor) -> Tensor:
    """Cells that the next layer may attend to, bool like `logits` [..., cells]: logit >= 0, or all if there are none."""
    blocked = logits < 0
    return ~(blocked & ~blocked.all(-1, keepdim=True))


def joined_logits(mask: Tensor, presence: Tensor) -> Tensor:
    """Logit of sigmoid(mask) * sigmoid(presence), finite for every finite input; shapes broadcast.

    The odds of the product are 1 / (e^-m + e^-p + e^-(m+p)); the sum is scaled by its largest term.
    """
    no_mask, no_presence = -mask, -presence
    neither = no_mask + no_presence
    largest = torch.maximum(torch.maximum(no_mask, no_presence), neither)
    total = (no_mask - largest).exp() + (no_presence - largest).exp() + (neither - largest).exp()
    return -(largest + total.log())


class PackedAttention(nn.Module):
    """Multi-head attention whose projections are packed as rows (q, k, v) of one matrix."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def project(self, x: Tensor, part: int) -> Tensor:
        """Part 0 (query), 1 (key) or 2 (value) of x [B, rows, dim]."""
        dim = x.shape[-1]
        rows = slice(part * dim, (part + 1) * dim)
        return F.linear(x, self.in_proj_weight[rows], self.in_proj_bias[rows])

    def split(self, x: Tensor) -> Tensor:
        """[B, rows, dim] to [B, heads, rows, head_dim]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
        """x [B, Q, dim], keys and values [B, heads, cells, head_dim], visible [B, Q, cells]; returns [B, Q, dim]."""
        query = self.split(self.project(x, 0))
        x = F.scaled_dot_product_attention(query, keys, values, attn_mask=visible[:, None])
        return self.out_proj(x.transpose(1, 2).flatten(2))

    def self_only(self, x: Tensor) -> Tensor:
        """Self-attention of every row to itself only."""
        return self.out_proj(self.project(x, 2))


class CrossAttentionLayer(nn.Module):
    """Residual cross-attention to the image, post-norm."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.multihead_attn = PackedAttention(dim, heads)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
        return self.norm(x + self.multihead_attn.attend(x, keys, values, visible))

    def memory(self, positioned: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys of cells with position encoding, values of cells without it: [B, cells, dim] to [B, heads, cells, head_dim]."""
        attention = self.multihead_attn
        return attention.split(attention.project(positioned, 1)), attention.split(attention.project(source, 2))


class SelfAttentionLayer(nn.Module):
    """Residual self-attention, post-norm."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.self_attn = PackedAttention(dim, heads)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.self_attn.self_only(x))


class FeedForwardLayer(nn.Module):
    """Residual ReLU feed-forward, post-norm."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.linear2(F.relu(self.linear1(x))))


class ReluMlp(nn.Module):
    """`depth` linear layers of one width with ReLU between."""

    def __init__(self, dim: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(dim, dim) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        for index, layer in enumerate(self.layers):
            x = layer(x) if index == 0 else layer(F.relu(x))
        return x


#: Number of cells in the mask evidence for the presence of the target.
EVIDENCE_CELLS = 16


def evidence(logits: Tensor) -> Tensor:
    """Mean of the `EVIDENCE_CELLS` largest mask logits [..., h, w]: [...]."""
    return logits.flatten(-2).topk(EVIDENCE_CELLS, -1).values.mean(-1)


class Presence(nn.Linear):
    """Logit of the presence of a query's target in the window: linear in the query, plus the evidence of the mask.

    Where the configuration says so, plus the product of the query with numbers of the whole window.
    """

    def __init__(self, dim: int, window: int) -> None:
        super().__init__(dim, 1)
        self.evidence = nn.Parameter(torch.zeros(1))
        if window:
            self.looks_for = nn.Linear(dim, window)

    def forward(self, query: Tensor, logits: Tensor, window: Tensor | None) -> Tensor:  # type: ignore[override]
        """query [B, Q, dim], its mask logits [B, Q, h, w] and the window's numbers [B, n]; returns [B, Q]."""
        logit = super().forward(query).squeeze(-1) + self.evidence * evidence(logits)
        return logit if window is None else logit + (self.looks_for(query) @ window.unsqueeze(-1)).squeeze(-1)


class WholeWindow(nn.Linear):
    """What presence reads of a window: mean and largest value of each channel of res5, through one layer."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(2 * channels, width)

    def forward(self, res5: Tensor) -> Tensor:
        """[B, C, S/32, S/32] to [B, width]."""
        return F.relu(super().forward(torch.cat((res5.mean((2, 3)), res5.amax((2, 3))), 1)))


class MaskGenerator(nn.Module):
    """Mask logits from queries [B, Q, dim] and the maps of the pixel decoder."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        generator, dim = config.mask_generator, config.pixel_decoder.dim
        self.sides = tuple(config.side(stage) for stage in (3, 2, 1))
        count, heads = generator.layers, generator.heads
        self.transformer_self_attention_layers = nn.ModuleList(SelfAttentionLayer(dim, heads) for _ in range(count))
        self.transformer_cross_attention_layers = nn.ModuleList(CrossAttentionLayer(dim, heads) for _ in range(count))
        self.transformer_ffn_layers = nn.ModuleList(FeedForwardLayer(dim, generator.feed_forward) for _ in range(count))
        self.decoder_norm = nn.LayerNorm(dim)
        self.level_embed = nn.Embedding(len(self.sides), dim)
        self.mask_embed = ReluMlp(dim, 3)
        if generator.presence:
            self.presence = Presence(dim, generator.image_presence)
        if generator.image_presence:
            self.whole_window = WholeWindow(config.vision.dims[3], generator.image_presence)
        if config.published_layout:
            self._add_unread_tensors(dim)
        for level, side in enumerate(self.sides):
            self.register_buffer(f"positions{level}", sine_positions(side, dim), persistent=False)

    def _add_unread_tensors(self, dim: int) -> None:
        """Unused tensors of the published checkpoint."""
        self.query_feat = nn.Embedding(100, dim)
        self.query_embed = nn.Embedding(100, dim)
        self.SEG_query_embed = nn.Embedding(101, dim)
        self.new_query_embed = nn.Embedding(1, dim)
        self.SEG_proj = ReluMlp(dim, 2)
        self.CLASS_proj = ReluMlp(dim, 2)

    def memory(self, ms: Sequence[Tensor]) -> MaskMemory:
        """Keys and values of [ms0, ms1, ms2] for the layers; layer i uses level i mod 3."""
        sources, positioned = [], []
        for level, features in enumerate(ms):
            source = features.flatten(2).transpose(1, 2) + self.level_embed.weight[level]
            sources.append(source)
            positioned.append(source + self.get_buffer(f"positions{level}"))
        memory = MaskMemory([], [])
        for index, layer in enumerate(self.transformer_cross_attention_layers):
            level = index % len(ms)
            keys, values = cast(CrossAttentionLayer, layer).memory(positioned[level], sources[level])
            memory.keys.append(keys)
            memory.values.append(values)
        return memory

    def window(self, res5: Tensor) -> Tensor | None:
        """What presence reads of the whole window [B, image_presence]; None where it reads nothing of it."""
        return self.whole_window(res5) if hasattr(self, "whole_window") else None

    def forward(
        self,
        query: Tensor,
        mask_features: Tensor,
        memory: MaskMemory,
        every_stage: bool = True,
        window: Tensor | None = None,
    ) -> MaskPrediction:
        """query [B, Q, dim], mask_features [B, dim, S/4, S/4], `window` as of :meth:`window`.

        Without `every_stage` only the last logits are made.
        """
        layers = zip(
            self.transformer_cross_attention_layers,
            self.transformer_self_attention_layers,
            self.transformer_ffn_layers,
            strict=True,
        )
        coarse = [cell_means(mask_features, side) for side in self.sides]
        x, logits = query, []
        embedding = self._embedding(x)
        for index, (cross, self_attention, feed_forward) in enumerate(layers):
            if every_stage:
                logits.append(torch.einsum("bqc,bcyx->bqyx", embedding, mask_features))
            with torch.no_grad():
                visible = visible_cells(embedding @ coarse[index % len(coarse)])
            x = feed_forward(self_attention(cross(x, memory.keys[index], memory.values[index], visible)))
            embedding = self._embedding(x)
        logits.append(torch.einsum("bqc,bcyx->bqyx", embedding, mask_features))
        presence = self.presence(self.decoder_norm(x), logits[-1], window) if hasattr(self, "presence") else None
        return MaskPrediction(logits, presence)

    def _embedding(self, x: Tensor) -> Tensor:
        return self.mask_embed(self.decoder_norm(x))
