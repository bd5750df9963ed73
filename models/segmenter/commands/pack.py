"""`segmenter pack`: packs the public training repositories."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.data.pack import SOURCES, WATER_SCENES, write_pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter pack`."""
    parser.add_argument("--mirrors", type=Path, required=True, help="folder of git mirrors (owner+name/repo)")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="folder to write the packs to")
    parser.add_argument(
        "--weak-steps", type=int, default=900, help="training steps of the classifier that labels water in scenes"
    )
    parser.add_argument("--raw", action="store_true", help="store decoded images: 11 GB instead of 0.8, but faster to read")
    parser.add_argument(
        "--source", choices=sorted(SOURCES), action="append", help="pack only this source; repeatable (default: all)"
    )


def main(args: argparse.Namespace) -> None:
    """Packs the chosen sources and prints the number of images of each.

    Scenes are labelled again when one of their sources was packed. Once every pack exists, near-duplicates of held-out images
    are removed from training.
    """
    from segmenter.data.duplicates import drop_duplicates
    from segmenter.data.weak_labels import label_scenes

    chosen = args.source or list(SOURCES)
    for name in chosen:
        folder, read, classes = SOURCES[name]
        count = write_pack(read(args.mirrors / folder), classes, args.data / name, args.raw)
        print(f"{name}: {count} images")
    scenes = tuple(name for name, (_, _, classes) in SOURCES.items() if not classes)
    if set(scenes) & set(chosen) and all((args.data / name / "index.json").is_file() for name in scenes):
        label_scenes(args.data, scenes, WATER_SCENES, args.weak_steps)
    if all((args.data / name / "index.json").is_file() for name in SOURCES):
        for name, count in drop_duplicates(args.data, list(SOURCES)).items():
            print(f"{name}: {count} training images removed as near-duplicates of held-out images")
