"""`segmenter convert`: converts published weights to a model folder or a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from segmenter.commands.model_options import add_model_arguments, export_and_report
from segmenter.network.config import ModelConfig, full
from segmenter.published.releases import RELEASES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter convert`."""
    parser.add_argument("source", type=Path, help="folder of the release, with weights and tokenizer files")
    parser.add_argument("--out", type=Path, help="model folder to write, such as models/segearth-r1/1")
    parser.add_argument("--checkpoint", type=Path, help="checkpoint to write for training and evaluation in PyTorch")
    parser.add_argument("--release", help=f"name of the release, such as {RELEASES['EarthReason']}")
    parser.add_argument("--license", default="Apache-2.0", help="SPDX licence of the weights")
    parser.add_argument(
        "--gsd-m", type=float, nargs=2, default=(0.5, 153.0), metavar=("MIN", "MAX"), help="ground sampling distance, m"
    )
    add_model_arguments(parser)


def main(args: argparse.Namespace) -> None:
    """Converts the release; exits with a message if it is invalid or no output is requested."""
    try:
        convert(args, full())
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f"segmenter convert: {error}") from error


def convert(args: argparse.Namespace, config: ModelConfig) -> None:
    """Validates a release against `config` and writes the requested outputs.

    Raises ValueError if a tensor or the tokenizer differs from the published layout, FileNotFoundError if a file is missing.
    """
    from segmenter.export.manifest import Release
    from segmenter.published.convert import published_origin, write_checkpoint
    from segmenter.published.release_tokenizer import release_tokenizer
    from segmenter.published.release_weights import ReleaseWeights

    if args.out is None and args.checkpoint is None:
        raise ValueError("nothing to write: give --out, --checkpoint or both")
    weights = ReleaseWeights(args.source, config.language.heads)
    weights.check(config)
    print(f"{len(weights.layouts)} tensors in {args.source} match the published layout")
    origin = published_origin(args.source, args.release)
    with TemporaryDirectory() as scratch:
        tokenizer = Path(scratch) / "tokenizer.json"
        release_tokenizer(args.source, config.vocabulary).save(str(tokenizer))
        if args.out is not None:
            release = Release(args.out.name, args.license, (args.gsd_m[0], args.gsd_m[1]), [], {}, origin)
            export_and_report(config, weights.read, args, tokenizer, release)
    if args.checkpoint is not None:
        write_checkpoint(weights, args.checkpoint, config, origin)
        print(f"wrote {args.checkpoint}")
