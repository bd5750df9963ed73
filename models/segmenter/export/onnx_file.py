"""Writes a graph as an ONNX file: traced by torch, with named axes and weights written one at a time."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
import torch
from torch import Tensor, nn

from segmenter.export.graphs import Graph, TensorSpec, VisionGraph
from segmenter.export.manifest import weights_path
from segmenter.export.onnx_weights import fill_streamed, store_half
from segmenter.network.network import normalise
from segmenter.network.streamed import streamed_modules

OPSET = 18

#: Names of the encoder stages inside the vision graph.
STAGES = ("res2", "res3", "res4", "res5")

#: Weights of more bytes go to a separate file: protobuf files are built in memory and limited to 2 GiB.
_LARGEST_FILE = 256_000_000

#: Lengths of dynamic axes during tracing.
_TRACED_LENGTH = {"N": 3, "R": 7, "P": 5}

_DTYPES = {"FP32": torch.float32, "INT64": torch.int64, "UINT8": torch.uint8}


def export_graph(graph: Graph, path: Path) -> None:
    """Writes one graph as ONNX with named axes.

    Streamed matrices are stored in their precision, other weights as float16 if that is exact. The encoder stages inside
    the vision graph are named as in `STAGES`, so that an analysis can use them as outputs.
    """
    arguments = [_example(tensor) for tensor in graph.inputs]
    stages = STAGES if isinstance(graph.module, VisionGraph) else ()
    module = WithStages(graph.module) if isinstance(graph.module, VisionGraph) else graph.module
    axes = [
        {axis: torch.export.Dim.DYNAMIC for axis, length in enumerate(tensor.shape) if isinstance(length, str)}
        for tensor in graph.inputs
    ]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            tuple(arguments),
            dynamo=True,
            opset_version=OPSET,
            input_names=[tensor.name for tensor in graph.inputs],
            output_names=[*(tensor.name for tensor in graph.outputs), *stages],
            dynamic_shapes=_by_parameter(graph, axes),
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError(f"torch returned no ONNX program for the {graph.name} graph")
    streamed = fill_streamed(program.model, dict(streamed_modules(module)))
    store_half(program.model, streamed)
    _write(program.model, path)
    model = onnx.load(path, load_external_data=False)
    del model.graph.output[len(graph.outputs) :]
    _strip_trace(model)
    _name_axes(model, (*graph.inputs, *graph.outputs))
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))


class WithStages(nn.Module):
    """The vision graph with the encoder stages [1, C, S/4, S/4] .. [1, 8C, S/32, S/32] as additional outputs."""

    def __init__(self, vision: VisionGraph) -> None:
        super().__init__()
        self.vision = vision

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        state = self.vision.network.encode_image(normalise(image))
        return (*self.vision.outputs(state), *state.features)


def _write(model: ir.Model, path: Path) -> None:
    """Writes one file, and a second one for weights of more than `_LARGEST_FILE` bytes."""
    weights = weights_path(path.parent, path.stem)
    weights.unlink(missing_ok=True)
    arrays = [value.const_value for value in model.graph.initializers.values()]
    small = sum(array.nbytes for array in arrays if array is not None) < _LARGEST_FILE
    ir.save(model, path, external_data=None if small else weights.name)


def _example(tensor: TensorSpec) -> Tensor:
    shape = [_TRACED_LENGTH[length] if isinstance(length, str) else length for length in tensor.shape]
    if tensor.dtype == "FP32":
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return torch.ones(shape, dtype=_DTYPES[tensor.dtype])


def _by_parameter(graph: Graph, axes: Sequence[dict[int, Any]]) -> tuple[Any, ...]:
    """Dynamic axes in torch's format: the last inputs of the mask graph are one variadic parameter."""
    if graph.name != "mask":
        return tuple(axes)
    return (*axes[:4], tuple(axes[4:]))


def _strip_trace(model: onnx.ModelProto) -> None:
    """Removes the tracer's notes on source files and inferred shapes."""
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    for item in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]


def _name_axes(model: onnx.ModelProto, tensors: Sequence[TensorSpec]) -> None:
    """Sets the specified axis names; raises ValueError if a traced shape contradicts them."""
    values = {value.name: value for value in (*model.graph.input, *model.graph.output)}
    for tensor in tensors:
        traced = values[tensor.name].type.tensor_type.shape.dim
        fixed = [None if isinstance(length, str) else length for length in tensor.shape]
        found = [axis.dim_value if axis.HasField("dim_value") else None for axis in traced]
        if found != fixed:
            raise ValueError(f"{tensor.name} was traced as {found}; the specification says {list(tensor.shape)}")
        for axis, length in zip(traced, tensor.shape, strict=True):
            if isinstance(length, str):
                axis.dim_param = length
