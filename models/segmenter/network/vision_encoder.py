"""Vision encoder: Swin transformer with shifted windows, four outputs at strides 4, 8, 16 and 32.

The first stages can be residual convolutions instead (`VisionConfig.convolutional`).

Liu et al. 2021, "Swin Transformer", sections 3.1 to 3.3; parameter names as in the published SegEarth-R1 checkpoint.
Maps are [B, rows, columns, C] inside and [B, C, rows, columns] at the outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval

from segmenter.network.config import VisionConfig

#: Added to the score of cell pairs from different regions that the cyclic shift made adjacent.
_OTHER_REGION = -100.0
#: Momentum of batch norm statistics; small because a batch holds few windows.
BATCH_MOMENTUM = 0.03


def relative_position_index(window: int) -> Tensor:
    """Row of the bias table for each pair of cells: [window^2, window^2], int64, row-major cells."""
    cells = torch.arange(window * window)
    row, column = cells // window, cells % window
    rows = row[:, None] - row[None, :] + window - 1
    columns = column[:, None] - column[None, :] + window - 1
    return rows * (2 * window - 1) + columns


def partition(x: Tensor, window: int) -> Tensor:
    """[B, H, W, C] to [B, windows, window^2, C]; H and W are multiples of `window`."""
    batch, height, width, channels = x.shape
    x = x.view(batch, height // window, window, width // window, window, channels)
    return x.transpose(2, 3).reshape(batch, -1, window * window, channels)


def merge(x: Tensor, window: int, height: int, width: int) -> Tensor:
    """Inverse of :func:`partition`."""
    batch, _, _, channels = x.shape
    x = x.view(batch, height // window, width // window, window, window, channels)
    return x.transpose(2, 3).reshape(batch, height, width, channels)


def shift_mask(side: int, window: int, shift: int) -> Tensor:
    """Additive mask [windows, window^2, window^2] of a square map of `side` cells that was rolled by -`shift`."""
    index = torch.arange(side)
    band = (index >= side - window).long() + (index >= side - shift).long()
    region = (3 * band[:, None] + band[None, :]).view(1, side, side, 1)
    region = partition(region, window)[0, :, :, 0]
    return (region[:, :, None] != region[:, None, :]).float() * _OTHER_REGION


class WindowAttention(nn.Module):
    """Self-attention inside each window, with a learnt bias per head and relative position."""

    relative_position_index: Tensor

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", relative_position_index(window))
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """[B, windows, cells, C] to the same; `mask` [windows, cells, cells] is added to the scores."""
        batch, windows, cells, channels = x.shape
        qkv = self.qkv(x).view(batch, windows, cells, 3, self.heads, -1)
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # each [B, windows, heads, cells, head_dim]
        bias = self.relative_position_bias_table[self.relative_position_index.flatten()]
        bias = bias.view(cells, cells, self.heads).permute(2, 0, 1)  # [heads, cells, cells]
        if mask is not None:
            bias = bias + mask[:, None]  # [windows, heads, cells, cells]
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1) + bias
        x = scores.softmax(-1) @ v
        return self.proj(x.transpose(2, 3).reshape(batch, windows, cells, channels))


class Mlp(nn.Module):
    """Two linear layers with the exact (erf) GELU between."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class SwinBlock(nn.Module):
    """x + attention(norm1 x), then x + mlp(norm2 x).

    Maps are zero-padded to whole windows *after* the norm: padding is not masked, its keys and values equal the bias of
    `qkv`.
    """

    attention_mask: Tensor | None

    def __init__(self, dim: int, heads: int, config: VisionConfig, side: int, shifted: bool, drop_path: float) -> None:
        super().__init__()
        self.window = config.window
        self.padding = -side % config.window
        # A map of one window needs no shift.
        self.shift = config.window // 2 if shifted and side + self.padding > config.window else 0
        self.drop_path = drop_path
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, heads, config.window)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, config.mlp_ratio * dim)
        mask = shift_mask(side + self.padding, config.window, self.shift) if self.shift else None
        self.register_buffer("attention_mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._dropped(self._attend(self.norm1(x)))
        return x + self._dropped(self.mlp(self.norm2(x)))

    def _attend(self, x: Tensor) -> Tensor:
        _, height, width, _ = x.shape
        if self.padding:
            x = F.pad(x, (0, 0, 0, self.padding, 0, self.padding))
        padded_height, padded_width = height + self.padding, width + self.padding
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = self.attn(partition(x, self.window), self.attention_mask)
        x = merge(x, self.window, padded_height, padded_width)
        if self.shift:
            x = torch.roll(x, (self.shift, self.shift), (1, 2))
        return x[:, :height, :width]

    def _dropped(self, branch: Tensor) -> Tensor:
        """Stochastic depth: in training, the branch of a sample is dropped with probability `drop_path`."""
        if not self.training or self.drop_path == 0.0:
            return branch
        keep = torch.rand(branch.shape[0], 1, 1, 1, device=branch.device) >= self.drop_path
        return branch * keep.to(branch.dtype) / (1.0 - self.drop_path)


class PatchMerging(nn.Module):
    """[B, H, W, C] to [B, H/2, W/2, 2C]: concatenates the four phases of each 2x2 block, then norm and linear."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        phases = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(phases, -1)))


class ConvBlock(nn.Module):
    """x + two 3 x 3 convolutions of it, batch-normed (He et al. 2016, "Deep Residual Learning"); initially the identity.

    With little training data, convolutions learn edges and textures sooner than attention.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(dim, momentum=BATCH_MOMENTUM)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(dim, momentum=BATCH_MOMENTUM)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x: Tensor) -> Tensor:
        maps = x.permute(0, 3, 1, 2)
        maps = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(maps)))))
        return F.relu(x + maps.permute(0, 2, 3, 1))


