"""The three exported graphs, each a module over parts of a network.

`vision` runs once per window, `language` once for the prefix and once for the questions, `mask` once for the
questions. Outputs of a graph feed inputs of the same name of later graphs. Letters: S window side, T image
tokens, H language width, N questions, R tokens of the longest question, P cached positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmenter.network.config import ModelConfig
from segmenter.network.language_model import KeyValues
from segmenter.network.mask_generator import MaskMemory, joined_logits
from segmenter.network.network import ImageState, SegEarthR1, masked_mean, normalise


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a graph. `dtype` is named as in the Open Inference Protocol; named axes are dynamic."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class VisionGraph(nn.Module):
    """Letterboxed window to the inputs of the other graphs, without a batch axis."""

    def __init__(self, network: SegEarthR1) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """image [1, S, S, 3] uint8 RGB; outputs in the order of :func:`image_tensors`."""
        return self.outputs(self.network.encode_image(normalise(image)))

    def outputs(self, state: ImageState) -> tuple[Tensor, ...]:
        """Outputs of the graph for one encoded window."""
        memory = self.network.predictor.memory(state.ms)
        media = self.network.media(state.features[3])
        window = () if state.window is None else (state.window,)
        outputs = (state.image_tokens, state.mask_features, *media, *memory.keys, *memory.values, *window)
        return tuple(output[0] for output in outputs)


class LanguageGraph(nn.Module):
    """Token ids after cached positions to description embeddings, and their own keys and values.

    Id `vocabulary size + i` is image token i. The same graph computes the prefix (N = 1, no past), whose keys and values
    without the batch axis are the past of every question, and the questions.
    """

    def __init__(self, network: SegEarthR1) -> None:
        super().__init__()
        self.language = network.model
        self.size = network.config.vocabulary.size
        self.image_tokens = network.config.image_tokens

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, image_tokens: Tensor, past_keys: Tensor, past_values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """input_ids, attention_mask [N, R] int64; image_tokens [T, H]; past [layers, heads, P, head_dim].

        Returns description [N, H] (mean over rows whose mask is 1) and present [layers, N, heads, R, head_dim].
        """
        image = input_ids >= self.size
        words = self.language.embed_tokens(input_ids.clamp(max=self.size - 1))
        seen = image_tokens[(input_ids - self.size).clamp(0, self.image_tokens - 1)]
        embedded = torch.where(image.unsqueeze(-1), seen, words)
        past = KeyValues(past_keys.unsqueeze(1), past_values.unsqueeze(1))
        hidden, present = self.language(embedded, past)
        return masked_mean(hidden, attention_mask), present.keys, present.values


class MaskGraph(nn.Module):
    """Description embeddings and the tensors of one window to logits (mask and presence combined)."""

    def __init__(self, network: SegEarthR1) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, description: Tensor, mask_features: Tensor, media_keys: Tensor, media_values: Tensor, *memory: Tensor
    ) -> Tensor:
        """description [N, H], the rest as output by :class:`VisionGraph`; returns logits [N, S/4, S/4]."""
        layers = len(memory) // 2
        pairs = [part.unsqueeze(0) for part in memory[: 2 * layers]]
        window = memory[-1].unsqueeze(0) if len(memory) % 2 else None
        query = self.network.query(description.unsqueeze(0), media_keys.unsqueeze(0), media_values.unsqueeze(0))
        prediction = self.network.predictor(
            query, mask_features.unsqueeze(0), MaskMemory(pairs[:layers], pairs[layers:]), every_stage=False, window=window
        )
        logits = prediction.logits[-1][0]
        if prediction.presence is None:
            return logits
        return joined_logits(logits, prediction.presence[0, :, None, None])


def image_tensors(config: ModelConfig) -> list[TensorSpec]:
    """Outputs of the vision graph, all FP32."""
    decoder, generator, projector = config.pixel_decoder, config.mask_generator, config.projector
    sides = [config.side(stage) for stage in (3, 2, 1)]
    media = (projector.heads, sides[0] ** 2, projector.head_dim)
    memory = [(generator.heads, sides[layer % 3] ** 2, decoder.dim // generator.heads) for layer in range(generator.layers)]
    return [
        TensorSpec("image_tokens", "FP32", (config.image_tokens, config.language.hidden)),
        TensorSpec("mask_features", "FP32", (decoder.dim, config.logits_px, config.logits_px)),
        TensorSpec("media_keys", "FP32", media),
        TensorSpec("media_values", "FP32", media),
        *(TensorSpec(f"memory_keys_{layer}", "FP32", shape) for layer, shape in enumerate(memory)),
        *(TensorSpec(f"memory_values_{layer}", "FP32", shape) for layer, shape in enumerate(memory)),
        *([TensorSpec("window", "FP32", (generator.image_presence,))] if generator.image_presence else []),
    ]


@dataclass(frozen=True)
class Graph:
    """A graph to export: its module, inputs and outputs, in order."""

    name: str
    module: nn.Module
    inputs: Sequence[TensorSpec]
    outputs: Sequence[TensorSpec]


def graphs(network: SegEarthR1) -> list[Graph]:
    """The vision, language and mask graphs of a network."""
    config = network.config
    language = config.language
    seen = image_tensors(config)
    past = (language.layers, language.heads, "P", language.head_dim)
    present = (language.layers, "N", language.heads, "R", language.head_dim)
    description = TensorSpec("description", "FP32", ("N", language.hidden))
    return [
        Graph(
            "vision",
            VisionGraph(network),
            [TensorSpec("image", "UINT8", (1, config.window_px, config.window_px, 3))],
            seen,
        ),
        Graph(
            "language",
            LanguageGraph(network),
            [
                TensorSpec("input_ids", "INT64", ("N", "R")),
                TensorSpec("attention_mask", "INT64", ("N", "R")),
                seen[0],
                TensorSpec("past_keys", "FP32", past),
                TensorSpec("past_values", "FP32", past),
            ],
            [description, TensorSpec("present_keys", "FP32", present), TensorSpec("present_values", "FP32", present)],
        ),
        Graph(
            "mask",
            MaskGraph(network),
            [description, *seen[1:]],
            [TensorSpec("logits", "FP32", ("N", config.logits_px, config.logits_px))],
        ),
    ]
