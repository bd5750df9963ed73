"""The network's parts against slow twins and its steps against each other, on a tiny configuration."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import ModelConfig, full
from segmenter.network.language_model import rotate
from segmenter.network.mask_generator import PackedAttention, cell_means, joined_logits, visible_cells
from segmenter.network.network import ImageState, SegEarthR1, normalise, question_slots
from segmenter.network.pixel_decoder import DeformableAttention
from segmenter.network.vision_encoder import (
    ConvBlock,
    SwinBlock,
    fold_batch_norms,
    merge,
    partition,
    relative_position_index,
    shift_mask,
)
from tiny import tiny

IDS = torch.tensor([[5, 6, 7, 9, 0], [8, 9, 0, 0, 0], [3, 2, 4, 6, 9]])
MASK = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]])
IMAGE_INDEX = torch.tensor([1, 0, 1])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def network() -> SegEarthR1:
    torch.manual_seed(3)
    made = SegEarthR1(tiny()).eval()
    for name, parameter in made.named_parameters():  # fresh biases are zero and would hide a missing one
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.3)
    return made


@pytest.fixture(scope="module")
def state(network: SegEarthR1) -> ImageState:
    with torch.no_grad():
        return network.encode_image(torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(1)))


def test_steps_give_the_documented_shapes(network: SegEarthR1, state: ImageState) -> None:
    assert [tuple(features.shape) for features in state.features] == [
        *((2, 8, 32, 32), (2, 16, 16, 16), (2, 32, 8, 8), (2, 64, 4, 4)),
    ]
    assert state.image_tokens.shape == (2, 1, 16)
    assert state.mask_features.shape == (2, 16, 32, 32)
    assert [tuple(level.shape) for level in state.ms] == [(2, 16, 4, 4), (2, 16, 8, 8), (2, 16, 16, 16)]
    description = network.describe(state, IMAGE_INDEX, "REASONING", IDS, MASK)
    assert description.shape == (3, 16)
    logits, presence = network.segment(state, IMAGE_INDEX, description)
    assert [tuple(stage.shape) for stage in logits] == [(3, 32, 32)] * 4
    assert presence is not None and presence.shape == (3,)


def test_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    network = SegEarthR1(tiny()).train()
    state = network.encode_image(torch.randn(2, 3, 128, 128))
    logits, presence = network.segment(state, IMAGE_INDEX, network.describe(state, IMAGE_INDEX, "REFERRING", IDS, MASK))
    assert presence is not None
    (sum(stage.square().mean() for stage in logits) + presence.square().mean()).backward()
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert without == []


def test_a_cached_prefix_gives_what_the_whole_sequence_gives(network: SegEarthR1, state: ImageState) -> None:
    words = network.config.vocabulary
    embed = network.model.embed_tokens
    ids = IDS[2]
    whole = torch.cat(
        (
            embed(torch.tensor(words.before_image)),
            state.image_tokens[1],
            embed(torch.tensor(words.after_image["REASONING"])),
            embed(ids),
        )
    )
    expected = network.model(whole[None])[0][0, -len(ids) :].mean(0)
    found = network.describe(state, torch.tensor([1]), "REASONING", ids[None], torch.ones(1, 5))[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_questions_asked_together_get_what_each_gets_alone(network: SegEarthR1, state: ImageState) -> None:
    description = network.describe(state, IMAGE_INDEX, "REASONING", IDS, MASK)
    logits, presence = network.segment(state, IMAGE_INDEX, description)
    assert presence is not None
    for row in range(3):
        index, length = IMAGE_INDEX[row : row + 1], int(MASK[row].sum())
        alone = network.describe(state, index, "REASONING", IDS[row : row + 1, :length], MASK[row : row + 1, :length])
        torch.testing.assert_close(description[row], alone[0], atol=1e-5, rtol=0)
        stages, score = network.segment(state, index, alone)
        torch.testing.assert_close(logits[-1][row], stages[-1][0], atol=1e-4, rtol=0)
        assert score is not None
        torch.testing.assert_close(presence[row], score[0], atol=1e-5, rtol=0)


def test_the_last_stage_alone_equals_the_last_of_all(network: SegEarthR1, state: ImageState) -> None:
    description = network.describe(state, IMAGE_INDEX, "REASONING", IDS, MASK)
    every, _ = network.segment(state, IMAGE_INDEX, description)
    last, _ = network.segment(state, IMAGE_INDEX, description, every_stage=False)
    assert len(last) == 1
    torch.testing.assert_close(last[0], every[-1])


def test_text_without_an_image_leaves_the_image_tokens_out(network: SegEarthR1) -> None:
    words = network.config.vocabulary
    ids = torch.tensor([*words.before_image, *words.after_image["REASONING"], *IDS[2].tolist()])
    expected = network.model(network.model.embed_tokens(ids)[None])[0][0, -5:].mean(0)
    found = network.describe_text(IDS[2:], MASK[2:])[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_refuses_wrong_sizes_and_says_which(network: SegEarthR1, state: ImageState) -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 3, 64, 64\); the network takes \[B, 3, 128, 128\]"):
        network.encode_image(torch.zeros(1, 3, 64, 64))
    long = torch.zeros(1, 60, dtype=torch.int64)
    with pytest.raises(ValueError, match=f"has 60 tokens; the maximum is {network.config.max_question_tokens}"):
        network.describe(state, torch.tensor([0]), "REASONING", long, long)
    with pytest.raises(ValueError, match="image_index has the value 2; the state has 2 images"):
        network.segment(state, torch.tensor([2]), torch.zeros(1, 16))


def test_slots_number_the_questions_of_each_image_in_order() -> None:
    slot, width = question_slots(torch.tensor([2, 0, 2, 2, 0]), 4)
    assert slot.tolist() == [0, 0, 1, 2, 1]
    assert width == 3


def test_normalise_subtracts_the_mean_and_divides_by_the_deviation() -> None:
    pixels = torch.tensor([[[[124, 0, 255]]]], dtype=torch.uint8)
    expected = torch.tensor([(124 - 123.675) / 58.395, -116.28 / 57.12, (255 - 103.53) / 57.375])
    torch.testing.assert_close(normalise(pixels)[0, :, 0, 0], expected, atol=1e-6, rtol=0)


def test_blocked_cells_are_those_below_zero_unless_all_are() -> None:
    logits = torch.tensor([[-1.0, 0.0, 2.0], [-1.0, -2.0, -3.0]])
    assert visible_cells(logits).tolist() == [[False, True, True], [True, True, True]]


@pytest.mark.parametrize("side", [4, 8, 16])
def test_cell_means_are_the_bilinear_resampling_without_antialias(side: int) -> None:
    features = torch.randn(2, 3, 32, 32)
    expected = F.interpolate(features, (side, side), mode="bilinear", align_corners=False).flatten(2)
    torch.testing.assert_close(cell_means(features, side), expected)


def test_invisible_cells_do_not_reach_the_query() -> None:
    attention = PackedAttention(8, 2)
    x, cells = torch.randn(1, 2, 8), torch.randn(1, 6, 8)
    visible = torch.tensor([[[1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1]]]).bool()
    keys, values = (attention.split(attention.project(cells, part)) for part in (1, 2))
    together = attention.attend(x, keys, values, visible)
    for row in range(2):
        kept = visible[0, row]
        seen = torch.ones(1, 1, int(kept.sum()), dtype=torch.bool)
        alone = attention.attend(x[:, row : row + 1], keys[:, :, kept], values[:, :, kept], seen)
        torch.testing.assert_close(together[:, row : row + 1], alone, atol=1e-6, rtol=0)


def test_packed_attention_is_multi_head_attention() -> None:
    ours, theirs = PackedAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    x, cells = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    keys, values = (ours.split(ours.project(cells, part)) for part in (1, 2))
    found = ours.attend(x, keys, values, torch.ones(2, 3, 5, dtype=torch.bool))
    torch.testing.assert_close(found, theirs(x, cells, cells)[0], atol=1e-6, rtol=0)
    one = x[:, :1]
    torch.testing.assert_close(ours.self_only(one), theirs(one, one, one)[0], atol=1e-6, rtol=0)


def test_joined_logits_are_the_logit_of_the_product_and_stay_finite() -> None:
    mask, presence = torch.randn(50, dtype=torch.float64) * 4, torch.randn(50, dtype=torch.float64) * 4
    product = mask.sigmoid() * presence.sigmoid()
    torch.testing.assert_close(joined_logits(mask, presence), product.logit())
    extremes = torch.tensor([-1e4, 0.0, 1e4])
    assert joined_logits(extremes[:, None], extremes[None]).isfinite().all()


def test_windows_are_cut_row_by_row_and_put_back() -> None:
    x = torch.arange(2 * 6 * 9 * 2).view(2, 6, 9, 2)
    windows = partition(x, 3)
    assert torch.equal(windows[0, 4], x[0, 3:6, 3:6].reshape(9, 2))
    assert torch.equal(merge(windows, 3, 6, 9), x)


def test_relative_positions_count_rows_before_columns() -> None:
    index = relative_position_index(12)
    first, second = 3 * 12 + 5, 7 * 12 + 1
    assert index[first, second] == (3 - 7 + 11) * 23 + (5 - 1 + 11)


def test_the_shift_mask_keeps_regions_apart_by_minus_100() -> None:
    mask = shift_mask(8, 4, 2)
    assert not mask[0].any()
    last = mask[3].view(4, 4, 4, 4)
    assert last[0, 0, 1, 1] == 0
    assert last[0, 0, 0, 2] == last[0, 0, 3, 1] == -100


def test_rotation_turns_pairs_half_a_block_apart_and_leaves_the_rest() -> None:
    angle = torch.tensor([[0.3, 1.1]])
    found = rotate(torch.tensor([[[[1.0, 2.0, 3.0, 4.0, 5.0]]]]), angle.cos(), angle.sin())[0, 0, 0]
    assert found[0] == pytest.approx(math.cos(0.3) - 3 * math.sin(0.3))
    assert found[3] == pytest.approx(4 * math.cos(1.1) + 2 * math.sin(1.1))
    assert found[4] == 5


def test_deformable_attention_reads_what_a_loop_over_samples_reads(network: SegEarthR1) -> None:
    attention: DeformableAttention = network.pixel_decoder.get_submodule("transformer.encoder.layers.0.self_attn")  # type: ignore[assignment]
    query, cells = torch.randn(1, 336, 16), torch.randn(1, 336, 16)
    with torch.no_grad():
        found = attention(query, cells)[0]
        for token, side, start in ((5, 4, 0), (16 + 9, 8, 16), (80 + 250, 16, 80)):
            cell = divmod(token - start, side)
            expected = attention.output_proj(_deformable_loop(attention, query[0, token], cells[0], cell, side))
            torch.testing.assert_close(found[token], expected, atol=1e-5, rtol=0)


def _deformable_loop(attention: DeformableAttention, query: Tensor, cells: Tensor, cell: tuple[int, int], side: int) -> Tensor:
    """One token's attended values, sample by sample; `cell` is (row, column) on its own level of `side` cells."""
    value = attention.value_proj(cells).view(-1, 2, 8)
    offsets = attention.sampling_offsets(query).view(2, 3, 2, 2)
    weights = attention.attention_weights(query).view(2, 6).softmax(-1).view(2, 3, 2)
    attended = torch.zeros(2, 8)
    for head in range(2):
        for level, (size, start) in enumerate(((4, 0), (8, 16), (16, 80))):
            level_map = value[start : start + size * size, head].view(size, size, 8)
            for point in range(2):
                dx, dy = offsets[head, level, point].tolist()
                x = (cell[1] + 0.5) / side * size + dx - 0.5
                y = (cell[0] + 0.5) / side * size + dy - 0.5
                attended[head] += weights[head, level, point] * _bilinear(level_map, x, y)
    return attended.flatten()