class Stage(nn.Module):
    """Blocks at one resolution: convolutional in the first `convolutional` stages, else Swin blocks with shifted windows in
    every second one. `downsample` leads to the next stage.
    """

    def __init__(self, config: VisionConfig, stage: int, side: int) -> None:
        super().__init__()
        first, total = sum(config.depths[:stage]), sum(config.depths)
        dim, depth = config.dims[stage], config.depths[stage]
        if stage < config.convolutional:
            self.blocks = nn.ModuleList(ConvBlock(dim) for _ in range(depth))
        else:
            rates = [config.drop_path * (first + index) / max(1, total - 1) for index in range(depth)]
            self.blocks = nn.ModuleList(
                SwinBlock(dim, config.heads[stage], config, side, index % 2 == 1, rate) for index, rate in enumerate(rates)
            )
        self.downsample = PatchMerging(dim) if stage < 3 else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The output of the stage and the input of the next one (the output again after the last stage)."""
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x)


class PatchEmbed(nn.Module):
    """Image [B, 3, S, S] to cells [B, S/4, S/4, C], one linear map of each 4 x 4 patch."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, 4, stride=4)
        self.norm = nn.LayerNorm(dim)

    def forward(self, image: Tensor) -> Tensor:
        return self.norm(self.proj(image).permute(0, 2, 3, 1))


class ConvStem(nn.Module):
    """Image [B, 3, S, S] to cells [B, S/4, S/4, C] by two overlapping convolutions of stride 2.

    Xiao et al. 2021, "Early Convolutions Help Transformers See Better".
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, dim // 2, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(dim // 2, momentum=BATCH_MOMENTUM)
        self.conv2 = nn.Conv2d(dim // 2, dim, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(dim, momentum=BATCH_MOMENTUM)

    def forward(self, image: Tensor) -> Tensor:
        maps = F.relu(self.norm1(self.conv1(image.contiguous(memory_format=torch.channels_last))))
        return F.relu(self.norm2(self.conv2(maps))).permute(0, 2, 3, 1)


def fold_batch_norms(encoder: nn.Module) -> None:
    """Folds every batch norm into the preceding convolution, in place; results in evaluation mode stay the same."""
    for module in encoder.eval().modules():
        if isinstance(module, ConvBlock | ConvStem):
            module.conv1, module.norm1 = fuse_conv_bn_eval(module.conv1, module.norm1), nn.Identity()  # type: ignore[assignment]
            module.conv2, module.norm2 = fuse_conv_bn_eval(module.conv2, module.norm2), nn.Identity()  # type: ignore[assignment]


class VisionEncoder(nn.Module):
    """Normalised image [B, 3, S, S] to res2 [B, C, S/4, S/4] .. res5 [B, 8C, S/32, S/32]."""

    def __init__(self, config: VisionConfig, window_px: int) -> None:
        super().__init__()
        for stage in range(3):
            if config.dims[stage + 1] != 2 * config.dims[stage]:
                raise ValueError(f"vision.dims {config.dims} must double at each stage")
        self.patch_embed = (ConvStem if config.convolutional else PatchEmbed)(config.dims[0])
        self.layers = nn.ModuleList(Stage(config, stage, window_px // (4 << stage)) for stage in range(4))
        for stage, dim in enumerate(config.dims):
            self.add_module(f"norm{stage}", nn.LayerNorm(dim))

    def forward(self, image: Tensor) -> list[Tensor]:
        x = self.patch_embed(image)
        outputs = []
        for index, stage in enumerate(self.layers):
            output, x = stage(x)
            # Row-major, because torch's channels-last convolutions and group norms are less precise on the CPU.
            outputs.append(self.get_submodule(f"norm{index}")(output).permute(0, 3, 1, 2).contiguous())
        return outputs
