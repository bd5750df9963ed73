"""The full-size network against reference vectors of the published code, with weights drawn by a rule.

The vectors (`golden.npz` and its image) are no part of the project; `SEGEARTH_GOLDEN` names their folder:
`SEGEARTH_GOLDEN=folder pytest -m golden -s`. The layers of the language model are drawn one at a time and dropped after
use, so that the run needs no memory for all of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.data.letterbox import letterbox, letterbox_geometry
from segmenter.network.config import ModelConfig, full
from segmenter.network.language_model import PhiLayer
from segmenter.network.network import SegEarthR1, normalise
from segmenter.published.golden_full import TASKS
from segmenter.published.random_weights import random_weight

GOLDEN = os.environ.get("SEGEARTH_GOLDEN")
pytestmark = [
    pytest.mark.golden,
    pytest.mark.skipif(GOLDEN is None, reason="SEGEARTH_GOLDEN names no folder with golden.npz"),
]


@dataclass
class Pass:
    """Reference arrays, and what our network computed for them without a batch axis."""

    golden: Any
    tensors: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor | None = None  # [3 prompts, 10 stages, 256, 256]


class DrawnLayers(nn.ModuleList):
    """The layers of the language model, each drawn when its turn comes."""

    def __init__(self, config: ModelConfig, seed: int) -> None:
        super().__init__()
        self.config, self.seed = config, seed

    def __iter__(self) -> Iterator[nn.Module]:
        for index in range(self.config.language.layers):
            with torch.device("meta"):
                layer = PhiLayer(self.config.language)
            shapes = {key: tuple(value.shape) for key, value in layer.state_dict().items()}
            drawn = {
                key: torch.from_numpy(random_weight(f"model.layers.{index}.{key}", shape, self.seed))
                for key, shape in shapes.items()
            }
            layer.load_state_dict(drawn, assign=True)
            yield layer.eval()


def drawn_network(seed: int) -> SegEarthR1:
    """The full network without the tensors that no forward pass reads, its language layers still to be drawn."""
    config = full()
    without_layers = dataclasses.replace(config.language, layers=0)
    network = SegEarthR1(dataclasses.replace(config, language=without_layers, published_layout=False)).eval()
    for key, parameter in network.named_parameters():
        parameter.copy_(torch.from_numpy(random_weight(key, tuple(parameter.shape), seed)))
    network.model.layers = DrawnLayers(config, seed)
    return network


@pytest.fixture(scope="module")
def computed() -> Pass:
    folder = Path(str(GOLDEN))
    golden = np.load(folder / "golden.npz")
    with torch.no_grad():
        network = drawn_network(int(golden["seed"]))
        return forward(network, golden, np.asarray(Image.open(folder / str(golden["image"])).convert("RGB")))


def forward(network: SegEarthR1, golden: Any, image: NDArray[np.uint8]) -> Pass:
    result = Pass(golden)
    found = result.tensors
    pixels = normalise(torch.from_numpy(letterbox(image, 1024))[None])
    state = network.encode_image(pixels)
    found["input"] = pixels[0]
    found.update({f"res{stage + 2}": features[0] for stage, features in enumerate(state.features)})
    found.update({f"ms{level}": features[0] for level, features in enumerate(state.ms)})
    found["mask_features"], found["tokens"] = state.mask_features[0], state.image_tokens[0]
    found.update(hidden_rows(network, state.image_tokens[0], [golden[f"p{prompt}_ids"].tolist() for prompt in range(3)]))
    description = torch.stack([found[f"p{prompt}_hidden"].mean(0) for prompt in range(3)])
    queries = network.query(description[None], *network.media(state.features[3]))[0]
    for prompt in range(3):
        found[f"p{prompt}_d"], found[f"p{prompt}_q0"] = description[prompt], queries[prompt]
    stages, _ = network.segment(state, torch.tensor([0, 0, 0]), description)
    result.logits = torch.stack(stages, 1)
    return result


def hidden_rows(network: SegEarthR1, image_tokens: Tensor, questions: list[list[int]]) -> dict[str, Tensor]:
    """Hidden states [R, 2048] of each question's tokens, all prompts whole and in one pass."""
    words, embed = network.config.vocabulary, network.model.embed_tokens
    sequences = [
        torch.cat(
            (
                embed(torch.tensor(words.before_image)),
                image_tokens,
                embed(torch.tensor([*words.after_image[task], *ids])),
            )
        )
        for task, ids in zip(TASKS, questions, strict=True)
    ]
    hidden = network.model(nn.utils.rnn.pad_sequence(sequences, batch_first=True))[0]
    return {
        f"p{prompt}_hidden": hidden[prompt, len(sequence) - len(ids) : len(sequence)]
        for prompt, (sequence, ids) in enumerate(zip(sequences, questions, strict=True))
    }