def _bilinear(level_map: Tensor, x: float, y: float) -> Tensor:
    """Value at column x, row y, cell centres at whole numbers; zero outside."""
    total = torch.zeros(level_map.shape[-1])
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < level_map.shape[0] and 0 <= column < level_map.shape[1]:
                total += (1 - abs(y - row)) * (1 - abs(x - column)) * level_map[row, column]
    return total


def test_padding_cells_are_keys_that_carry_the_bias(network: SegEarthR1) -> None:
    block = network.get_submodule("model.vision_tower.layers.2.blocks.0")  # 8 x 8 cells, windows of 5: two cells of padding
    assert isinstance(block, SwinBlock)
    x = torch.randn(1, 8, 8, 32)
    with torch.no_grad():
        normed = F.pad(block.norm1(x), (0, 0, 0, 2, 0, 2))
        corner = normed[:, 5:, 5:].reshape(1, 1, 25, 32)
        attended = block.attn(corner, None).view(5, 5, 32)[:3, :3]
        halfway = x[0, 5:, 5:] + attended
        expected = halfway + block.mlp(block.norm2(halfway))
        torch.testing.assert_close(block(x)[0, 5:, 5:], expected, atol=1e-5, rtol=0)


def test_a_fresh_convolution_block_changes_nothing_that_is_positive() -> None:
    x = torch.rand(2, 6, 6, 8)
    torch.testing.assert_close(ConvBlock(8)(x), x)


