"""`segmenter pack`: packs the public training repositories."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.data.pack import SOURCES, WATER_SCENES, write_pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter pack`."""
    parser.add_argument("--mirrors", type=Path, required=True, help="folder with the git mirrors (owner+name/repo)")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="where the packs go")
    parser.add_argument("--weak-steps", type=int, default=900, help="training steps of the water labeller of the scenes")
    parser.add_argument("--raw", action="store_true", help="keep pictures decoded: 11 GB, but windows are drawn much faster")
    parser.add_argument("--source", choices=sorted(SOURCES), action="append", help="only these (default: all)")


def main(args: argparse.Namespace) -> None:
    """Packs the chosen sources and prints how many images each holds."""
    from segmenter.data.weak_labels import label_scenes

    for name in args.source or SOURCES:
        folder, read, classes = SOURCES[name]
        count = write_pack(read(args.mirrors / folder), classes, args.data / name, args.raw)
        print(f"{name}: {count} images")
    scenes = tuple(name for name, (_, _, classes) in SOURCES.items() if not classes)
    if all((args.data / name / "index.json").is_file() for name in scenes):
        label_scenes(args.data, scenes, WATER_SCENES, args.weak_steps)
