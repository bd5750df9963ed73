"""A network small enough for tests that run in seconds. Windows of 5 cells leave padding on every map."""

from __future__ import annotations

from dataclasses import replace

from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.config import (
    LanguageConfig,
    MaskGeneratorConfig,
    ModelConfig,
    PixelDecoderConfig,
    Precision,
    ProjectorConfig,
    PyramidConfig,
    VisionConfig,
    VocabularyConfig,
)
from segmenter.network.lite_config import LiteConfig, LiteStage
from segmenter.network.network import SegEarthR1
from segmenter.network.streamed import streamed_network

TINY_STAGES = (
    LiteStage(1, 3, 1, 8, 1), LiteStage(2, 3, 2, 12, 2), LiteStage(2, 5, 2, 16, 1), LiteStage(2, 3, 2, 24, 1),
    LiteStage(2, 5, 1, 28, 2), LiteStage(2, 5, 2, 32, 1), LiteStage(2, 3, 1, 64, 1),
)  # fmt: skip


def tiny(vocabulary: VocabularyConfig | None = None, presence: bool = True) -> ModelConfig:
    """Two blocks in the first stage, one in the others; two language layers; two levels of everything else."""
    return ModelConfig(
        name="tiny",
        window_px=128,
        vision=VisionConfig((8, 16, 32, 64), (2, 1, 1, 1), (1, 2, 2, 4), window=5),
        language=LanguageConfig(hidden=16, layers=2, heads=2, mlp=32, rotary_dims=4, max_positions=64),
        vocabulary=vocabulary or own_vocabulary(),
        projector=ProjectorConfig(dim=16, heads=2, head_dim=8),
        pixel_decoder=PixelDecoderConfig(dim=16, layers=1, heads=2, points=2, feed_forward=32, norm_groups=4),
        mask_generator=MaskGeneratorConfig(layers=3, heads=2, feed_forward=32, presence=presence),
    )


def tiny_lite(vocabulary: VocabularyConfig | None = None) -> ModelConfig:
    """The same with an encoder of the Lite kind: kernels of 3 and 5 px, stages that keep the stride, a block that adds."""
    config = tiny(vocabulary)
    return replace(
        config,
        vision=LiteConfig(8, TINY_STAGES),
        pixel_decoder=PyramidConfig(dim=16, wide=24, norm_groups=4),
        mask_generator=replace(config.mask_generator, image_presence=6),
    )


def as_stored(network: SegEarthR1, precision: Precision = "fp16") -> SegEarthR1:
    """The network equivalent to the exported graphs of `network`."""
    return streamed_network(network.config, network.state_dict().__getitem__, precision)
