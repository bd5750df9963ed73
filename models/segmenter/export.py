"""Checkpoint to a model folder: three ONNX graphs, the tokenizer and the manifest, compared with torch before it is done."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import torch

from segmenter.checkpoint import network_of, read_checkpoint
from segmenter.graph_check import check_graphs
from segmenter.graphs import graphs
from segmenter.manifest import Release, copy_tokenizer, weights_path, write_manifest
from segmenter.network import SegEarthR1
from segmenter.onnx_file import OPSET, export_graph
from segmenter.tokenizer import TOKENIZER_FILE
from segmenter.vision_encoder import fold_batch_norms


def as_stored(network: SegEarthR1, half: bool = True) -> SegEarthR1:
    """A copy that computes what the exported graphs do; see :func:`store`."""
    stored = copy.deepcopy(network)
    store(stored, half)
    return stored


def store(network: SegEarthR1, half: bool) -> None:
    """Changes a network into what its exported graphs compute: batch norms folded and, with `half`, weights rounded.

    Matrices and kernels take the values that float16 holds; vectors stay as they are. Raises ValueError for a weight that
    float16 cannot hold.
    """
    fold_batch_norms(network)
    if not half:
        return
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim < 2:
                continue
            rounded = weight.half().float()
            if not bool(rounded.isfinite().all()):
                raise ValueError(f"{name} holds {float(weight.abs().max())}; float16 ends at 65504, export with --fp32")
            weight.copy_(rounded)


def export_model(network: SegEarthR1, folder: Path, tokenizer: Path, release: Release, half: bool = True) -> dict[str, float]:
    """Fills `folder` with the model; returns the largest relative difference to torch per graph.

    `network` is changed into what is stored: a second one of the full size would not fit in memory beside it.
    Raises ValueError where a graph computes something else than the network, and leaves no manifest behind then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    copied = copy_tokenizer(tokenizer, folder, network.config)
    store(network, half)
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
    entries = read_checkpoint(args.checkpoint, in_place=True)
    network = network_of(entries["config"], entries["weights"])
    release = Release(
        version=args.out.name,
        license=args.license,
        gsd_m=(args.gsd_m[0], args.gsd_m[1]),
        training_data=_json_or(args.training_data, entries.get("training_data", [])),
        accuracy=_json_or(args.accuracy, entries.get("accuracy", {})),
        converted_from=entries.get("converted_from"),
    )
    differences = export_model(network, args.out, args.tokenizer, release, half=not args.fp32)
    for name, difference in differences.items():
        files = [args.out / f"{name}.onnx", weights_path(args.out, name)]
        size = sum(path.stat().st_size for path in files if path.exists())
        print(f"{name}: {size:,} bytes, largest difference to torch {difference:.1e} of the largest value")
    print(f"wrote {args.out / 'manifest.json'}")


def _json_or(path: Path | None, otherwise: Any) -> Any:
    return otherwise if path is None else json.loads(path.read_text(encoding="utf-8"))
