"""Checkpoint to a model folder: three ONNX graphs, the tokenizer and the manifest, compared with torch before it is done."""

from __future__ import annotations

import argparse
import copy
import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from segmenter.checkpoint import read_checkpoint
from segmenter.graph_check import check_graphs
from segmenter.graphs import Graph, TensorSpec, graphs
from segmenter.manifest import Release, copy_tokenizer, weights_path, write_manifest
from segmenter.network import SegEarthR1
from segmenter.tokenizer import TOKENIZER_FILE
from segmenter.vision_encoder import fold_batch_norms

OPSET = 18

#: Arrays smaller than this stay float32: a cast node would outweigh the saving.
_SMALLEST_HALF = 1024

#: Weights beyond this many bytes go to a file of their own: a protobuf file ends at 2 GiB.
_LARGEST_FILE = 2_000_000_000

#: Dynamic axes as they are traced; any other length may be fed.
_TRACED_LENGTH = {"N": 3, "R": 7, "P": 5}

_DTYPES = {"FP32": torch.float32, "INT64": torch.int64, "UINT8": torch.uint8}


def as_stored(network: SegEarthR1, half: bool = True) -> SegEarthR1:
    """A copy that computes what the exported graphs do: batch norms folded and, with `half`, weights rounded.

    Matrices and kernels take the values that float16 holds; vectors stay as they are. Raises ValueError for a weight that
    float16 cannot hold.
    """
    stored = copy.deepcopy(network)
    fold_batch_norms(stored)
    if not half:
        return stored
    with torch.no_grad():
        for name, weight in stored.named_parameters():
            if weight.ndim < 2:
                continue
            rounded = weight.half().float()
            if not bool(rounded.isfinite().all()):
                raise ValueError(f"{name} holds {float(weight.abs().max())}; float16 ends at 65504, export with --fp32")
            weight.copy_(rounded)
    return stored


def export_graph(graph: Graph, path: Path) -> None:
    """Writes one graph as ONNX with named axes, its float16-valued weights stored as float16."""
    arguments = [_example(tensor) for tensor in graph.inputs]
    axes = [
        {axis: torch.export.Dim.DYNAMIC for axis, length in enumerate(tensor.shape) if isinstance(length, str)}
        for tensor in graph.inputs
    ]
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            graph.module,
            tuple(arguments),
            dynamo=True,
            opset_version=OPSET,
            input_names=[tensor.name for tensor in graph.inputs],
            output_names=[tensor.name for tensor in graph.outputs],
            dynamic_shapes=_by_parameter(graph, axes),
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError(f"torch gave no ONNX program for the {graph.name} graph")
    model = program.model_proto
    _strip_trace(model)
    _name_axes(model, (*graph.inputs, *graph.outputs))
    _store_half(model)
    _write(model, path)
    onnx.checker.check_model(str(path))


def _write(model: onnx.ModelProto, path: Path) -> None:
    """One file, or, where that could not hold the weights, a second one for them."""
    weights = weights_path(path.parent, path.stem)
    weights.unlink(missing_ok=True)
    if sum(len(array.raw_data) for array in model.graph.initializer) < _LARGEST_FILE:
        path.write_bytes(model.SerializeToString())
    else:
        onnx.save_model(model, path, save_as_external_data=True, location=weights.name)


def _example(tensor: TensorSpec) -> Tensor:
    shape = [_TRACED_LENGTH[length] if isinstance(length, str) else length for length in tensor.shape]
    if tensor.dtype == "FP32":
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return torch.ones(shape, dtype=_DTYPES[tensor.dtype])


def _by_parameter(graph: Graph, axes: Sequence[dict[int, Any]]) -> tuple[Any, ...]:
    """Dynamic axes as torch wants them: the mask graph takes its last inputs as one variadic parameter."""
    if graph.name != "mask":
        return tuple(axes)
    return (*axes[:4], tuple(axes[4:]))


def _strip_trace(model: onnx.ModelProto) -> None:
    """Removes what the tracer noted about source files and inferred shapes."""
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    for item in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]


def _name_axes(model: onnx.ModelProto, tensors: Sequence[TensorSpec]) -> None:
    """Writes the specified axis names over the tracer's; raises ValueError where a traced shape contradicts them."""
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


def _store_half(model: onnx.ModelProto) -> None:
    """Stores every larger float32 array whose values float16 holds exactly as float16 behind a cast to float32.

    Runtimes fold the cast when they load the model, so it computes as if the arrays were float32.
    """
    kept, casts = [], []
    for array in model.graph.initializer:
        values = numpy_helper.to_array(array)
        half = _exact_half(values)
        if half is None:
            kept.append(array)
            continue
        stored = f"{array.name}_float16"
        kept.append(numpy_helper.from_array(half, stored))
        casts.append(helper.make_node("Cast", [stored], [array.name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def _exact_half(values: NDArray[Any]) -> NDArray[np.float16] | None:
    if values.dtype != np.float32 or values.size < _SMALLEST_HALF or np.abs(values).max() > np.finfo(np.float16).max:
        return None
    half = values.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), values) else None


def export_model(network: SegEarthR1, folder: Path, tokenizer: Path, release: Release, half: bool = True) -> dict[str, float]:
    """Fills `folder` with the model; returns the largest relative difference to torch per graph.

    Raises ValueError where a graph computes something else than the network, and leaves no manifest behind then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    copied = copy_tokenizer(tokenizer, folder, network.config)
    network = as_stored(network, half)
    exported = graphs(network)
    for graph in exported:
        export_graph(graph, folder / f"{graph.name}.onnx")
    differences = check_graphs(network, exported, folder)
    write_manifest(folder, network.config, exported, OPSET, copied, release)
    return differences


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `export`."""
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="model folder; its last part is the version")
    parser.add_argument("--tokenizer", type=Path, default=TOKENIZER_FILE)
    parser.add_argument("--license", default="CC-BY-NC-4.0", help="of the weights (SPDX); bound by the training data")
    parser.add_argument("--gsd-m", type=float, nargs=2, default=(0.1, 10.0), metavar=("MIN", "MAX"))
    parser.add_argument("--accuracy", type=Path, help="JSON that `evaluate` wrote; else what the checkpoint holds")
    parser.add_argument("--training-data", type=Path, help="JSON list of name, licence, use; else from the checkpoint")
    parser.add_argument("--fp32", action="store_true", help="store the weights as float32 instead of float16")


def main(args: argparse.Namespace) -> None:
    """Export a checkpoint and print what was compared and written."""
    entries = read_checkpoint(args.checkpoint)
    network = SegEarthR1(entries["config"])
    network.load_state_dict(entries["weights"])
    release = Release(
        version=args.out.name,
        license=args.license,
        gsd_m=(args.gsd_m[0], args.gsd_m[1]),
        training_data=_json_or(args.training_data, entries.get("training_data", [])),
        accuracy=_json_or(args.accuracy, entries.get("accuracy", {})),
    )
    differences = export_model(network, args.out, args.tokenizer, release, half=not args.fp32)
    for name, difference in differences.items():
        size = (args.out / f"{name}.onnx").stat().st_size
        print(f"{name}: {size:,} bytes, largest difference to torch {difference:.1e} of the largest value")
    print(f"wrote {args.out / 'manifest.json'}")


def _json_or(path: Path | None, otherwise: Any) -> Any:
    return otherwise if path is None else json.loads(path.read_text(encoding="utf-8"))
