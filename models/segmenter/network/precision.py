"""Storage of matrices and kernels in exported graphs: float32, float16, or int8 in the language model.

Vectors (biases, norms, scales) stay float32. All arithmetic is float32; runtimes convert stored values.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segmenter.network.config import Precision

_HALF_END = 65504


def to_half(name: str, weight: Tensor) -> Tensor:
    """The weight as float16; raises ValueError naming it if a value is out of range."""
    half = weight.half()
    if not bool(half.isfinite().all()):
        largest = float(weight.float().abs().max())
        raise ValueError(f"{name} has magnitude {largest}; the float16 limit is {_HALF_END}, export with --precision fp32")
    return half


def to_int8(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Quantises a matrix [out, in] to int8 with a float32 scale per output [out]; the largest magnitude of a row becomes 127.

    Symmetric, without zero points, as ONNX's DequantizeLinear reads it: value = int8 * scale.
    """
    rows = matrix.float()
    largest = torch.maximum(rows.amax(1), -rows.amin(1))
    scale = torch.where(largest > 0, largest / 127, 1.0)
    return (rows / scale[:, None]).round_().clamp_(-127, 127).to(torch.int8), scale


def stored_values(name: str, weight: Tensor, precision: Precision) -> Tensor:
    """The float32 values [out, in] of a matrix after storage in `precision`."""
    if precision == "fp16":
        return to_half(name, weight).float()
    if precision == "int8":
        values, scale = to_int8(weight)
        return values.float().mul_(scale[:, None])
    return weight.float()
