"""`segmenter distil`: distils the sentence teacher into the compact language model."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.language.files import QUESTION_FOLDER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter distil`."""
    parser.add_argument("--folder", type=Path, default=Path(".data"), help="folder written by `segmenter corpus`")
    parser.add_argument("--output", type=Path, default=Path(".data/distil.pt"), help="file to write")
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    parser.add_argument("--bag-seconds", type=float, default=120, help="training time of the bag-of-words model")
    parser.add_argument("--seconds", type=float, default=480, help="training time of the full language model")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bag-rate", type=float, default=1e-2)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> None:
    """Trains the bag-of-words model, then all layers; saves the language model after each of the two."""
    import numpy as np
    import torch

    from segmenter.language.bank import QuestionBank
    from segmenter.language.distil import (
        DistillationBatches,
        distil,
        new_projection,
        save_language,
        scale_down_layers,
        start_from_words,
    )
    from segmenter.language.teacher import EmbeddedSentences
    from segmenter.language.tokenizer import QuestionTokenizer
    from segmenter.language.vocabulary import own_vocabulary
    from segmenter.network.config import compact
    from segmenter.network.network import SegEarthR1

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    tokenizer, network = QuestionTokenizer.load(), SegEarthR1(compact(own_vocabulary()))
    projection, bank = new_projection(network.config.language.hidden), QuestionBank.load(args.questions)
    batches = DistillationBatches(args.folder, tokenizer, bank, args.batch, seed=args.seed)
    start_from_words(network, projection, tokenizer, EmbeddedSentences(args.folder, "words"), batches.meaning)
    scale_down_layers(network)
    for rate, seconds, layers in ((args.bag_rate, args.bag_seconds, False), (args.rate, args.seconds, True)):
        losses = distil(network, projection, batches, rate, seconds, layers=layers)
        save_language(args.output, network, projection, batches.meaning)
        print(f"{len(losses)} steps, last loss {np.mean(losses[-50:]):.4f}, wrote {args.output}", flush=True)
