"""`segmenter export`: writes ONNX graphs and the manifest of a checkpoint."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from segmenter.commands.model_options import add_model_arguments, export_and_tell
from segmenter.language.files import TOKENIZER_FILE


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
    export_and_tell(entries["config"], entries["weights"].__getitem__, args, args.tokenizer, release)


def _json_or(path: Path | None, otherwise: Any) -> Any:
    return otherwise if path is None else json.loads(path.read_text(encoding="utf-8"))
