"""`segmenter convert`: published weights to a model folder and a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from segmenter.commands.model_options import add_model_arguments, export_and_tell
from segmenter.network.config import ModelConfig, full
from segmenter.published.releases import RELEASES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `convert`."""
    parser.add_argument("source", type=Path, help="folder of the release: weights and tokenizer files")
    parser.add_argument("--out", type=Path, help="model folder to write, such as models/segearth-r1/1")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint to write for training and evaluation in PyTorch")
    parser.add_argument("--release", help=f"what the weights were published as, such as {RELEASES['EarthReason']}")
    parser.add_argument("--license", default="Apache-2.0", help="of the weights (SPDX)")
    parser.add_argument("--gsd-m", type=float, nargs=2, default=(0.5, 153.0), metavar=("MIN", "MAX"))
    add_model_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Convert a release; ends with one line where it is not one, or nothing is asked for."""
    try:
        convert(args, full())
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f"segmenter convert: {error}") from error


def convert(args: argparse.Namespace, config: ModelConfig) -> None:
    """Checks a release of the network of `config` and writes what the options ask for.

    Raises ValueError where a tensor or the tokenizer is not as published, FileNotFoundError where a file is missing.
    """
    from segmenter.export.manifest import Release
    from segmenter.published.convert import published_origin, write_checkpoint
    from segmenter.published.release_tokenizer import release_tokenizer
    from segmenter.published.release_weights import ReleaseWeights

    if args.out is None and args.checkpoint is None:
        raise ValueError("--out names the model folder to write, --checkpoint a checkpoint; give one of them or both")
    weights = ReleaseWeights(args.source, config.language.heads)
    weights.check(config)
    print(f"{len(weights.layouts)} tensors in {args.source}, all as published")
    origin = published_origin(args.source, args.release)
    with TemporaryDirectory() as scratch:
        tokenizer = Path(scratch) / "tokenizer.json"
        release_tokenizer(args.source, config.vocabulary).save(str(tokenizer))
        if args.out is not None:
            release = Release(args.out.name, args.license, (args.gsd_m[0], args.gsd_m[1]), [], {}, origin)
            export_and_tell(config, weights.read, args, tokenizer, release)
    if args.checkpoint is not None:
        write_checkpoint(weights, args.checkpoint, config, origin)
        print(f"wrote {args.checkpoint}")
