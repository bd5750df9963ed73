"""Checkpoint files with a configuration and its weights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.network.streamed import computed_buffers, floats


def save_checkpoint(path: Path, config: ModelConfig, weights: dict[str, Tensor], **extra: Any) -> None:
    """Writes the file atomically. `weights` is a state dict, `extra` plain data (step, optimiser, accuracy)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save({"config": config.to_dict(), "weights": weights, **extra}, partial)
    os.replace(partial, path)


def read_checkpoint(path: Path, in_place: bool = False) -> dict[str, Any]:
    """The entries of the file: `config` (a ModelConfig), `weights` and extras; tensors on the CPU.

    `in_place` memory-maps the tensors. Raises FileNotFoundError, or ValueError if the file is not a checkpoint of this
    package.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    entries = torch.load(path, map_location="cpu", weights_only=True, mmap=in_place)
    if not isinstance(entries, dict) or not {"config", "weights"} <= entries.keys():
        raise ValueError(f"{path} is not a checkpoint: it must contain `config` and `weights`")
    return {**entries, "config": ModelConfig.from_dict(entries["config"])}


def network_of(config: ModelConfig, weights: dict[str, Tensor]) -> SegEarthR1:
    """The network in evaluation mode with float32 `weights`, not copied; all weights must match.

    Skips random initialisation, which takes minutes and 6 GB at full size.
    """
    with torch.device("meta"):
        network = SegEarthR1(config)
    network.load_state_dict({key: floats(value) for key, value in weights.items()}, assign=True)
    for name, buffer in computed_buffers(config).items():
        owner, _, leaf = name.rpartition(".")
        if network.get_buffer(name).is_meta:
            setattr(network.get_submodule(owner), leaf, buffer)
    return network.eval()


def load_network(path: Path) -> SegEarthR1:
    """The network of a checkpoint in evaluation mode; all weights must match."""
    entries = read_checkpoint(path)
    network = SegEarthR1(entries["config"])
    network.load_state_dict(entries["weights"])
    return network.eval()
