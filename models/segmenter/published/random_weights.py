"""Random full-size weights, seeded by their key names; the reference vectors were computed with them.

They allow checking network, conversion and export against the published code without the published weights: the vectors
hold that code's results for the same weights.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.network.vision_encoder import relative_position_index

_EMBEDDINGS = ("embed_tokens", "level_embed", "query_embed", "query_feat", "seg_query")
_ATTENTION = ("qkv.weight", "query_key_value.weight", "in_proj_weight", "to_q.weight", "to_kv.weight")
_RESIDUAL = (
    *("attn.proj.weight", "mlp.fc2.weight", "dense.weight", "out_proj.weight", "output_proj.weight"),
    *("linear2.weight", "to_out.weight", "d_layers.layers.0.1.3.weight"),
)

#: Minimum bytes of a complete shard.
_SHARD_BYTES = 500_000_000


def random_weight(key: str, shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """The float32 weight of a key: seeded normal numbers, scaled by the kind of the parameter."""
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode()) ^ seed))
    normal = rng.standard_normal(shape, dtype=np.float32)
    if key.endswith("relative_position_bias_table"):
        return np.float32(0.5) * normal
    if key.endswith("sampling_offsets.bias"):
        return np.float32(2.0) * normal
    if key.endswith("bias"):
        return np.float32(0.02 if key.startswith("predictor") else 0.05) * normal
    if any(part in key for part in _EMBEDDINGS):
        return np.float32(1.5) * normal
    if normal.ndim == 1 or "mm_projector.norm" in key:
        return np.float32(1) + np.float32(0.1) * normal
    gain = 1.0
    if key.endswith(_RESIDUAL):
        gain = 0.25
    elif key.endswith(_ATTENTION):
        gain = 1.5
    elif key.endswith("sampling_offsets.weight"):
        gain = 0.5
    return np.float32(gain / math.sqrt(math.prod(shape[1:]))) * normal


def write_release(folder: Path, config: ModelConfig, seed: int) -> int:
    """Writes a sharded checkpoint in the published layout, with one shard in memory; returns the number of tensors."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.device("meta"):
        expected = SegEarthR1(config).state_dict()
    shard: dict[str, Tensor] = {}
    number = 0
    for key, like in expected.items():
        if key.endswith("relative_position_index"):
            shard[key] = relative_position_index(config.swin.window)
        else:
            shard[key] = torch.from_numpy(random_weight(key, tuple(like.shape), seed))
        if sum(tensor.nbytes for tensor in shard.values()) >= _SHARD_BYTES:
            save_file(shard, folder / f"model-{number:05}.safetensors")
            shard, number = {}, number + 1
    if shard:
        save_file(shard, folder / f"model-{number:05}.safetensors")
    return len(expected)
