"""Fuses the three graphs of a model into one, in a model repository for servers such as NVIDIA Triton.

The fused graph takes complete rows of token ids: the task's prompt, the question, `[SEG]`, padding. Fusing needs only
`onnx`: graphs are joined unchanged, so the checks of the export still apply.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import compose, numpy_helper

from segmenter.export.triton_config import config_text

GRAPHS = ("vision", "language", "mask")

#: Inputs of the fused graph.
_FED = ("image", "input_ids", "attention_mask")

#: Inputs for cached positions; empty in the fused graph.
_PAST = ("past_keys", "past_values")

_FILE = "model.onnx"


def repository_of(folder: Path, name: str) -> Path:
    """The model repository of the version `folder`; raises ValueError if its path is not REPOSITORY/NAME/VERSION."""
    whole = folder.resolve()
    if whole.parent.name != name or not whole.name.isdecimal() or int(whole.name) < 1:
        raise ValueError(f"{folder} must end in {name}/VERSION with a version of 1 or more; servers find a model by its path")
    return whole.parent.parent


def fuse(model: Path, repository: Path) -> Path:
    """Writes `NAME/VERSION/model.onnx` and `NAME/config.pbtxt` into `repository`; returns the graph's path.

    `model` is an exported folder. If it lies in the repository, the fused graph shares its weight files; otherwise they are
    copied (`onnx` and ONNX Runtime refuse links).
    """
    manifest = (model / "manifest.json").read_bytes()
    facts = json.loads(manifest)
    folder = repository / facts["name"] / facts["version"]
    repository_of(folder, facts["name"])
    folder.mkdir(parents=True, exist_ok=True)
    files = [facts["files"][name] for name in GRAPHS]
    for weights in (entry["weights"]["path"] for entry in files if "weights" in entry):
        if not folder.samefile(model):
            shutil.copyfile(model / weights, folder / weights)
    joined = join([onnx.load(model / entry["path"], load_external_data=False) for entry in files])
    path = folder / _FILE
    path.write_bytes(joined.SerializeToString())
    onnx.checker.check_model(str(path))
    config = config_text(facts["name"], _FILE, joined.graph, manifest)
    (folder.parent / "config.pbtxt").write_text(config, encoding="utf-8")
    return path


def join(models: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """Joins vision, language and mask graph: image, input_ids and attention_mask to logits.

    Outputs feed later inputs of the same name; the past of the language graph is empty. Raises ValueError for an input
    without a source.
    """
    vision, language, mask = (
        compose.add_prefix_graph(model.graph, f"{name}.", rename_inputs=False, rename_outputs=False)
        for name, model in zip(GRAPHS, models, strict=True)
    )
    graph = onnx.GraphProto(name="fused", output=mask.output)
    made = {output.name for part in (vision, language) for output in part.output}
    for value in (*vision.input, *language.input, *mask.input):
        if value.name in _PAST:
            graph.initializer.append(_empty(value))
        elif value.name in _FED:
            graph.input.append(value)
        elif value.name not in made:
            raise ValueError(f"nothing feeds the input {value.name}")
    for part in (vision, language, mask):
        graph.node.extend(part.node)
        graph.initializer.extend(part.initializer)
    _keep_read(graph)
    joined = onnx.ModelProto(ir_version=models[0].ir_version, graph=graph, producer_name=models[0].producer_name)
    joined.opset_import.extend(models[0].opset_import)
    return joined


def _empty(value: onnx.ValueInfoProto) -> onnx.TensorProto:
    """An empty past: the input's shape with 0 for dynamic axes."""
    shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
    return numpy_helper.from_array(np.zeros(shape, np.float32), value.name)


def _keep_read(graph: onnx.GraphProto) -> None:
    """Removes nodes without readers, such as the key and value outputs of the language graph."""
    read = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if read.intersection(node.output):
            read.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
