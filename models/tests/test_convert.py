"""Published weights to a checkpoint and to a model folder, on a tiny network of the published layout."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segmenter.commands.convert import add_arguments
from segmenter.commands.convert import convert as convert_release
from segmenter.export.graph_check import open_graph, run_graph
from segmenter.language.files import TOKENIZER_FILE
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.checkpoint import load_network, read_checkpoint
from segmenter.network.config import ModelConfig, VocabularyConfig
from segmenter.network.network import SegEarthR1
from segmenter.published.convert import published_origin, write_checkpoint
from segmenter.published.random_weights import random_weight, write_release
from segmenter.published.release_tokenizer import release_tokenizer
from segmenter.published.release_weights import ReleaseWeights
from tiny import tiny


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    return dataclasses.replace(tiny(presence=False), published_layout=True)


@pytest.fixture(scope="module")
def released(config: ModelConfig) -> dict[str, Tensor]:
    torch.manual_seed(2)
    weights = SegEarthR1(config).state_dict()
    return {key: value.bfloat16() if value.is_floating_point() else value for key, value in weights.items()}


def convert(folder: Path, out: Path, config: ModelConfig, release: str | None = None) -> int:
    """Checks a release and writes its checkpoint; returns the number of tensors."""
    weights = ReleaseWeights(folder, config.language.heads)
    weights.check(config)
    write_checkpoint(weights, out, config, published_origin(folder, release))
    return len(weights.layouts)


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
        ({"seg_query": torch.zeros(100, 16, dtype=torch.int64)}, "1 weights are of another kind, among them seg_query"),
    ):
        changed = {key: value for key, value in {**released, **change}.items() if value is not None}
        save_shards(changed, tmp_path)
        with pytest.raises(ValueError, match=message):
            convert(tmp_path, tmp_path / "made.pt", config)
    with pytest.raises(FileNotFoundError, match=r"no \.safetensors and no pytorch_model"):
        convert(tmp_path / "absent", tmp_path / "made.pt", config)


def test_a_release_in_pytorch_files_loads_the_same(config: ModelConfig, released: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(released, tmp_path / "pytorch_model.bin")
    assert convert(tmp_path, tmp_path / "made.pt", config) == len(released)
    loaded = load_network(tmp_path / "made.pt").state_dict()
    assert all(torch.equal(loaded[key], value.to(loaded[key].dtype)) for key, value in released.items())


def test_positions_of_another_window_are_refused(config: ModelConfig, released: dict[str, Tensor], tmp_path: Path) -> None:
    key = next(key for key in released if key.endswith("relative_position_index"))
    save_shards({**released, key: released[key] + 1}, tmp_path)
    with pytest.raises(ValueError, match=r"relative_position_index does not match windows of 5 cells"):
        convert(tmp_path, tmp_path / "made.pt", config)


def test_the_name_of_the_release_stays_with_its_checksums(
    config: ModelConfig, released: dict[str, Tensor], tmp_path: Path
) -> None:
    save_shards(released, tmp_path)
    convert(tmp_path, tmp_path / "made.pt", config, "someone/weights")
    origin = read_checkpoint(tmp_path / "made.pt")["converted_from"]
    assert origin["release"] == "someone/weights"
    assert origin["sha256"] == {
        f"model-{n}.safetensors": hashlib.sha256((tmp_path / f"model-{n}.safetensors").read_bytes()).hexdigest() for n in (0, 1)
    }


def test_one_command_makes_a_model_folder_and_its_fused_form(config: ModelConfig, tmp_path: Path) -> None:
    write_release(tmp_path / "release", config, seed=3)
    shutil.copyfile(TOKENIZER_FILE, tmp_path / "release" / "tokenizer.json")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    out = tmp_path / "repository" / "tiny" / "1"
    words = [str(tmp_path / "release"), "--out", str(out), "--fused", "--release", "someone/weights"]
    convert_release(parser.parse_args(words), config)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["name"], manifest["version"], manifest["license"]) == ("tiny", "1", "Apache-2.0")
    assert manifest["convertedFrom"]["release"] == "someone/weights"
    assert f'name: "{config.name}"' in (out.parent / "config.pbtxt").read_text(encoding="utf-8")
    keys = [array.name for name in ("vision", "language", "mask") for array in onnx.load(out / f"{name}.onnx").graph.initializer]
    assert not any(dead in key for key in keys for dead in ("lm_head", "seg_query", "query_feat", "SEG_proj"))
    ids = np.array([[*config.prompt("REFERRING"), 5, config.vocabulary.seg_id]])
    mask = np.zeros_like(ids)
    mask[0, -2:] = 1
    feeds = {"image": np.zeros((1, 128, 128, 3), np.uint8), "input_ids": ids, "attention_mask": mask}
    assert run_graph(open_graph(out / "model.onnx"), feeds)["logits"].shape == (1, 32, 32)
    with pytest.raises(ValueError, match="nothing to write: give --out, --checkpoint or both"):
        convert_release(parser.parse_args([str(tmp_path / "release")]), config)


def slow_tokenizer_files(folder: Path) -> None:
    """Vocabulary, merges and added tokens as a release without tokenizer.json has them."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["Ġ"]
    vocabulary = {token: number for number, token in enumerate([*letters, "Ġs", "Ġsh", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\nĠ s\nĠs h\n", encoding="utf-8")
    added = {"   ": 30, "  ": 31, "[PAD]": 32, "[SEG]": 33}
    (folder / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")


def test_a_tokenizer_in_separate_files_becomes_one_file(tmp_path: Path) -> None:
    slow_tokenizer_files(tmp_path)
    words = VocabularyConfig(34, 32, 33, (), {})
    tokenizer = QuestionTokenizer(release_tokenizer(tmp_path, words))
    assert tokenizer.question("ships") == [28, 8, 15, 18, 33]
    assert tokenizer.encode("a  b   c") == [0, 31, 1, 30, 2]
    with pytest.raises(ValueError, match="has 34 tokens; the network has 35"):
        release_tokenizer(tmp_path, VocabularyConfig(35, 33, 34, (), {}))
    (tmp_path / "merges.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no tokenizer\.json, and no vocab\.json with merges\.txt"):
        release_tokenizer(tmp_path, words)


def test_random_weights_come_back_from_a_converted_release(config: ModelConfig, tmp_path: Path) -> None:
    write_release(tmp_path / "release", config, seed=3)
    convert(tmp_path / "release", tmp_path / "made.pt", config)
    for key, value in load_network(tmp_path / "made.pt").state_dict().items():
        if value.is_floating_point():
            assert np.array_equal(value.numpy(), random_weight(key, tuple(value.shape), 3)), key
