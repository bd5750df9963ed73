"""Connector: maps the coarsest image features to tokens of the language model, sixteen cells per token."""

from __future__ import annotations

from torch import Tensor, nn


class Connector(nn.Module):
    """res5 [B, C, S/32, S/32] to image tokens [B, (S/128)^2, hidden], row-major.

    Two strided convolutions, each normalised over the whole map (channels, rows, columns), and a 1x1 convolution.
    No activation function.
    """

    def __init__(self, channels: int, hidden: int, side: int) -> None:
        super().__init__()
        self.proj1 = nn.Conv2d(channels, hidden, 3, stride=2, padding=1)
        self.norm1 = nn.LayerNorm((hidden, side // 2, side // 2))
        self.proj2 = nn.Conv2d(hidden, hidden, 3, stride=2, padding=1)
        self.norm2 = nn.LayerNorm((hidden, side // 4, side // 4))
        self.fc = nn.Conv2d(hidden, hidden, 1)

    def forward(self, res5: Tensor) -> Tensor:
        x = self.norm1(self.proj1(res5))
        x = self.norm2(self.proj2(x))
        return self.fc(x).flatten(2).transpose(1, 2)
