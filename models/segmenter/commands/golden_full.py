"""`segmenter golden-full`: prepares the full-size comparison with the published code."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter golden-full`."""
    parser.add_argument("--vectors", type=Path, required=True, help="folder with golden.npz and its image")
    parser.add_argument("--out", type=Path, required=True, help="output folder; needs 13 GB during the run, 6 GB afterwards")


def main(args: argparse.Namespace) -> None:
    """Prepares the comparison; exits with a message if the vectors are missing."""
    from segmenter.network.config import full
    from segmenter.published.golden_full import prepare

    if not (args.vectors / "golden.npz").is_file():
        raise SystemExit(f"segmenter golden-full: {args.vectors} has no golden.npz")
    args.out.mkdir(parents=True, exist_ok=True)
    prepare(args.vectors, args.out, full())
    print(f"wrote {args.out / 'golden.json'}")
