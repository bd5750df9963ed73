"""A network for export whose language model matrices stay in their files: each is read on use and then released.

They make up three quarters of the full size and are never in memory together, neither while the graph is written nor
while it is compared with torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import ModelConfig, Precision
from segmenter.network.lite_encoder import fold_scales
from segmenter.network.network import SegEarthR1
from segmenter.network.precision import stored_values, to_half
from segmenter.network.vision_encoder import fold_batch_norms

#: Reads a weight by its checkpoint key, in its stored dtype.
Read = Callable[[str], Tensor]


class Streamed(nn.Module):
    """A module with one matrix that stays in its file. `stand_in` has the matrix's shape in the graph but takes no memory."""

    def __init__(self, key: str, read: Read, precision: Precision, shape: tuple[int, int], number: int) -> None:
        super().__init__()
        self.key, self.precision = key, precision
        self._read = read
        # Stand-ins have distinct values: tracing merges equal constants.
        self.stand_in = nn.Parameter(torch.tensor(float(number)).expand(shape), requires_grad=False)

    def source(self) -> Tensor:
        """The matrix as stored in the checkpoint."""
        return self._read(self.key)

    def matrix(self) -> Tensor:
        """The matrix in float32, with the values that the graph uses."""
        return stored_values(self.key, self.source(), self.precision)


class StreamedLinear(Streamed):
    """x @ matrix^T + bias, the matrix [out, in] in its file; its stand-in is [in, out], as ONNX multiplies."""

    def __init__(self, like: nn.Linear, key: str, read: Read, precision: Precision, number: int) -> None:
        super().__init__(key, read, precision, (like.in_features, like.out_features), number)
        self.bias = like.bias

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_exporting():
            return x @ self.stand_in + self.bias
        return F.linear(x, self.matrix(), self.bias)


class StreamedEmbedding(Streamed):
    """Rows of a table [size, width] in its file. int8 applies to multiplied matrices only; the table is then float16."""

    def __init__(self, like: nn.Embedding, key: str, read: Read, precision: Precision) -> None:
        half_at_most: Precision = "fp32" if precision == "fp32" else "fp16"
        super().__init__(key, read, half_at_most, (like.num_embeddings, like.embedding_dim), 0)

    def forward(self, ids: Tensor) -> Tensor:
        table = self.stand_in if torch.compiler.is_exporting() else self.matrix()
        return F.embedding(ids, table)


def streamed_network(config: ModelConfig, read: Read, precision: Precision) -> SegEarthR1:
    """The network equivalent to its exported graphs, in evaluation mode, with language model matrices in their files.

    Skips unused tensors of the published checkpoint and folds batch norms; matrices and kernels then take their stored
    values in `precision`. Raises ValueError for a weight out of the range of float16.
    """
    buffers = computed_buffers(config)
    with torch.device("meta"):
        network = SegEarthR1(dataclasses.replace(config, published_layout=False))
    network.config = config
    stream_language(network, read, precision)
    kept = [key for key in network.state_dict() if not key.endswith(".stand_in")]
    weights = {key: floats(read(key)) for key in kept}
    network.load_state_dict(weights, assign=True, strict=False)
    for name, buffer in buffers.items():
        owner, _, leaf = name.rpartition(".")
        if network.get_buffer(name).is_meta:
            setattr(network.get_submodule(owner), leaf, buffer)
    network.requires_grad_(False)
    fold_batch_norms(network)
    fold_scales(network)
    if precision != "fp32":
        for name, weight in network.named_parameters():
            if weight.ndim >= 2 and not name.endswith(".stand_in"):
                weight.data = to_half(name, weight).float()
    return network.eval()


def stream_language(network: SegEarthR1, read: Read, precision: Precision) -> None:
    """Replaces the language model's matrices, including the token table, by streamed modules."""
    language = network.model
    for number, (name, linear) in enumerate(list(language.layers.named_modules()), 1):
        if isinstance(linear, nn.Linear):
            owner, _, leaf = name.rpartition(".")
            key = f"model.layers.{name}.weight"
            setattr(language.layers.get_submodule(owner), leaf, StreamedLinear(linear, key, read, precision, number))
    table = StreamedEmbedding(language.embed_tokens, "model.embed_tokens.weight", read, precision)
    language.embed_tokens = table  # type: ignore[assignment]


def streamed_modules(module: nn.Module) -> Iterator[tuple[str, Streamed]]:
    """Streamed modules inside a graph's module, with the names of their stand-ins in the traced graph."""
    for name, part in module.named_modules():
        if isinstance(part, Streamed):
            yield f"{name}.stand_in", part


def computed_buffers(config: ModelConfig) -> dict[str, Tensor]:
    """Buffers computed from the configuration, by name; of the language model only the rotary table."""
    small = dataclasses.replace(
        config,
        language=dataclasses.replace(config.language, layers=0),
        vocabulary=dataclasses.replace(config.vocabulary, size=1),
        published_layout=False,
    )
    return dict(SegEarthR1(small).named_buffers())


def floats(weight: Tensor) -> Tensor:
    """The weight as float32 if it is floating point, else unchanged."""
    return weight.float() if weight.is_floating_point() else weight
