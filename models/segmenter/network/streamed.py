"""A network for export whose large matrices stay in their files: each is read when it is used and dropped after.

Three quarters of the full size are matrices of the language model. They are never in memory together, neither while
the graph is written nor while it is compared with torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.network.config import ModelConfig, Precision
from segmenter.network.network import SegEarthR1
from segmenter.network.precision import as_held, to_half
from segmenter.network.vision_encoder import fold_batch_norms

#: Reads a weight by its key in the checkpoint, in the dtype that it has there.
Read = Callable[[str], Tensor]


class Streamed(nn.Module):
    """A module with one matrix that stays in its file. `stand_in` has the matrix's shape in the graph, and no memory."""

    def __init__(self, key: str, read: Read, precision: Precision, shape: tuple[int, int], number: int) -> None:
        super().__init__()
        self.key, self.precision = key, precision
        self._read = read
        # Every stand-in has another value: equal constants would be joined when the graph is traced.
        self.stand_in = nn.Parameter(torch.tensor(float(number)).expand(shape), requires_grad=False)

    def source(self) -> Tensor:
        """The matrix as the checkpoint holds it."""
        return self._read(self.key)

    def matrix(self) -> Tensor:
        """The matrix in float32, as the graph computes with it."""
        return as_held(self.key, self.source(), self.precision)


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
    """Rows of a table [size, width] in its file. int8 is for matrices that are multiplied: the table is float16 then."""

    def __init__(self, like: nn.Embedding, key: str, read: Read, precision: Precision) -> None:
        half_at_most: Precision = "fp32" if precision == "fp32" else "fp16"
        super().__init__(key, read, half_at_most, (like.num_embeddings, like.embedding_dim), 0)

    def forward(self, ids: Tensor) -> Tensor:
        table = self.stand_in if torch.compiler.is_exporting() else self.matrix()
        return F.embedding(ids, table)


def streamed_network(config: ModelConfig, read: Read, precision: Precision) -> SegEarthR1:
    """The network that computes what its exported graphs do, in evaluation mode, its language matrices left in their files.

    Tensors of the published checkpoint that no forward pass reads are never asked of `read`; batch norms are folded, then
    matrices and kernels take the values that `precision` holds. Raises ValueError for a weight that float16 cannot hold.
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
    if precision != "fp32":
        for name, weight in network.named_parameters():
            if weight.ndim >= 2 and not name.endswith(".stand_in"):
                weight.data = to_half(name, weight).float()
    return network.eval()


def stream_language(network: SegEarthR1, read: Read, precision: Precision) -> None:
    """Puts streamed modules in the place of the language model's matrices, the token table included."""
    language = network.model
    for number, (name, linear) in enumerate(list(language.layers.named_modules()), 1):
        if isinstance(linear, nn.Linear):
            owner, _, leaf = name.rpartition(".")
            key = f"model.layers.{name}.weight"
            setattr(language.layers.get_submodule(owner), leaf, StreamedLinear(linear, key, read, precision, number))
    table = StreamedEmbedding(language.embed_tokens, "model.embed_tokens.weight", read, precision)
    language.embed_tokens = table  # type: ignore[assignment]


def streamed_modules(module: nn.Module) -> Iterator[tuple[str, Streamed]]:
    """The streamed modules inside a graph's module, each with the name that its stand-in has in the traced graph."""
    for name, part in module.named_modules():
        if isinstance(part, Streamed):
            yield f"{name}.stand_in", part


def computed_buffers(config: ModelConfig) -> dict[str, Tensor]:
    """Tables that a network computes from its sizes, by name; the language model is left out but for its rotary table."""
    small = dataclasses.replace(
        config,
        language=dataclasses.replace(config.language, layers=0),
        vocabulary=dataclasses.replace(config.vocabulary, size=1),
        published_layout=False,
    )
    return dict(SegEarthR1(small).named_buffers())


def floats(weight: Tensor) -> Tensor:
    """Floating numbers as float32, integers as they are."""
    return weight.float() if weight.is_floating_point() else weight
