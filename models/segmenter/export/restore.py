"""Exported graphs back to a checkpoint, for a model whose checkpoint is gone.

Graphs of one configuration differ in their weights alone. A network of drawn weights is exported beside them: where one of
its weights lies in its graphs, the model's own lies in those of the model. What comes out is compared with the graphs.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from segmenter.export.graph_check import check_graphs
from segmenter.export.graphs import graphs
from segmenter.export.onnx_file import export_graph
from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.network.streamed import streamed_network

Array = NDArray[Any]

#: A part of a weight is told by so many numbers; fewer may be a constant of the graph.
_LEAST_ROWS = 8
#: Self-attention of one query alone is its value projection: no graph need hold those of query and key.
_ALONE = (".self_attn.in_proj_bias", ".self_attn.in_proj_weight")


class RestoreError(Exception):
    """A weight of the network lies nowhere in the graphs, or graphs of another configuration were given."""


@dataclass(frozen=True)
class Place:
    """Where a weight lies: an array of a graph that holds it, transposed or not, or its rows `rows`."""

    array: str
    key: str
    rows: NDArray[np.int64] | None
    transposed: bool


def restore(config: ModelConfig, folder: Path) -> dict[str, Tensor]:
    """The state dict whose export are the graphs in `folder`; its batch norms do nothing but add.

    Raises RestoreError where a weight is not found, ValueError where the restored network computes something else.
    """
    weights: dict[str, Tensor] = {}
    drawn = drawn_network(config)
    sought = {name: value for name, value in drawn.state_dict().items() if name not in _given(drawn)}
    filled = {name: torch.zeros(len(value), dtype=torch.bool) for name, value in sought.items()}
    with tempfile.TemporaryDirectory() as work:
        for graph in graphs(streamed_network(config, drawn.state_dict().__getitem__, "fp16")):
            export_graph(graph, Path(work) / f"{graph.name}.onnx")
            ours, theirs = onnx.load(Path(work) / f"{graph.name}.onnx"), onnx.load(folder / f"{graph.name}.onnx")
            arrays = paired(ours, theirs)
            for place in places(arrays, drawn.state_dict()):
                if place.key in filled:
                    _fill(weights, filled, place, arrays[place.array][1], sought[place.key])
    for name, rows in filled.items():
        if name.endswith(_ALONE):
            rows[: len(rows) // 3 * 2] = True
    missing = [name for name, rows in filled.items() if not bool(rows.all())]
    if missing:
        raise RestoreError(f"{folder} lacks {len(missing)} weights of {config.name}, among them {', '.join(missing[:3])}")
    whole = {**drawn.state_dict(), **weights}
    rebuilt = streamed_network(config, whole.__getitem__, "fp16")
    check_graphs(rebuilt, graphs(rebuilt), folder)
    return whole


def drawn_network(config: ModelConfig) -> SegEarthR1:
    """A network of the configuration with no two equal weights; its batch norms do nothing but add, so that they fold to that."""
    torch.manual_seed(1)
    network = SegEarthR1(config)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, math.sqrt(1 + module.eps))
    return network


def _given(network: SegEarthR1) -> set[str]:
    """Names of what no graph holds: tables of whole numbers, and all of a batch norm but its bias."""
    names = {name for name, value in network.state_dict().items() if not value.is_floating_point()}
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            names |= {f"{name}.{part}" for part in ("weight", "running_mean", "running_var")}
    return names | {name for name in network.state_dict() if name.endswith(".scale")}


def paired(ours: onnx.ModelProto, theirs: onnx.ModelProto) -> dict[str, tuple[Array, Array]]:
    """The arrays of one graph and of another of the same nodes, by the names in the first.

    Where two weights were equal, the other graph holds one array for both: the same node reads it in the same place.
    """
    if [node.op_type for node in ours.graph.node] != [node.op_type for node in theirs.graph.node]:
        raise RestoreError("the graphs have other nodes than the configuration's; they are of another network or exporter")
    found = {array.name: numpy_helper.to_array(array) for array in theirs.graph.initializer}
    names = {array.name: array.name for array in ours.graph.initializer if array.name in found}
    for one, other in zip(ours.graph.node, theirs.graph.node, strict=True):
        names |= {a: b for a, b in zip(one.input, other.input, strict=True) if a not in names and b in found}
    own = {array.name: numpy_helper.to_array(array) for array in ours.graph.initializer}
    return {name: (own[name], found[names[name]]) for name in own if name in names}


def places(arrays: dict[str, tuple[Array, Array]], weights: dict[str, Tensor]) -> Iterator[Place]:
    """Where the drawn `weights` lie among the arrays of their graph (the first of each pair)."""
    index = {name: value for name, value in weights.items() if name.endswith("relative_position_index")}
    known = {name: value.numpy() for name, value in weights.items() if value.is_floating_point() and value.ndim}
    for name, (array, _) in arrays.items():
        if array.dtype not in (np.float16, np.float32) or not array.size:
            continue
        for key, weight in known.items():
            place = _place(name, array, key, weight.astype(array.dtype), index)
            if place is not None:
                yield place


def _place(name: str, array: Array, key: str, weight: Array, index: dict[str, Tensor]) -> Place | None:
    if key.endswith("relative_position_bias_table"):
        rows = index[key.replace("bias_table", "index")].flatten().numpy()
        gathered = array.shape == (len(rows), weight.shape[1]) and _alike(array, weight[rows])
        return Place(name, key, rows, False) if gathered else None
    if array.size == weight.size and _alike(array.ravel(), weight.ravel()):
        return Place(name, key, None, False)
    if array.ndim == weight.ndim == 2 and array.shape == weight.T.shape and _alike(array, weight.T):
        return Place(name, key, None, True)
    for transposed in (False, True) if array.ndim == weight.ndim == 2 else (False,):
        part = _rows(array.T if transposed else array, weight)
        if part is not None:
            return Place(name, key, part, transposed)
    return None


def _rows(array: Array, weight: Array) -> NDArray[np.int64] | None:
    """The rows of a weight that an array holds, once or, where it repeats one row, over and over; None where it does not."""
    part = array[0] if array.ndim == 2 and (array == array[0]).all() else array.ravel()
    if part.size < _LEAST_ROWS or part.size >= weight.size or part.size % weight[0].size:
        return None
    count = part.size // weight[0].size
    for start in np.flatnonzero(np.isclose(weight.reshape(len(weight), -1)[:, 0], part[0], rtol=2e-3)):
        if start + count <= len(weight) and _alike(weight[start : start + count].ravel(), part):
            return np.arange(start, start + count)
    return None


def _alike(one: Array, other: Array) -> bool:
    """Equal but for the rounding of float16 and of folded batch norms."""
    return bool(np.allclose(one.astype(np.float32), other.astype(np.float32), rtol=2e-3, atol=1e-5))


def _fill(weights: dict[str, Tensor], filled: dict[str, Tensor], place: Place, array: Array, like: Tensor) -> None:
    target = weights.setdefault(place.key, torch.zeros_like(like))
    values = torch.from_numpy(np.ascontiguousarray(array.T if place.transposed else array).astype(np.float32))
    if place.rows is None:
        target.copy_(values.reshape(like.shape))
        filled[place.key][:] = True
        return
    rows = torch.from_numpy(place.rows)
    repeated = values.ndim == 2 and values.numel() != len(rows) * like[0].numel()
    target[rows] = (values[0] if repeated else values).reshape(len(rows), *like.shape[1:])
    filled[place.key][rows] = True
