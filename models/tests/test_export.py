"""Exported graphs of a tiny network against the network, and what the manifest says about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from segmenter.export.export import export_model
from segmenter.export.graph_check import RELATIVE_LIMIT, check_graphs, open_graph, relative_difference, run_graph, run_module
from segmenter.export.graphs import graphs
from segmenter.export.manifest import Release, copy_tokenizer
from segmenter.export.onnx_file import STAGES, export_graph
from segmenter.export.restore import RestoreError, restore
from segmenter.language.files import TOKENIZER_FILE
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.checkpoint import load_network, read_checkpoint, save_checkpoint
from segmenter.network.config import TASKS, ModelConfig
from segmenter.network.lite_config import LiteConfig
from segmenter.network.mask_generator import joined_logits
from segmenter.network.network import SegEarthR1, normalise
from segmenter.network.streamed import streamed_network
from tiny import as_stored, tiny, tiny_lite

RELEASE = Release("7", "Apache-2.0", (0.2, 5.0), [{"name": "none", "licence": "none", "use": "test"}], {"gIoU": 0.5})


def random_network(config: ModelConfig) -> SegEarthR1:
    torch.manual_seed(5)
    network = SegEarthR1(config).eval()
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.3)
    return network


@pytest.fixture(scope="module", params=[tiny, tiny_lite], ids=["swin", "lite"])
def network(request: pytest.FixtureRequest) -> SegEarthR1:
    return random_network(request.param())


@pytest.fixture(scope="module")
def folder(network: SegEarthR1, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("tiny") / "7"
    differences = export_model(network.config, network.state_dict().__getitem__, made, TOKENIZER_FILE, RELEASE)
    assert set(differences) == {"vision", "language", "mask"}
    assert max(differences.values()) <= RELATIVE_LIMIT
    yield made


def test_three_graphs_wired_by_name_give_what_the_network_gives(network: SegEarthR1, folder: Path) -> None:
    rounded, config = as_stored(network), network.config
    sessions = {name: open_graph(folder / f"{name}.onnx") for name in ("vision", "language", "mask")}
    pixels = np.random.default_rng(1).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    ids, mask = QuestionTokenizer.load().batch(["boats", "where could a pilot land?", "roads"])
    seen = run_graph(sessions["vision"], {"image": pixels})
    for task in TASKS:
        prefix = np.array([config.prompt(task)])
        none = np.zeros((2, 2, 0, 8), np.float32)
        first = run_graph(
            sessions["language"],
            {**seen, "input_ids": prefix, "attention_mask": prefix * 0 + 1, "past_keys": none, "past_values": none},
        )
        past = {"past_keys": first["present_keys"][:, 0], "past_values": first["present_values"][:, 0]}
        question = {**seen, **past, "input_ids": ids.numpy(), "attention_mask": mask.numpy()}
        description = run_graph(sessions["language"], question)["description"]
        logits = run_graph(sessions["mask"], {**seen, "description": description})["logits"]

        index = torch.zeros(3, dtype=torch.int64)
        with torch.no_grad():
            state = rounded.encode_image(normalise(torch.from_numpy(pixels)))
            described = rounded.describe(state, index, task, ids, mask)
            stages, presence = rounded.segment(state, index, described)
            assert presence is not None
            expected = joined_logits(stages[-1], presence[:, None, None]).numpy()
        assert relative_difference(description, described.numpy()) <= RELATIVE_LIMIT
        assert relative_difference(logits, expected) <= RELATIVE_LIMIT
        assert not (((logits > 0) != (expected > 0)) & (np.abs(expected) >= 1e-3)).any()


def test_one_question_of_one_token_and_one_cached_position_are_enough(network: SegEarthR1, folder: Path) -> None:
    rounded = as_stored(network)
    session = open_graph(folder / "language.onnx")
    past = np.random.default_rng(2).standard_normal((2, 2, 1, 8)).astype(np.float32)
    feeds = {
        "input_ids": np.array([[rounded.config.vocabulary.seg_id]]),
        "attention_mask": np.array([[1]]),
        "image_tokens": np.zeros((1, 16), np.float32),
        "past_keys": past,
        "past_values": past,
    }
    language = graphs(rounded)[1]
    with torch.no_grad():
        expected = language.module(*(torch.from_numpy(feeds[tensor.name]) for tensor in language.inputs))[0]
    assert relative_difference(run_graph(session, feeds)["description"], expected.numpy()) <= RELATIVE_LIMIT


def test_the_manifest_describes_the_files_beside_it(network: SegEarthR1, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    words = network.config.vocabulary
    assert (manifest["name"], manifest["version"], manifest["license"]) == ("tiny", "7", "Apache-2.0")
    assert (manifest["windowPx"], manifest["logitsPx"], manifest["imageTokens"]) == (128, 32, 1)
    assert manifest["gsdM"] == {"min": 0.2, "max": 5.0}
    assert manifest["vocabSize"] == words.size
    assert manifest["prompt"]["REFERRING"] == [*words.before_image, words.size, *words.after_image["REFERRING"]]
    assert manifest["trainingData"] == RELEASE.training_data
    assert manifest["accuracy"] == {"gIoU": 0.5}
    assert set(manifest["files"]) == {"vision", "language", "mask", "tokenizer"}
    for entry in manifest["files"].values():
        content = (folder / entry["path"]).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", ["vision", "language", "mask"])
def test_graphs_have_the_tensors_of_the_manifest_and_no_trace_of_the_machine(folder: Path, name: str) -> None:
    entry = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"][name]
    model = onnx.load(folder / f"{name}.onnx")
    for values, tensors in ((model.graph.input, entry["inputs"]), (model.graph.output, entry["outputs"])):
        assert [value.name for value in values] == [tensor["name"] for tensor in tensors]
        for value, tensor in zip(values, tensors, strict=True):
            axes = [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
            assert axes == tensor["shape"]
    assert str(Path(__file__).parents[1]).encode() not in (folder / f"{name}.onnx").read_bytes()


def test_matrices_are_stored_as_float16(folder: Path) -> None:
    model = onnx.load(folder / "language.onnx")
    halves = [array.name for array in model.graph.initializer if array.data_type == onnx.TensorProto.FLOAT16]
    assert any("embed_tokens" in name for name in halves)


def test_the_stages_of_the_encoder_have_names_inside_the_vision_graph(network: SegEarthR1, folder: Path) -> None:
    model = onnx.load(folder / "vision.onnx")
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in STAGES)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(4).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    found = session.run(list(STAGES), {"image": pixels})
    with torch.no_grad():
        expected = as_stored(network).encode_image(normalise(torch.from_numpy(pixels))).features
    for value, features in zip(found, expected, strict=True):
        assert relative_difference(value, features.numpy()) <= RELATIVE_LIMIT


def test_a_network_whose_matrices_stay_in_their_file_computes_the_same(network: SegEarthR1, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "step.pt", network.config, network.state_dict())
    before = (tmp_path / "step.pt").read_bytes()
    entries = read_checkpoint(tmp_path / "step.pt", in_place=True)
    ids, mask = QuestionTokenizer.load().batch(["boats", "where could a pilot land?"])
    pixels = torch.randint(0, 256, (1, 128, 128, 3), dtype=torch.uint8)

    def described(one: SegEarthR1) -> torch.Tensor:
        with torch.no_grad():
            state = one.encode_image(normalise(pixels))
            return one.describe(state, torch.zeros(2, dtype=torch.int64), "REASONING", ids, mask)

    opened = streamed_network(entries["config"], entries["weights"].__getitem__, "fp32")
    assert not any(tensor.is_meta for tensor in (*opened.parameters(), *opened.buffers()))
    torch.testing.assert_close(described(opened), described(network))
    rounded = streamed_network(entries["config"], entries["weights"].__getitem__, "fp16")
    assert not torch.equal(rounded.text_projector.weight, network.text_projector.weight)
    assert (tmp_path / "step.pt").read_bytes() == before  # rounded in memory, never in the file


def test_weights_beyond_float16_are_refused_by_name(network: SegEarthR1) -> None:
    spoilt = random_network(tiny())
    with torch.no_grad():
        spoilt.text_projector.weight[0, 0] = 1e6
    with pytest.raises(ValueError, match=r"text_projector\.weight has magnitude 1000000\.0; the float16 limit is 65504"):
        as_stored(spoilt)


def test_a_graph_of_other_weights_does_not_pass_the_check(network: SegEarthR1, folder: Path) -> None:
    other = SegEarthR1(network.config).eval()
    with pytest.raises(ValueError, match=r"vision\.\w+ is .* off torch's; the limit is 0\.0001"):
        check_graphs(other, graphs(other), folder)


def test_the_mask_graph_of_a_network_without_presence_gives_the_mask_logits() -> None:
    network = random_network(tiny(presence=False))
    vision, _, mask = graphs(network)
    pixels, description = torch.randint(0, 256, (1, 128, 128, 3), dtype=torch.uint8), torch.randn(2, 16)
    with torch.no_grad():
        seen = vision.module(pixels)
        found = mask.module(description, *seen[1:])
        state = network.encode_image(normalise(pixels))
        stages, presence = network.segment(state, torch.zeros(2, dtype=torch.int64), description)
    assert presence is None
    torch.testing.assert_close(found, stages[-1])


def test_weights_too_large_for_one_file_lie_beside_the_graph(
    network: SegEarthR1, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segmenter.export.onnx_file._LARGEST_FILE", 1000)
    mask = graphs(network)[2]
    export_graph(mask, tmp_path / "mask.onnx")
    assert (tmp_path / "mask.weights").stat().st_size > 10_000
    rng = np.random.default_rng(3)
    feeds = {
        tensor.name: rng.standard_normal([axis if isinstance(axis, int) else 2 for axis in tensor.shape]).astype(np.float32)
        for tensor in mask.inputs
    }
    found = run_graph(open_graph(tmp_path / "mask.onnx"), feeds)["logits"]
    assert relative_difference(found, run_module(mask, feeds)["logits"]) <= RELATIVE_LIMIT


def test_exported_graphs_give_the_weights_back(network: SegEarthR1, folder: Path) -> None:
    """All that a graph reads, as float16 holds it: query and key of a query alone are read by none."""
    if not isinstance(network.config.vision, LiteConfig):
        pytest.skip("the exporter folds the tables of so small a Swin encoder into others; those of the compact one it leaves")
    restored, expected = restore(network.config, folder), as_stored(network).state_dict()
    found = streamed_network(network.config, restored.__getitem__, "fp16").state_dict()
    for name, value in expected.items():
        read = slice(2 * len(value) // 3 if ".self_attn.in_proj" in name else 0, None)
        if value.ndim and not name.endswith(".stand_in"):
            assert torch.equal(found[name][read], value[read]), name
    for name in ("model.embed_tokens.weight", "model.layers.1.mlp.fc2.weight"):
        assert torch.equal(restored[name], network.state_dict()[name].half().float())
    layers = replace(network.config.mask_generator, layers=2)
    with pytest.raises(RestoreError, match="the graphs have other nodes"):
        restore(replace(network.config, mask_generator=layers), folder)


def test_a_checkpoint_gives_the_network_back(network: SegEarthR1, tmp_path: Path) -> None:
    path = tmp_path / "made" / "step.pt"
    save_checkpoint(path, network.config, network.state_dict(), step=3)
    loaded = load_network(path)
    assert loaded.config == network.config
    assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in network.state_dict().items())
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_network(tmp_path / "absent.pt")


def test_a_tokenizer_of_another_size_is_refused(network: SegEarthR1, tmp_path: Path) -> None:
    other = Tokenizer.from_file(str(TOKENIZER_FILE))
    other.add_tokens(["terraquake"])
    other.save(str(tmp_path / "other.json"))
    with pytest.raises(ValueError, match="PAD"):
        copy_tokenizer(tmp_path / "other.json", tmp_path, network.config)
