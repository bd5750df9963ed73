"""Tensors of a published release, validated by key and read from its files one at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.network.vision_encoder import relative_position_index

#: Releases saved with transformers 4.37 or later split the language model's projections.
_SPLIT_PROJECTION = re.compile(r"(.*\.self_attn)\.(q|k|v)_proj\.(weight|bias)")

#: Files are reopened after this many bytes, so that pages already read no longer count as memory of this process.
_REOPEN_BYTES = 64_000_000


@dataclass(frozen=True)
class Layout:
    """Shape and kind of a tensor, known without reading it."""

    shape: tuple[int, ...]
    floating: bool


def weight_files(folder: Path) -> list[Path]:
    """The weights of a release: `.safetensors` files, else PyTorch's `.bin`; raises FileNotFoundError if there are none."""
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        files = sorted(folder.glob(pattern))
        if files:
            return files
    raise FileNotFoundError(f"no .safetensors and no pytorch_model*.bin file in {folder}")


class ReleaseWeights:
    """The tensors of a release's files by the keys of the published layout.

    `q_proj`, `k_proj` and `v_proj` are joined to `query_key_value`, head by head as (q, k, v). Raises ValueError for a
    duplicate key and for an incomplete projection.
    """

    def __init__(self, folder: Path, heads: int) -> None:
        self.folder, self._heads = folder, heads
        self._files: dict[str, Path] = {}
        stored: dict[str, Layout] = {}
        for path in weight_files(folder):
            for key, layout in _layouts(path).items():
                if key in stored:
                    raise ValueError(f"{key} is in {path.name} and also in an earlier file of {folder}")
                stored[key], self._files[key] = layout, path
        self._parts = _split_projections(stored)
        self.layouts = {key: layout for key, layout in stored.items() if not _SPLIT_PROJECTION.fullmatch(key)}
        for key, parts in self._parts.items():
            first = stored[parts[0]]
            self.layouts[key] = Layout((sum(stored[part].shape[0] for part in parts), *first.shape[1:]), first.floating)
        self._opened: Path | None = None
        self._tensor: Callable[[str], Tensor] | None = None
        self._bytes = 0

    def read(self, key: str) -> Tensor:
        """A tensor in its published dtype."""
        if key not in self._parts:
            return self._stored(key)
        per_head = [self._stored(part).unflatten(0, (self._heads, -1)) for part in self._parts[key]]
        return torch.stack(per_head, 1).flatten(0, 2)

    def _stored(self, key: str) -> Tensor:
        path = self._files[key]
        if self._tensor is None or path != self._opened or self._bytes > _REOPEN_BYTES:
            self._tensor, self._opened, self._bytes = _open(path), path, 0
        tensor = self._tensor(key)
        self._bytes += tensor.nbytes
        return tensor

    def check(self, config: ModelConfig) -> None:
        """Raises ValueError naming keys that are missing, unknown, or of another shape, kind or value than expected."""
        with torch.device("meta"):
            expected = SegEarthR1(config).state_dict()
        both = self.layouts.keys() & expected.keys()
        for problem, keys in (
            ("missing", expected.keys() - self.layouts.keys()),
            ("unknown", self.layouts.keys() - expected.keys()),
            ("of another shape", {key for key in both if self.layouts[key].shape != tuple(expected[key].shape)}),
            ("of another kind", {key for key in both if self.layouts[key].floating != expected[key].is_floating_point()}),
        ):
            if keys:
                raise ValueError(f"{len(keys)} weights are {problem}, among them {', '.join(sorted(keys)[:3])}")
        index = relative_position_index(config.swin.window)
        for key in expected:
            if key.endswith("relative_position_index") and not torch.equal(self.read(key), index):
                raise ValueError(f"{key} does not match windows of {config.swin.window} cells")


def _split_projections(stored: dict[str, Layout]) -> dict[str, list[str]]:
    """Keys of q, k and v by joined key."""
    found: dict[str, dict[str, str]] = {}
    for key in stored:
        match = _SPLIT_PROJECTION.fullmatch(key)
        if match is not None:
            found.setdefault(f"{match[1]}.query_key_value.{match[3]}", {})[match[2]] = key
    for joined, parts in found.items():
        if set(parts) != set("qkv"):
            raise ValueError(f"{joined} needs q_proj, k_proj and v_proj; only {', '.join(sorted(parts))} exist")
        if joined in stored:
            raise ValueError(f"{joined} exists both joined and split")
    return {joined: [parts[part] for part in "qkv"] for joined, parts in found.items()}


def _layouts(path: Path) -> dict[str, Layout]:
    if path.suffix == ".bin":
        tensors = torch.load(path, map_location="meta", weights_only=True, mmap=True)
        return {key: Layout(tuple(value.shape), value.is_floating_point()) for key, value in tensors.items()}
    with safe_open(path, framework="pt") as opened:
        slices = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118 (safetensors files are no mappings)
        return {key: Layout(tuple(part.get_shape()), "F" in part.get_dtype()) for key, part in slices.items()}


def _open(path: Path) -> Callable[[str], Tensor]:
    if path.suffix == ".bin":
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True).__getitem__
    return safe_open(path, framework="pt").get_tensor
