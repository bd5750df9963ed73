"""Checkpoint files: a configuration and the weights it fits, written and read as one."""

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
    """Writes the file whole or not at all. `weights` is a state dict, `extra` plain data (step, optimiser, accuracy)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save({"config": config.to_dict(), "weights": weights, **extra}, partial)
    os.replace(partial, path)


def read_checkpoint(path: Path, in_place: bool = False) -> dict[str, Any]:
    """The file's entries: `config` (a ModelConfig), `weights` and what was added; tensors on the CPU.

    With `in_place` the tensors stay in the file and are read when they are used.
    Raises FileNotFoundError, or ValueError where the file is no checkpoint of this package.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    entries = torch.load(path, map_location="cpu", weights_only=True, mmap=in_place)
    if not isinstance(entries, dict) or not {"config", "weights"} <= entries.keys():
        raise ValueError(f"{path} is no checkpoint: it must hold `config` and `weights`")
    return {**entries, "config": ModelConfig.from_dict(entries["config"])}


def network_of(config: ModelConfig, weights: dict[str, Tensor]) -> SegEarthR1:
    """The network in evaluation mode with float32 `weights` as they are, not copied; every weight must be there and fit.

    Nothing is drawn first: of the full size that would take minutes and 6 GB.
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
    """The network of a checkpoint in evaluation mode; every weight must be there and fit."""
    entries = read_checkpoint(path)
    network = SegEarthR1(entries["config"])
    network.load_state_dict(entries["weights"])
    return network.eval()