def test_convolutional_stages_keep_the_shapes_and_fold_their_norms(state: ImageState) -> None:
    config = tiny()
    torch.manual_seed(4)
    encoder = SegEarthR1(replace(config, vision=replace(config.swin, convolutional=3))).model.vision_tower
    first = [encoder.get_submodule(f"layers.{stage}.blocks.0") for stage in (2, 3)]
    assert isinstance(first[0], ConvBlock) and not isinstance(first[1], ConvBlock)
    for name, tensor in encoder.state_dict().items():
        if "norm" in name and tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    image = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        before = encoder.eval()(image)
        fold_batch_norms(encoder)
        after = encoder(image)
    assert [f.shape for f in before] == [f.shape for f in state.features]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-4)


def test_a_configuration_survives_json() -> None:
    config = tiny()
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_the_full_configuration_has_the_published_keys_and_shapes() -> None:
    published = json.loads((Path(__file__).parent / "fixtures" / "segearth-r1-keys.json").read_text())
    with torch.device("meta"):
        network = SegEarthR1(full())
    parameters = dict(network.named_parameters())
    found = {
        key: {"shape": list(value.shape), "kind": "param" if key in parameters else "buffer_int64"}
        for key, value in network.state_dict().items()
    }
    assert found == published
    assert all(parameter.dtype == torch.float32 for parameter in parameters.values())
    assert all(value.dtype == torch.int64 for key, value in network.state_dict().items() if key not in parameters)
    assert sum(parameter.numel() for parameter in parameters.values()) == 1_588_495_416
