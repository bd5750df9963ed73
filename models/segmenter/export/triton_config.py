"""`config.pbtxt` of NVIDIA Triton for a graph: a ModelConfig message in protobuf text format.

https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_configuration.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import onnx

_TYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "TYPE_FP32",
    onnx.TensorProto.INT64: "TYPE_INT64",
    onnx.TensorProto.UINT8: "TYPE_UINT8",
}


def config_text(name: str, file: str, graph: onnx.GraphProto, manifest: bytes) -> str:
    """Configuration of model `name` with its graph in `file`, including the SHA-256 of its manifest.

    Raises ValueError for an unsupported tensor type.
    """
    lines = [
        "# Rows of input_ids are the questions of one image and run together. The first axes of image and rows differ, so",
        "# there is nothing that a server could batch: max_batch_size 0 means that shapes are whole.",
        f"name: {json.dumps(name)}",
        'backend: "onnxruntime"',
        f"default_model_filename: {json.dumps(file)}",
        "max_batch_size: 0",
        *_tensors("input", graph.input),
        *_tensors("output", graph.output),
        "parameters {",
        '  key: "manifest_sha256"',
        f'  value {{ string_value: "{hashlib.sha256(manifest).hexdigest()}" }}',
        "}",
    ]
    return "\n".join(lines) + "\n"


def _tensors(field: str, values: Iterable[onnx.ValueInfoProto]) -> list[str]:
    """One block per tensor; dynamic axes are -1."""
    lines = []
    for value in values:
        tensor = value.type.tensor_type
        if tensor.elem_type not in _TYPES:
            found = onnx.TensorProto.DataType.Name(tensor.elem_type)
            raise ValueError(f"{field} {value.name} is {found}; supported are FLOAT, INT64 and UINT8")
        dims = ", ".join(str(axis.dim_value) if axis.HasField("dim_value") else "-1" for axis in tensor.shape.dim)
        lines += [
            f"{field} {{",
            f"  name: {json.dumps(value.name)}",
            f"  data_type: {_TYPES[tensor.elem_type]}",
            f"  dims: [ {dims} ]",
            "}",
        ]
    return lines
