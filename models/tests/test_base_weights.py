"""Initial weights of the published training, from tiny files in the layouts of Phi-1.5 and Mask2Former."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segmenter.language.files import TOKENIZER_FILE
from segmenter.network.checkpoint import network_of
from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.published.base_weights import BaseWeightsError, base_weights, mask2former_weights, widened, widened_tokenizer
from training import small_published


@pytest.fixture(scope="module")
def config() -> ModelConfig:
    config = small_published()
    return replace(config, vocabulary=replace(config.vocabulary, size=42, pad_id=40, seg_id=41, before_image=(1, 2)))


@pytest.fixture(scope="module")
def other(config: ModelConfig) -> dict[str, Tensor]:
    """Weights of another network of the same sizes; the two files hold them."""
    torch.manual_seed(5)
    return SegEarthR1(config).state_dict()


@pytest.fixture
def phi(tmp_path: Path, other: dict[str, Tensor]) -> Path:
    """Its table has more rows than are used, and its lm_head a bias."""
    language = {k: v.contiguous() for k, v in other.items() if k.startswith(("model.layers.", "model.final_layernorm."))}
    tables = {k: torch.cat((other[k], other[k])) for k in ("model.embed_tokens.weight", "lm_head.weight")}
    folder = tmp_path / "phi"
    folder.mkdir()
    save_file({**language, **tables, "lm_head.bias": torch.zeros(84)}, folder / "model.safetensors")
    return folder


@pytest.fixture
def mask2former(tmp_path: Path, other: dict[str, Tensor]) -> Path:
    """Without the biases of the last step's convolutions, with a class head that the network lacks."""
    arrays = {"sem_seg_head.predictor.class_embed.weight": torch.zeros(2, 2).numpy()}
    for key, value in other.items():
        for ours, theirs in (
            ("model.vision_tower.", "backbone."), ("pixel_decoder.", "sem_seg_head.pixel_decoder."),
            ("predictor.", "sem_seg_head.predictor."),
        ):  # fmt: skip
            if key.startswith(ours) and not key.endswith(("adapter_1.0.bias", "layer_1.0.bias")):
                name = key.replace(ours, theirs, 1)
                for part in ("adapter_1", "layer_1"):
                    name = name.replace(f"{part}.0.", f"{part}.").replace(f"{part}.1.", f"{part}.norm.")
                arrays[name.replace("query_feat", "static_query")] = value.numpy()
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "somebody"}, protocol=2))
    return path


def test_every_part_comes_from_its_file_or_starts_at_random(
    config: ModelConfig, other: dict[str, Tensor], phi: Path, mask2former: Path
) -> None:
    weights = base_weights(config, phi, mask2former)
    network = network_of(config, weights)  # every weight is there and fits
    found = network.state_dict()
    changed = {key for key in other if not torch.equal(found[key], other[key])}
    fresh = ("model.mm_projector.", "text_projector.", "origin_SEG", "local_project.", "SEG_token_projector.", "d_layers.")
    tables = {"model.embed_tokens.weight", "lm_head.weight"}
    assert tables <= changed
    assert all(key in tables or key.startswith(fresh) for key in changed), sorted(changed)
    for key in tables:
        assert torch.equal(found[key][:40], other[key][:40])
        assert torch.allclose(found[key][40], other[key][:40].mean(0), atol=1e-6)


def test_a_table_without_room_is_refused() -> None:
    with pytest.raises(BaseWeightsError, match=r"a table of 3 tokens has no room for \[PAD\] at 5"):
        widened(torch.zeros(3, 2), 5, 6)


def test_files_that_do_not_fit_are_named(config: ModelConfig, phi: Path, mask2former: Path, tmp_path: Path) -> None:
    deeper = replace(config, language=replace(config.language, layers=3))
    with pytest.raises(BaseWeightsError, match=r"phi lacks 10 weights of Phi-1\.5"):
        base_weights(deeper, phi, mask2former)
    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps({"model": {"backbone.norm0.weight": torch.zeros(3).numpy()}}))
    with pytest.raises(BaseWeightsError, match=r"other\.pkl lacks \d+ weights of the vision encoder"):
        base_weights(config, phi, path)
    with pytest.raises(BaseWeightsError, match=r"tokenizer\.json does not exist"):
        widened_tokenizer(phi, config)
    (phi / "tokenizer.json").write_bytes(TOKENIZER_FILE.read_bytes())
    with pytest.raises(BaseWeightsError, match=r"\[PAD\] appended to .* has the id 9998; expected 40"):
        widened_tokenizer(phi, config)


class Burglar:
    """Its pickle asks for a file to be made."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.trace,))


def test_a_model_file_that_would_run_code_is_refused_unread(tmp_path: Path) -> None:
    path, trace = tmp_path / "model.pkl", tmp_path / "was-here"
    contents: tuple[object, ...] = ({"model": Burglar(trace)}, {"weights": {}}, [1])
    for content in contents:
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(BaseWeightsError, match="is not a Mask2Former model file"):
            mask2former_weights(path)
    assert not trace.exists()
