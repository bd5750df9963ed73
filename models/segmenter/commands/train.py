"""`segmenter train`: trains the compact or the published network."""

from __future__ import annotations

import argparse

from segmenter.data.samples import DataSetError
from segmenter.errors import TrainError
from segmenter.training.settings import Settings, add_arguments

__all__ = ["add_arguments", "main"]


def main(args: argparse.Namespace) -> None:
    """Trains and writes the checkpoint, log and curves to OUT, or redraws the curves of an earlier run."""
    from segmenter.training.run_log import draw_curves
    from segmenter.training.train import start

    try:
        if args.plot:
            print(draw_curves(args.plot))
        else:
            start(Settings.of(args))
    except (TrainError, DataSetError, FileNotFoundError) as error:
        raise SystemExit(f"segmenter train: {error}") from error
