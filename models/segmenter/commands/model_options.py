"""Options and output shared by `export` and `convert`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from segmenter.network.config import PRECISIONS, ModelConfig

if TYPE_CHECKING:
    from pathlib import Path

    from segmenter.export.manifest import Release
    from segmenter.network.streamed import Read


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Options shared by `export` and `convert`."""
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="fp16",
        help="storage of matrices; int8 applies to the language model, the rest is fp16",
    )
    parser.add_argument(
        "--fused",
        action="store_true",
        help="also write one fused graph and a config.pbtxt for Triton; requires --out REPOSITORY/NAME/VERSION",
    )


def export_and_report(config: ModelConfig, read: Read, args: argparse.Namespace, tokenizer: Path, release: Release) -> None:
    """Exports with the options of :func:`add_model_arguments`; prints differences to torch and the files written."""
    from segmenter.export.export import export_model
    from segmenter.export.fuse import fuse, repository_of
    from segmenter.export.manifest import weights_path

    repository = repository_of(args.out, config.name) if args.fused else None
    differences = export_model(config, read, args.out, tokenizer, release, args.precision)
    for name, difference in differences.items():
        files = [args.out / f"{name}.onnx", weights_path(args.out, name)]
        size = sum(path.stat().st_size for path in files if path.exists())
        print(f"{name}: {size:,} bytes, largest difference to torch {difference:.1e} of the largest value")
    print(f"wrote {args.out / 'manifest.json'}")
    if repository is not None:
        print(f"wrote {fuse(args.out, repository)} and {args.out.parent / 'config.pbtxt'}")
