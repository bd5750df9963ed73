"""`segmenter fuse`: joins a model's graphs to one."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `fuse`."""
    parser.add_argument("--model", type=Path, required=True, help="exported model folder")
    parser.add_argument("--out", type=Path, required=True, help="model repository; NAME/VERSION is made inside")


def main(args: argparse.Namespace) -> None:
    """Write the fused form of a model and say where."""
    from segmenter.export.fuse import fuse

    path = fuse(args.model, args.out)
    print(f"wrote {path} and {path.parents[1] / 'config.pbtxt'}")
