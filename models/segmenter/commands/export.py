"""`segmenter export`: exports a checkpoint as ONNX graphs with a manifest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from segmenter.commands.model_options import add_model_arguments, export_and_report
from segmenter.language.files import TOKENIZER_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter export`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint of `segmenter train`")
    parser.add_argument("--out", type=Path, required=True, help="model folder; its name is the version")
    parser.add_argument("--tokenizer", type=Path, default=TOKENIZER_FILE, help="tokenizer.json of the checkpoint")
    parser.add_argument("--license", default="CC-BY-NC-4.0", help="SPDX licence of the weights; depends on the training data")
    parser.add_argument(
        "--gsd-m", type=float, nargs=2, default=(0.1, 10.0), metavar=("MIN", "MAX"), help="ground sampling distance, m"
    )
    parser.add_argument("--accuracy", type=Path, help="JSON written by `segmenter evaluate` (default: from the checkpoint)")
    parser.add_argument("--training-data", type=Path, help="JSON list of name, licence and use (default: from the checkpoint)")
    add_model_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Exports the checkpoint and prints differences to torch and the files written."""
    from segmenter.export.manifest import Release
    from segmenter.network.checkpoint import read_checkpoint

    entries = read_checkpoint(args.checkpoint, in_place=True)
    release = Release(
        version=args.out.name,
        license=args.license,
        gsd_m=(args.gsd_m[0], args.gsd_m[1]),
        training_data=_json_or(args.training_data, entries.get("training_data", [])),
        accuracy=_json_or(args.accuracy, entries.get("accuracy", {})),
        converted_from=entries.get("converted_from"),
    )
    export_and_report(entries["config"], entries["weights"].__getitem__, args, args.tokenizer, release)


def _json_or(path: Path | None, otherwise: Any) -> Any:
    return otherwise if path is None else json.loads(path.read_text(encoding="utf-8"))
