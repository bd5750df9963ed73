"""`segmenter export-dataset`: exports a data set as a folder for `terraql evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from segmenter.data.readers import KINDS, open_dataset
from segmenter.data.samples import DataSetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segmenter.data.samples import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter export-dataset`."""
    parser.add_argument("--dataset", choices=(*KINDS, "packs"), required=True, help="layout of the data set")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set, or of the packs")
    parser.add_argument("--split", help="data sets: val (default) or test; packs: validation (default) or calibration")
    parser.add_argument("--out", type=Path, required=True, help="output folder; must be empty or new")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--model", type=Path, help="packs: exported model whose window size is used")
    size.add_argument("--side", type=int, default=512, help="packs: window size, px")
    parser.add_argument("--every", type=int, default=1, help="packs: use every n-th window")


def main(args: argparse.Namespace) -> None:
    """Writes the folder and lists the samples left out."""
    from tqdm import tqdm

    from segmenter.data.dataset_folder import write_folder
    from segmenter.data.readers.folder import FILE
    from segmenter.evaluation.held_out_samples import held_out_samples
    from segmenter.report.report_published import manifest_facts

    try:
        if args.dataset == "packs":
            split = args.split or "validation"
            side = args.side if args.model is None else manifest_facts(args.model).window_px
            samples: Iterable[Sample] = held_out_samples(args.data, side, split, args.every)
            name, listed = f"held-out windows ({split}, every {args.every})", []
        else:
            dataset = open_dataset(args.dataset, args.data, args.split or "val")
            samples, name, listed = dataset.samples, f"{dataset.name} ({dataset.split})", dataset.problems
        problems = [*listed, *write_folder(tqdm(samples, unit="sample"), args.out, name)]
    except (DataSetError, FileNotFoundError) as error:
        raise SystemExit(f"segmenter export-dataset: {error}") from error
    print(f"wrote {args.out / FILE}")
    for problem in problems:
        print(f"left out: {problem}")
