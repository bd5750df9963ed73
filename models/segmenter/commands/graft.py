"""`segmenter graft`: joins a trained image side with the language half of another network."""

from __future__ import annotations

import argparse
from pathlib import Path

#: Rounds of fitting the mask generator, since each changes what its layers attend to; windows per batch.
ROUNDS, BATCH = 2, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter graft`."""
    parser.add_argument("--image", type=Path, required=True, help="checkpoint of `segmenter train --stage vision`")
    parser.add_argument(
        "--words", type=Path, required=True, help="checkpoint of a whole network, for example of `segmenter restore`"
    )
    parser.add_argument("--data", type=Path, default=Path(".data"), help="folder written by `segmenter pack`")
    parser.add_argument("--windows", type=int, default=200, help="number of training windows to fit on")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")


def main(args: argparse.Namespace) -> None:
    """Writes the joined checkpoint and prints how well the halves agree."""
    import numpy as np
    import torch

    from segmenter.data.batches import Batches, Questions
    from segmenter.data.mixture import Mixture
    from segmenter.errors import TrainError
    from segmenter.language.bank import QuestionBank
    from segmenter.language.tokenizer import QuestionTokenizer
    from segmenter.network.checkpoint import network_of, read_checkpoint, save_checkpoint
    from segmenter.training.align import align
    from segmenter.training.graft import graft

    torch.set_num_threads(args.threads)
    image, words = read_checkpoint(args.image), read_checkpoint(args.words)
    mixture, rng = Mixture(args.data, image["config"].window_px), np.random.default_rng(0)
    pixels = [torch.from_numpy(np.array(mixture.draw(rng).pixels))[None] for _ in range(args.windows)]
    try:
        weights, heads, explained = graft(image, words, pixels)
    except TrainError as error:
        raise SystemExit(f"segmenter graft: {error}") from error
    network = network_of(image["config"], weights)
    batches = Batches(mixture, Questions(QuestionBank.load()), BATCH, -(-args.windows // BATCH), seed=1)
    for _ in range(ROUNDS):
        aligned = align(network, heads, (batches[number] for number in range(len(batches))), QuestionTokenizer.load())
    save_checkpoint(args.out, image["config"], network.state_dict(), heads=heads)
    shares = f"{100 * explained:.0f} % of the variance of the old res5 and {100 * aligned:.0f} % of that of the class rows"
    print(f"wrote {args.out}: the fits explain {shares}")
