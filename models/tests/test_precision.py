"""What float16 and int8 storage lose against float32, and that an int8 graph computes with the int8 values."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor

from segmenter.export.export import export_model
from segmenter.export.graph_check import RELATIVE_LIMIT
from segmenter.language.files import TOKENIZER_FILE
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import Precision
from segmenter.network.network import SegEarthR1, normalise
from segmenter.network.precision import stored_values, to_half, to_int8
from segmenter.published.random_weights import random_weight
from test_export import RELEASE
from tiny import as_stored, tiny

TEXTS = ["boats", "where could a pilot land?", "roads", "which parts flood first?"]


@pytest.fixture(scope="module")
def network() -> SegEarthR1:
    """Weights by the rule of the reference vectors: freshly initialised ones would hide the language model's part."""
    made = SegEarthR1(tiny(presence=False)).eval()
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            parameter.copy_(torch.from_numpy(random_weight(key, tuple(parameter.shape), seed=1)))
    return made


def answers(network: SegEarthR1) -> Tensor:
    """Logits [4, 32, 32] of four questions about one smooth image."""
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(6)) * 255
    pixels = torch.nn.functional.interpolate(coarse, (128, 128), mode="bilinear").permute(0, 2, 3, 1)
    ids, mask = QuestionTokenizer.load().batch(TEXTS)
    index = torch.zeros(len(TEXTS), dtype=torch.int64)
    with torch.no_grad():
        state = network.encode_image(normalise(pixels))
        description = network.describe(state, index, "REASONING", ids, mask)
        return network.segment(state, index, description, every_stage=False)[0][-1]


@pytest.mark.parametrize(("precision", "largest", "moved"), [("fp32", 0.0, 0.0), ("fp16", 0.02, 0.002), ("int8", 0.03, 0.005)])
def test_storage_loses_no_more_than_its_bound(network: SegEarthR1, precision: Precision, largest: float, moved: float) -> None:
    expected, found = answers(network), answers(as_stored(network, precision))
    difference = float((found - expected).abs().max() / expected.abs().max())
    share = float(((found > 0) != (expected > 0)).float().mean())
    print(f"{precision}: largest difference {difference:.1e} of the largest logit, {share:.3%} of the pixels moved")
    assert difference <= largest
    assert share <= moved
    assert precision == "fp32" or difference > 0


def test_int8_keeps_every_value_within_half_a_step_of_its_row() -> None:
    matrix = torch.randn(5, 300, generator=torch.Generator().manual_seed(1)) * torch.tensor([[1e-6], [1.0], [0.0], [50.0], [3e4]])
    values, scale = to_int8(matrix)
    assert values.dtype == torch.int8 and values.abs().amax(1).tolist() == [127, 127, 0, 127, 127]
    assert torch.equal(stored_values("matrix", matrix, "int8"), values.float() * scale[:, None])
    assert bool(((values.float() * scale[:, None] - matrix).abs() <= 0.5001 * scale[:, None]).all())


def test_weights_beyond_float16_are_refused_by_name() -> None:
    with pytest.raises(
        ValueError,
        match=r"here\.weight has magnitude 100000\.0; the float16 limit is 65504, export with --precision fp32",
    ):
        to_half("here.weight", torch.tensor([[1.0, 1e5]]))


def test_an_int8_language_graph_holds_int8_matrices_and_computes_with_them(network: SegEarthR1, tmp_path: Path) -> None:
    folder = tmp_path / "tiny" / "1"
    read = network.state_dict().__getitem__
    differences = export_model(network.config, read, folder, TOKENIZER_FILE, RELEASE, "int8")
    assert max(differences.values()) <= RELATIVE_LIMIT  # to the network with int8 values, compared in ONNX Runtime
    language = onnx.load(folder / "language.onnx").graph
    kinds = {array.name: array.data_type for array in language.initializer}
    matrices = [f"language.layers.{layer}.{part}.stand_in_int8" for layer in range(2) for part in _MATRICES]
    assert {kinds[name] for name in matrices} == {onnx.TensorProto.INT8}
    assert sum(kind == onnx.TensorProto.INT8 for kind in kinds.values()) == len(matrices)
    assert sum(node.op_type == "DequantizeLinear" for node in language.node) == len(matrices)
    for other in ("vision", "mask"):
        assert onnx.TensorProto.INT8 not in {array.data_type for array in onnx.load(folder / f"{other}.onnx").graph.initializer}


_MATRICES = ("self_attn.query_key_value", "self_attn.dense", "mlp.fc1", "mlp.fc2")
