"""Published SegEarth-R1 weights (safetensors, as their authors release them) to a checkpoint of this package."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from segmenter.checkpoint import save_checkpoint
from segmenter.config import ModelConfig, full
from segmenter.network import SegEarthR1

#: Releases saved with transformers 4.37 or later hold the language model's projections apart.
_SPLIT_PROJECTION = re.compile(r"(.*\.self_attn)\.(q|k|v)_proj\.(weight|bias)")


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of the `.safetensors` files in a folder; raises ValueError where a key is there twice or none is."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"no .safetensors file in {folder}")
    weights: dict[str, Tensor] = {}
    for path in files:
        with safe_open(path, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118 (safetensors files are no mappings)
                if key in weights:
                    raise ValueError(f"{key} is in {path.name} and in an earlier file of {folder}")
                weights[key] = opened.get_tensor(key)
    return weights


def fuse_projections(weights: dict[str, Tensor], heads: int) -> dict[str, Tensor]:
    """Joins `q_proj`, `k_proj`, `v_proj` to `query_key_value`, laid out head by head as (q, k, v)."""
    fused: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in weights.items():
        match = _SPLIT_PROJECTION.fullmatch(key)
        if match is None:
            fused[key] = value
        else:
            parts.setdefault(f"{match[1]}.query_key_value.{match[3]}", {})[match[2]] = value
    for key, found in parts.items():
        if set(found) != set("qkv"):
            raise ValueError(f"{key} needs q_proj, k_proj and v_proj; only {', '.join(sorted(found))} are there")
        per_head = [found[part].unflatten(0, (heads, -1)) for part in "qkv"]
        fused[key] = torch.stack(per_head, 1).flatten(0, 2)
    return fused


def check_weights(weights: dict[str, Tensor], config: ModelConfig) -> None:
    """Raises ValueError naming the keys that are missing, unknown or of another shape."""
    with torch.device("meta"):
        expected = SegEarthR1(config).state_dict()
    for problem, keys in (
        ("missing", expected.keys() - weights.keys()),
        ("unknown", weights.keys() - expected.keys()),
        ("of another shape", {k for k in weights.keys() & expected.keys() if weights[k].shape != expected[k].shape}),
    ):
        if keys:
            raise ValueError(f"{len(keys)} weights are {problem}, among them {', '.join(sorted(keys)[:3])}")


def convert(folder: Path, out: Path, config: ModelConfig) -> int:
    """Writes the checkpoint, weights in the dtype they came in; returns the number of tensors."""
    weights = fuse_projections(read_weights(folder), config.language.heads)
    check_weights(weights, config)
    save_checkpoint(out, config, weights)
    return len(weights)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `convert`."""
    parser.add_argument("--source", type=Path, required=True, help="folder with the release's .safetensors files")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")


def main(args: argparse.Namespace) -> None:
    """Convert a release and say what was written."""
    count = convert(args.source, args.out, full())
    print(f"{count} tensors to {args.out}")
