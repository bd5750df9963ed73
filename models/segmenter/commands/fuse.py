"""`segmenter fuse`: fuses the graphs of a model into one."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter fuse`."""
    parser.add_argument("--model", type=Path, required=True, help="exported model folder")
    parser.add_argument("--out", type=Path, required=True, help="model repository; NAME/VERSION is created in it")


def main(args: argparse.Namespace) -> None:
    """Writes the fused model and prints its path."""
    from segmenter.export.fuse import fuse

    path = fuse(args.model, args.out)
    print(f"wrote {path} and {path.parents[1] / 'config.pbtxt'}")
