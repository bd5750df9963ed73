"""Export to a model folder: three ONNX graphs checked against torch, the tokenizer and the manifest."""

from __future__ import annotations

from pathlib import Path

from segmenter.export.graph_check import check_graphs
from segmenter.export.graphs import graphs
from segmenter.export.manifest import Release, copy_tokenizer, write_manifest
from segmenter.export.onnx_file import OPSET, export_graph
from segmenter.network.config import ModelConfig, Precision
from segmenter.network.streamed import Read, streamed_network


def export_model(
    config: ModelConfig, read: Read, folder: Path, tokenizer: Path, release: Release, precision: Precision = "fp16"
) -> dict[str, float]:
    """Writes the model to `folder`; returns the largest relative difference to torch per graph.

    `read` returns a weight by key in any float dtype; the language model's matrices are read several times. Raises
    ValueError, and writes no manifest, if a graph differs from the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    copied = copy_tokenizer(tokenizer, folder, config)
    network = streamed_network(config, read, precision)
    exported = graphs(network)
    for graph in exported:
        export_graph(graph, folder / f"{graph.name}.onnx")
    differences = check_graphs(network, exported, folder)
    write_manifest(folder, config, exported, OPSET, copied, release)
    return differences
