"""`segmenter restore`: restores a checkpoint from exported ONNX graphs."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.network.config import ENCODERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter restore`."""
    parser.add_argument("--model", type=Path, required=True, help="exported model folder")
    parser.add_argument("--encoder", choices=ENCODERS, default="swin", help="image encoder of the compact network in it")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")


def main(args: argparse.Namespace) -> None:
    """Writes the checkpoint."""
    from segmenter.export.restore import RestoreError, restore
    from segmenter.language.vocabulary import own_vocabulary
    from segmenter.network.checkpoint import save_checkpoint
    from segmenter.network.config import compact

    config = compact(own_vocabulary(), args.encoder)
    try:
        weights = restore(config, args.model)
    except (RestoreError, ValueError) as error:
        raise SystemExit(f"segmenter restore: {error}") from error
    save_checkpoint(args.out, config, weights)
    print(f"wrote {args.out}: {len(weights)} tensors, compared with the graphs of {args.model}")