def report(name: str, difference: float, limit: float) -> None:
    print(f"{name}: largest difference {difference:.1e}, limit {limit:.0e}")
    assert difference <= limit


def test_weights_follow_the_rule() -> None:
    golden = np.load(Path(str(GOLDEN)) / "golden.npz")
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in SegEarthR1(full()).state_dict().items()}
    for index, key in enumerate(golden["weight_keys"]):
        weight = random_weight(str(key), shapes[str(key)], int(golden["seed"]))
        assert np.array_equal(weight.ravel()[:4], golden["weight_first4"][index])
        assert np.isclose(weight.sum(dtype=np.float64), golden["weight_sum"][index], rtol=1e-9)


def test_letterbox_is_exact(computed: Pass) -> None:
    golden = computed.golden
    height, width, fitted_height, fitted_width, top, left = (int(value) for value in golden["letterbox_geometry"])
    place = letterbox_geometry(height, width, 1024)
    assert (place.height, place.width, place.top, place.left) == (fitted_height, fitted_width, top, left)
    image = np.asarray(Image.open(Path(str(GOLDEN)) / str(golden["image"])).convert("RGB"))
    assert hashlib.sha256(letterbox(image, 1024).tobytes()).hexdigest() == str(golden["letterbox_sha256"])


LIMITS = {
    "input": 1e-6,
    **dict.fromkeys(("res2", "res3", "res4", "res5"), 5e-5),
    **dict.fromkeys(("ms0", "ms1", "ms2", "mask_features"), 1e-4),
    "tokens": 5e-5,
    **{f"p{prompt}_hidden": 5e-5 for prompt in range(3)},
}


@pytest.mark.parametrize("name", LIMITS)
def test_probes_and_statistics(computed: Pass, name: str) -> None:
    golden, values = computed.golden, computed.tensors[name].flatten().double()
    probes = values[torch.from_numpy(golden[f"{name}_idx"])].numpy()
    statistics = np.array([values.mean(), values.std(correction=0), values.abs().max()])
    report(name, float(np.abs(probes - golden[f"{name}_val"]).max()), LIMITS[name])
    report(f"{name} statistics", float(np.abs(statistics - golden[f"{name}_stats"]).max()), LIMITS[name])


@pytest.mark.parametrize("name", ["tokens_full", *(f"p{p}_{x}" for p in range(3) for x in ("hidden_full", "d", "q0"))])
def test_whole_tensors(computed: Pass, name: str) -> None:
    value = computed.tensors[name.removesuffix("_full")]
    report(name, float(np.abs(value.numpy() - computed.golden[name]).max()), 5e-5)


@pytest.mark.parametrize("prompt", range(3))
def test_logits_of_every_stage(computed: Pass, prompt: int) -> None:
    golden, logits = computed.golden, computed.logits
    assert logits is not None
    for stage in range(10):
        probes = logits[prompt, stage].flatten()[torch.from_numpy(golden["logits_idx"])].numpy()
        expected = golden["logits_val"][prompt, stage]
        report(f"prompt {prompt} stage {stage}", float(np.abs(probes - expected).max()), 5e-4)
    final = np.abs(logits[prompt, 9].numpy() - golden["final_logits"][prompt]).max()
    report(f"prompt {prompt} final logits", float(final), 5e-4)


@pytest.mark.parametrize("prompt", range(3))
def test_final_mask(computed: Pass, prompt: int) -> None:
    assert computed.logits is not None
    logits = computed.logits[prompt, 9][None, None]
    mask = (F.interpolate(logits, (1024, 1024), mode="bilinear", align_corners=False)[0, 0] > 0).numpy()
    expected = np.unpackbits(computed.golden["mask_bits"][prompt]).astype(bool).reshape(1024, 1024)
    iou = float((mask & expected).sum() / (mask | expected).sum())
    print(f"prompt {prompt}: IoU {iou:.7f}, {int((mask != expected).sum())} pixels differ")
    assert iou >= 0.9999
