"""Configuration of a SegEarth-R1 network: all sizes and fixed tokens.

:func:`full` is the published network, :func:`compact` the one trained for TerraQL.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

from segmenter.network.lite_config import LiteConfig, LiteStage

Task = Literal["REASONING", "REFERRING"]
TASKS: tuple[Task, Task] = ("REASONING", "REFERRING")

#: How exported graphs store matrices and kernels; see `precision`.
Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

#: Image encoders of the compact network.
Encoder = Literal["swin", "lite0"]
ENCODERS: tuple[Encoder, ...] = get_args(Encoder)

#: Per-channel statistics of 8-bit RGB, applied as (value - mean) / std in float32.
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_STD = (58.395, 57.12, 57.375)

#: Strides of the vision encoder's four outputs res2..res5, pixels per cell.
STRIDES = (4, 8, 16, 32)


@dataclass(frozen=True)
class VisionConfig:
    """Swin encoder: width, number of blocks and number of heads per stage."""

    dims: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    heads: tuple[int, int, int, int]
    window: int
    mlp_ratio: int = 4
    drop_path: float = 0.0  # rate of the last block, increasing linearly from 0; training only
    convolutional: int = 0  # number of first stages (and stem) made of residual convolutions; 0 in the published network


@dataclass(frozen=True)
class LanguageConfig:
    """Causal language model of the Phi type (parallel residual, rotary on the first `rotary_dims` of each head)."""

    hidden: int
    layers: int
    heads: int
    mlp: int
    rotary_dims: int
    max_positions: int
    rope_theta: float = 10000.0

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads


@dataclass(frozen=True)
class VocabularyConfig:
    """Token ids: table size, `[PAD]`, `[SEG]`, and the fixed prompt around the image tokens."""

    size: int
    pad_id: int
    seg_id: int
    before_image: tuple[int, ...]
    after_image: dict[Task, tuple[int, ...]]


@dataclass(frozen=True)
class ProjectorConfig:
    """D-Projector: one perceiver layer of width `dim` that reads res5."""

    dim: int
    heads: int
    head_dim: int
    ff_mult: int = 1


@dataclass(frozen=True)
class PixelDecoderConfig:
    """Deformable encoder over res5, res4, res3 and the step down to the mask features, all of width `dim`."""

    dim: int
    layers: int
    heads: int
    points: int
    feed_forward: int
    norm_groups: int = 32


@dataclass(frozen=True)
class PyramidConfig:
    """Top-down pyramid: `wide` on the three coarse maps, `dim` on the two fine ones and on all that is given."""

    dim: int
    wide: int
    norm_groups: int


@dataclass(frozen=True)
class MaskGeneratorConfig:
    """Masked-attention layers over one query per question, of the same width as the pixel decoder."""

    layers: int
    heads: int
    feed_forward: int
    presence: bool = False  # presence logit, multiplied into the mask; not in the published network
    image_presence: int = 0  # width of the window features that presence reads beside query and mask; 0 for none


@dataclass(frozen=True)
class ModelConfig:
    """A network. `window_px` is the fixed side of the square input."""

    name: str
    window_px: int
    vision: VisionConfig | LiteConfig
    language: LanguageConfig
    vocabulary: VocabularyConfig
    projector: ProjectorConfig
    pixel_decoder: PixelDecoderConfig | PyramidConfig
    mask_generator: MaskGeneratorConfig
    published_layout: bool = False  # include the unused tensors of the published checkpoint

    def __post_init__(self) -> None:
        if self.window_px % 128:
            raise ValueError(f"window_px is {self.window_px}; must be a multiple of 128, the stride of an image token")
        if self.language.hidden % self.language.heads:
            raise ValueError(f"language.hidden {self.language.hidden} is not a multiple of heads {self.language.heads}")
        if self.language.rotary_dims > self.language.head_dim or self.language.rotary_dims % 2:
            raise ValueError(
                f"language.rotary_dims is {self.language.rotary_dims}; must be even and at most {self.language.head_dim}"
            )
        if isinstance(self.vision, LiteConfig) != isinstance(self.pixel_decoder, PyramidConfig):
            raise ValueError("a pyramid decodes the maps of a Lite encoder and of no other, as it reads one at stride 2")
        width = self.pixel_decoder.dim
        heads = () if isinstance(self.pixel_decoder, PyramidConfig) else (("pixel_decoder.heads", self.pixel_decoder.heads),)
        for part, parts in (
            *heads,
            ("pixel_decoder.norm_groups", self.pixel_decoder.norm_groups),
            ("mask_generator.heads", self.mask_generator.heads),
        ):
            if width % parts:
                raise ValueError(f"pixel_decoder.dim {width} is not a multiple of {part} {parts}")
        if width % 4:
            raise ValueError(f"pixel_decoder.dim is {width}; the sine position encoding needs a multiple of 4")

    @property
    def swin(self) -> VisionConfig:
        """The encoder's numbers where it is of the Swin kind, as the published one is; raises ValueError elsewhere."""
        if isinstance(self.vision, LiteConfig):
            raise ValueError(f"{self.name} has an encoder of the Lite kind; the published layout is of the Swin kind")
        return self.vision

    @property
    def image_tokens(self) -> int:
        """Number of image tokens per window."""
        return (self.window_px // 128) ** 2

    @property
    def logits_px(self) -> int:
        """Side of the mask logits."""
        return self.window_px // 4

    def side(self, stage: int) -> int:
        """Side of the encoder output of `stage` (0 = res2 .. 3 = res5), in cells."""
        return self.window_px // STRIDES[stage]

    def prompt(self, task: Task) -> list[int]:
        """Ids of the fixed prefix; id `vocabulary.size + i` is image token i."""
        if task not in TASKS:
            raise ValueError(f"task is {task!r}; must be one of {', '.join(TASKS)}")
        words = self.vocabulary
        image = range(words.size, words.size + self.image_tokens)
        return [*words.before_image, *image, *words.after_image[task]]

    @property
    def max_question_tokens(self) -> int:
        """Maximum tokens of a question, including `[SEG]`, after the longest prefix."""
        return self.language.max_positions - max(len(self.prompt(task)) for task in TASKS)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a checkpoint or a JSON file."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> ModelConfig:
        """Inverse of :meth:`to_dict`; accepts lists for tuples, as read from JSON."""
        parts: dict[str, Any] = {
            "vision": _lite_config if "stages" in data["vision"] else VisionConfig,
            "language": LanguageConfig,
            "vocabulary": VocabularyConfig,
            "projector": ProjectorConfig,
            "pixel_decoder": PyramidConfig if "wide" in data["pixel_decoder"] else PixelDecoderConfig,
            "mask_generator": MaskGeneratorConfig,
        }
        return ModelConfig(**{k: parts[k](**_tuples(v)) if k in parts else v for k, v in data.items()})


def _lite_config(stem: int, stages: tuple[dict[str, int], ...]) -> LiteConfig:
    return LiteConfig(stem, tuple(LiteStage(**stage) for stage in stages))


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(value)
        return _tuples(value) if isinstance(value, dict) else value

    return {key: convert(value) for key, value in data.items()}


def full() -> ModelConfig:
    """The published SegEarth-R1: Swin-B, Phi-1.5, GPT-2 vocabulary with its prompt (paper and released checkpoint)."""
    lead_in = (11, 4222, 1804)
    request = (1001, 5154, 341, 1864, 284, 262, 1708, 12064, 25, 198)
    vocabulary = VocabularyConfig(
        size=50297,
        pad_id=50295,
        seg_id=50296,
        before_image=_PUBLISHED_BEFORE_IMAGE,
        after_image={
            "REASONING": (*lead_in, 23219, 278, *request),
            "REFERRING": (*lead_in, 33973, 1806, *request),
        },
    )
    return ModelConfig(
        name="segearth-r1",
        window_px=1024,
        vision=VisionConfig((128, 256, 512, 1024), (2, 2, 18, 2), (4, 8, 16, 32), window=12, drop_path=0.3),
        language=LanguageConfig(hidden=2048, layers=24, heads=32, mlp=8192, rotary_dims=32, max_positions=2048),
        vocabulary=vocabulary,
        projector=ProjectorConfig(dim=512, heads=8, head_dim=64),
        pixel_decoder=PixelDecoderConfig(dim=256, layers=6, heads=8, points=4, feed_forward=1024),
        mask_generator=MaskGeneratorConfig(layers=9, heads=8, feed_forward=2048),
        published_layout=True,
    )


def compact(vocabulary: VocabularyConfig, encoder: Encoder = "swin") -> ModelConfig:
    """The network trained for TerraQL: a 512 px window, about fourteen million weights, a presence score.

    Its own vocabulary is :func:`segmenter.language.vocabulary.own_vocabulary`. With the encoder `lite0` the image side is
    EfficientNet-Lite0 with a pyramid decoder, and presence also reads the whole window.
    """
    config = _compact_swin(vocabulary)
    if encoder == "swin":
        return config
    return dataclasses.replace(
        config,
        vision=LiteConfig(),
        pixel_decoder=PyramidConfig(dim=64, wide=96, norm_groups=8),
        mask_generator=dataclasses.replace(config.mask_generator, image_presence=128),
    )


def _compact_swin(vocabulary: VocabularyConfig) -> ModelConfig:
    return ModelConfig(
        name="segearth-r1-compact",
        window_px=512,
        vision=VisionConfig((48, 96, 192, 384), (2, 2, 2, 2), (2, 3, 6, 12), window=8, convolutional=3),
        language=LanguageConfig(hidden=256, layers=4, heads=8, mlp=1024, rotary_dims=16, max_positions=256),
        vocabulary=vocabulary,
        projector=ProjectorConfig(dim=192, heads=6, head_dim=32),
        pixel_decoder=PixelDecoderConfig(dim=64, layers=1, heads=4, points=2, feed_forward=192, norm_groups=16),
        mask_generator=MaskGeneratorConfig(layers=3, heads=4, feed_forward=384, presence=True),
    )


# The text of the published prompt up to the image, in GPT-2 ids.
_PUBLISHED_BEFORE_IMAGE = (
    *(58, 38604, 60, 9959, 50, 16309, 4211, 198, 1639, 389, 257, 7613, 3303, 290, 5761, 8796, 13, 921, 389),
    *(1498, 284, 1833, 262, 5874, 2695, 326, 262, 2836, 3769, 11, 290, 3342, 262, 2836, 351, 257, 4996, 286),
    *(8861, 1262, 3288, 3303, 13, 198, 27, 3556, 50, 16309, 4211, 198, 198, 1212, 318, 281, 2939, 220),
)
