"""Weights of a traced graph: streamed matrices from their files, arrays as float16 if that is exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from segmenter.network.precision import to_half, to_int8
from segmenter.network.streamed import Streamed, StreamedLinear

Array = NDArray[Any]

#: Arrays smaller than this stay float32: a cast node would outweigh the saving.
_SMALLEST_HALF = 1024


def fill_streamed(model: ir.Model, modules: Mapping[str, Streamed]) -> set[str]:
    """Replaces stand-ins by matrices that are read when written; returns the names of float32 ones.

    A Cast follows float16, a DequantizeLinear with one scale per output follows int8.
    """
    float32_names = set()
    for name, value in list(model.graph.initializers.items()):
        module = modules.get(name)
        if module is None:
            continue
        if module.precision == "fp32":
            value.const_value = _written(name, partial(_matrix, module), ir.DataType.FLOAT, value.shape)
            float32_names.add(name)
        elif module.precision == "fp16":
            _as_half(model.graph, value, partial(_matrix, module))
        else:
            _as_int8(model.graph, value, module)
    return float32_names


def store_half(model: ir.Model, untouched: set[str]) -> None:
    """Stores larger float32 arrays as float16 followed by a Cast, if that is exact.

    Runtimes fold the cast when loading the model, so results are unchanged.
    """
    for name, value in list(model.graph.initializers.items()):
        array = value.const_value
        if name in untouched or array is None or array.dtype != ir.DataType.FLOAT or not _fits_half(array.numpy()):
            continue
        _as_half(model.graph, value, partial(_halved, array))


def _as_half(graph: ir.Graph, value: ir.Value, read: Callable[[], Array]) -> None:
    stored = _constant(graph, f"{value.name}_float16", read, ir.DataType.FLOAT16, value.shape)
    _replace(graph, value, ir.node("Cast", [stored], {"to": ir.DataType.FLOAT.value}))


def _as_int8(graph: ir.Graph, value: ir.Value, module: Streamed) -> None:
    """`value` [in, out] as int8 with scales [out]."""
    _, scale = to_int8(module.source())
    stored = [
        _constant(graph, f"{value.name}_int8", partial(_matrix, module), ir.DataType.INT8, value.shape),
        _constant(graph, f"{value.name}_scale", scale.numpy, ir.DataType.FLOAT, ir.Shape(scale.shape)),
    ]
    _replace(graph, value, ir.node("DequantizeLinear", stored, {"axis": 1}))


def _replace(graph: ir.Graph, value: ir.Value, node: ir.Node) -> None:
    """Replaces a constant by a node at the start of the graph, under the same name."""
    name = str(value.name)
    value.replace_all_uses_with(node.outputs[0])
    del graph.initializers[name]
    node.outputs[0].name = name
    graph.insert_before(graph[0], node)


def _constant(graph: ir.Graph, name: str, read: Callable[[], Array], dtype: ir.DataType, shape: Any) -> ir.Value:
    value = ir.Value(name=name, shape=shape, type=ir.TensorType(dtype))
    value.const_value = _written(name, read, dtype, shape)
    graph.register_initializer(value)
    return value


def _written(name: str, read: Callable[[], Array], dtype: ir.DataType, shape: Any) -> ir.LazyTensor:
    """A tensor that is computed when written, and not kept."""
    return ir.LazyTensor(lambda: ir.tensor(read(), name=name), dtype=dtype, shape=shape, name=name)


def _matrix(module: Streamed) -> Array:
    """The matrix of a module as stored, in the layout of its stand-in."""
    source = module.source()
    if module.precision == "int8":
        held = to_int8(source)[0]
    else:
        held = source.float() if module.precision == "fp32" else to_half(module.key, source)
    return np.ascontiguousarray((held.t() if isinstance(module, StreamedLinear) else held).numpy())


def _halved(array: ir.TensorProtocol) -> Array:
    return array.numpy().astype(np.float16)


def _fits_half(values: Array) -> bool:
    """Whether the array is large enough for a cast and float16 represents it exactly."""
    if values.size < _SMALLEST_HALF or np.abs(values).max() > np.finfo(np.float16).max:
        return False
    return np.array_equal(values.astype(np.float16).astype(np.float32), values)
