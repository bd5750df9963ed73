"""Published SegEarth-R1 weights, as their authors release them, to a checkpoint and a tokenizer of this package."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from segmenter.checkpoint import save_checkpoint
from segmenter.config import ModelConfig, full
from segmenter.manifest import sha256_of
from segmenter.network import SegEarthR1
from segmenter.release_tokenizer import release_tokenizer
from segmenter.report_published import RELEASES
from segmenter.vision_encoder import relative_position_index

#: Releases saved with transformers 4.37 or later hold the language model's projections apart.
_SPLIT_PROJECTION = re.compile(r"(.*\.self_attn)\.(q|k|v)_proj\.(weight|bias)")


def weight_files(folder: Path) -> list[Path]:
    """The weights of a release: `.safetensors` files, else PyTorch's `.bin`; raises FileNotFoundError where none is."""
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        files = sorted(folder.glob(pattern))
        if files:
            return files
    raise FileNotFoundError(f"no .safetensors and no pytorch_model*.bin file in {folder}")


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a release, left in their files until they are used; raises ValueError where a key is there twice."""
    weights: dict[str, Tensor] = {}
    for path in weight_files(folder):
        for key, value in _read_file(path):
            if key in weights:
                raise ValueError(f"{key} is in {path.name} and in an earlier file of {folder}")
            weights[key] = value
    return weights


def _read_file(path: Path) -> Iterator[tuple[str, Tensor]]:
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as opened:
            for key in opened.keys():  # noqa: SIM118 (safetensors files are no mappings)
                yield key, opened.get_tensor(key)
    else:
        yield from torch.load(path, map_location="cpu", weights_only=True, mmap=True).items()


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
    for key in list(parts):
        found = parts.pop(key)
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


def convert(folder: Path, out: Path, config: ModelConfig, release: str | None = None) -> int:
    """Writes the checkpoint, weights in the dtype they came in; returns the number of tensors.

    `release` is what the weights were published as; it is kept with the checksums of the files, and an evaluation sets
    scores beside published ones only where it is known.
    """
    weights = fuse_projections(read_weights(folder), config.language.heads)
    check_weights(weights, config)
    check_positions(weights, config)
    extra: dict[str, Any] = {}
    if release is not None:
        checksums = {path.name: sha256_of(path) for path in weight_files(folder)}
        extra["converted_from"] = {"release": release, "sha256": checksums}
    save_checkpoint(out, config, weights, **extra)
    return len(weights)


def check_positions(weights: dict[str, Tensor], config: ModelConfig) -> None:
    """Raises ValueError where a stored `relative_position_index` is not the computed one."""
    expected = relative_position_index(config.vision.window)
    for key, value in weights.items():
        if key.endswith("relative_position_index") and not torch.equal(value, expected):
            raise ValueError(f"{key} is not that of windows of {config.vision.window} cells")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `convert`."""
    parser.add_argument("--source", type=Path, required=True, help="folder of the release: weights and tokenizer files")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write; the tokenizer goes beside it")
    parser.add_argument("--release", help=f"what the weights were published as, such as {RELEASES['EarthReason']}")


def main(args: argparse.Namespace) -> None:
    """Convert a release and say what was written."""
    count = convert(args.source, args.out, full(), args.release)
    print(f"{count} tensors to {args.out}")
    tokenizer = args.out.with_name("tokenizer.json")
    release_tokenizer(args.source, full().vocabulary).save(str(tokenizer))
    print(f"wrote {tokenizer}")
