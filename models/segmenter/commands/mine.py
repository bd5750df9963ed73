"""`segmenter mine`: finds false alarms of a trained image side, as hard negatives."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from segmenter.data.mixture import DECIDED, FALSE_ALARMS_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter mine`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint of `segmenter train`")
    parser.add_argument(
        "--data", type=Path, default=Path(".data"), help="folder written by `segmenter pack`; the result goes there"
    )
    parser.add_argument(
        "--source", choices=sorted(DECIDED), action="append", help="only this source; repeatable (default: isaid, landsat)"
    )
    parser.add_argument("--every", type=int, default=1, help="use every n-th image")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")


def main(args: argparse.Namespace) -> None:
    """Writes the locations and prints the number of images with any."""
    import torch

    from segmenter.errors import TrainError
    from segmenter.training.mine import mine

    torch.set_num_threads(args.threads)
    try:
        found = mine(args.checkpoint, args.data, args.source or ["isaid", "landsat"], args.every)
    except (TrainError, FileNotFoundError) as error:
        raise SystemExit(f"segmenter mine: {error}") from error
    (args.data / FALSE_ALARMS_FILE).write_text(json.dumps(found) + "\n", encoding="utf-8")
    for name, images in found.items():
        print(f"{name}: false alarms in {len(images)} images")
