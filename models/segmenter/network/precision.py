"""How exported graphs hold matrices and kernels: as float32, as float16, or the language model's as int8.

Vectors (biases, norms, scales) stay float32 everywhere. All arithmetic is float32: a runtime widens what is stored.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segmenter.network.config import Precision

_HALF_END = 65504


def to_half(name: str, weight: Tensor) -> Tensor:
    """The weight as float16; raises ValueError, naming it, where float16 cannot hold a value."""
    half = weight.half()
    if not bool(half.isfinite().all()):
        largest = float(weight.float().abs().max())
        raise ValueError(f"{name} holds {largest}; float16 ends at {_HALF_END}, export with --precision fp32")
    return half


def to_int8(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix [out, in] as int8 and a float32 scale per output [out]: the row's largest value becomes 127.

    Symmetric, without zero points, as ONNX's DequantizeLinear reads it: value = int8 * scale.
    """
    rows = matrix.float()
    largest = torch.maximum(rows.amax(1), -rows.amin(1))
    scale = torch.where(largest > 0, largest / 127, 1.0)
    return (rows / scale[:, None]).round_().clamp_(-127, 127).to(torch.int8), scale


def as_held(name: str, weight: Tensor, precision: Precision) -> Tensor:
    """The float32 values [out, in] that a graph computes with when it holds a matrix in `precision`."""
    if precision == "fp16":
        return to_half(name, weight).float()
    if precision == "int8":
        values, scale = to_int8(weight)
        return values.float().mul_(scale[:, None])
    return weight.float()
