"""`segmenter calibrate`: calibrates the presence score of a checkpoint."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter calibrate`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint to calibrate")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="folder written by `segmenter pack`")
    parser.add_argument(
        "--least-empty", type=float, default=0.9, help="minimum share of absent targets that must be answered empty"
    )
    parser.add_argument("--every", type=int, default=1, help="use every n-th window")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")


def main(args: argparse.Namespace) -> None:
    """Writes a copy of the checkpoint with the chosen setting folded into its presence layer."""
    import torch

    from segmenter.evaluation.answerers import TorchAnswerer
    from segmenter.evaluation.held_out import Wordings, held_out_windows, numbered
    from segmenter.language.bank import QuestionBank
    from segmenter.network.checkpoint import read_checkpoint, save_checkpoint
    from segmenter.training.calibrate import Setting, ask, best_setting, outcome

    torch.set_num_threads(args.threads)
    answerer = TorchAnswerer.load(args.checkpoint)
    windows = numbered(held_out_windows(args.data, answerer.side, "calibration"), args.every)
    asked = ask(answerer, windows, Wordings(QuestionBank.load()))
    setting = best_setting(asked, args.least_empty)
    for name, tried in (("before", Setting()), ("after", setting)):
        iou, empty = outcome(asked, tried)
        print(f"{name}: {tried}: IoU {iou:.4f}, absent answered empty {empty:.4f}")
    weights = read_checkpoint(args.checkpoint)["weights"]
    for part, added in (("weight", 0.0), ("evidence", setting.evidence), ("bias", setting.bias)):
        weights[f"predictor.presence.{part}"] = setting.scale * weights[f"predictor.presence.{part}"] + added
    save_checkpoint(args.out, answerer.network.config, weights)
