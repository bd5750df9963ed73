"""`segmenter base-weights`: builds the initial checkpoint of the published training."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter base-weights`."""
    parser.add_argument("--phi", type=Path, required=True, help="folder of Phi-1.5, with weights and tokenizer.json")
    parser.add_argument("--mask2former", type=Path, required=True, help="Mask2Former model file with Swin-B (.pkl)")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write; tokenizer.json is written beside it")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> None:
    """Writes the checkpoint for `segmenter train --config full --initial`."""
    from segmenter.network.checkpoint import save_checkpoint
    from segmenter.network.config import full
    from segmenter.published.base_weights import BaseWeightsError, base_weights, widened_tokenizer

    config = full()
    try:
        tokenizer = widened_tokenizer(args.phi, config)
        weights = base_weights(config, args.phi, args.mask2former, args.seed)
    except (BaseWeightsError, FileNotFoundError) as error:
        raise SystemExit(f"segmenter base-weights: {error}") from error
    save_checkpoint(args.out, config, weights)
    tokenizer.save(str(args.out.with_name("tokenizer.json")))
    print(f"wrote {args.out} with {len(weights)} tensors, and tokenizer.json beside it")
