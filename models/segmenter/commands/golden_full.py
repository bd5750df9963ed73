"""`segmenter golden-full`: prepares the comparison with the published code at full size."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `golden-full`."""
    parser.add_argument("--vectors", type=Path, required=True, help="folder with golden.npz and its image")
    parser.add_argument("--out", type=Path, required=True, help="folder to fill; 13 GB at most, 6 GB at the end")


def main(args: argparse.Namespace) -> None:
    """Prepares the test; ends with one line where the vectors are not there."""
    from segmenter.network.config import full
    from segmenter.published.golden_full import prepare

    if not (args.vectors / "golden.npz").is_file():
        raise SystemExit(f"segmenter golden-full: {args.vectors} has no golden.npz")
    args.out.mkdir(parents=True, exist_ok=True)
    prepare(args.vectors, args.out, full())
    print(f"wrote {args.out / 'golden.json'}")
