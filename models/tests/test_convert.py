"""Published weights to a checkpoint, on a tiny network of the published layout."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segmenter.checkpoint import load_network
from segmenter.config import ModelConfig
from segmenter.convert import convert
from segmenter.network import SegEarthR1
from tiny import tiny


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return dataclasses.replace(tiny(presence=False), published_layout=True)


@pytest.fixture(scope="module")
def released(config: ModelConfig) -> dict[str, Tensor]:
    torch.manual_seed(2)
    weights = SegEarthR1(config).state_dict()
    return {key: value.bfloat16() if value.is_floating_point() else value for key, value in weights.items()}


def save_shards(weights: dict[str, Tensor], folder: Path) -> None:
    keys = sorted(weights)
    for number, part in enumerate((keys[::2], keys[1::2])):
        save_file({key: weights[key].contiguous() for key in part}, folder / f"model-{number}.safetensors")


def test_a_sharded_release_loads_value_for_value(config: ModelConfig, released: dict[str, Tensor], tmp_path: Path) -> None:
    save_shards(released, tmp_path)
    assert convert(tmp_path, tmp_path / "made.pt", config) == len(released)
    loaded = load_network(tmp_path / "made.pt").state_dict()
    assert all(torch.equal(loaded[key], value.to(loaded[key].dtype)) for key, value in released.items())


def test_projections_that_come_apart_are_joined_head_by_head(
    config: ModelConfig, released: dict[str, Tensor], tmp_path: Path
) -> None:
    apart = {}
    for key, value in released.items():
        if ".query_key_value." not in key:
            apart[key] = value
            continue
        heads = value.unflatten(0, (2, 3, 8))
        for number, part in enumerate("qkv"):
            apart[key.replace("query_key_value", f"{part}_proj")] = heads[:, number].flatten(0, 1)
    save_shards(apart, tmp_path)
    convert(tmp_path, tmp_path / "made.pt", config)
    loaded = load_network(tmp_path / "made.pt").state_dict()
    assert all(torch.equal(loaded[key], value.to(loaded[key].dtype)) for key, value in released.items())


def test_missing_unknown_and_misshapen_weights_are_named(
    config: ModelConfig, released: dict[str, Tensor], tmp_path: Path
) -> None:
    for change, message in (
        ({"seg_query": None}, "1 weights are missing, among them seg_query"),
        ({"surplus": torch.zeros(1)}, "1 weights are unknown, among them surplus"),
        ({"seg_query": torch.zeros(3)}, "1 weights are of another shape, among them seg_query"),
    ):
        changed = {key: value for key, value in {**released, **change}.items() if value is not None}
        save_shards(changed, tmp_path)
        with pytest.raises(ValueError, match=message):
            convert(tmp_path, tmp_path / "made.pt", config)
    with pytest.raises(FileNotFoundError, match=r"no \.safetensors file"):
        convert(tmp_path / "absent", tmp_path / "made.pt", config)
