"""Checkpoint to a model folder: three ONNX graphs, the tokenizer and the manifest, compared with torch before it is done."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from segmenter.export.fuse import fuse, repository_of
from segmenter.export.graph_check import check_graphs
from segmenter.export.graphs import graphs
from segmenter.export.manifest import Release, copy_tokenizer, weights_path, write_manifest
from segmenter.export.onnx_file import OPSET, export_graph
from segmenter.language.tokenizer import TOKENIZER_FILE
from segmenter.network.checkpoint import read_checkpoint
from segmenter.network.config import ModelConfig
from segmenter.network.precision import PRECISIONS, Precision
from segmenter.network.streamed import Read, streamed_network


def export_model(
    config: ModelConfig, read: Read, folder: Path, tokenizer: Path, release: Release, precision: Precision = "fp16"
) -> dict[str, float]:
    """Fills `folder` with the model; returns the largest relative difference to torch per graph.

    `read` gives a weight by its key, in any float dtype, and is asked for the language model's matrices several times.
    Raises ValueError where a graph computes something else than the network, and leaves no manifest behind then.
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


def export_and_tell(config: ModelConfig, read: Read, args: argparse.Namespace, tokenizer: Path, release: Release) -> None:
    """Exports as the options of :func:`add_model_arguments` say and prints what was compared and written."""
    repository = repository_of(args.out, config.name) if args.fused else None
    differences = export_model(config, read, args.out, tokenizer, release, args.precision)
    for name, difference in differences.items():
        files = [args.out / f"{name}.onnx", weights_path(args.out, name)]
        size = sum(path.stat().st_size for path in files if path.exists())
        print(f"{name}: {size:,} bytes, largest difference to torch {difference:.1e} of the largest value")
    print(f"wrote {args.out / 'manifest.json'}")
    if repository is not None:
        print(f"wrote {fuse(args.out, repository)} and {args.out.parent / 'config.pbtxt'}")


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that `export` and `convert` share."""
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp16",
        help="how matrices are stored; int8: those of the language model, the rest as fp16",
    )
    parser.add_argument(
        "--fused",
        action="store_true",
        help="also the three graphs as one, with a config.pbtxt for Triton; --out must be REPOSITORY/NAME/VERSION then",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `export`."""
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="model folder; its last part is the version")
    parser.add_argument("--tokenizer", type=Path, default=TOKENIZER_FILE)
    parser.add_argument("--license", default="CC-BY-NC-4.0", help="of the weights (SPDX); bound by the training data")
    parser.add_argument("--gsd-m", type=float, nargs=2, default=(0.1, 10.0), metavar=("MIN", "MAX"))
    parser.add_argument("--accuracy", type=Path, help="JSON that `evaluate` wrote; else what the checkpoint holds")
    parser.add_argument("--training-data", type=Path, help="JSON list of name, licence, use; else from the checkpoint")
    add_model_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Export a checkpoint and print what was compared and written."""
    entries = read_checkpoint(args.checkpoint, in_place=True)
    release = Release(
        version=args.out.name,
        license=args.license,
        gsd_m=(args.gsd_m[0], args.gsd_m[1]),
        training_data=_json_or(args.training_data, entries.get("training_data", [])),
        accuracy=_json_or(args.accuracy, entries.get("accuracy", {})),
        converted_from=entries.get("converted_from"),
    )
    export_and_tell(entries["config"], entries["weights"].__getitem__, args, args.tokenizer, release)


def _json_or(path: Path | None, otherwise: Any) -> Any:
    return otherwise if path is None else json.loads(path.read_text(encoding="utf-8"))
