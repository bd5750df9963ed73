"""`python -m segmenter <verb>`. Each verb is a module in `commands` with `add_arguments(parser)` and `main(args)`."""

from __future__ import annotations

import argparse
import importlib
import sys

VERBS = {
    "tokenizer": "train the byte-level BPE tokenizer of the compact model",
    "corpus": "write and embed the sentences for distillation",
    "pack": "pack the labelled image repositories into shards",
    "distil": "distil the sentence teacher into the language model",
    "train": "train the network on packed shards",
    "background": "train in the background at the lowest priority, restarted after failures",
    "mine": "find false alarms of a trained image side, as hard negatives",
    "graft": "join a trained image side with the language half of another network",
    "calibrate": "calibrate the presence score of a checkpoint on held-out windows",
    "evaluate": "evaluate a model on held-out windows and wordings, or on a labelled data set",
    "export-dataset": "export a labelled data set as a folder for `terraql evaluate`",
    "convert": "convert published weights to a model folder or a checkpoint",
    "base-weights": "build the initial checkpoint of the published training from Phi-1.5 and Mask2Former",
    "export": "export a checkpoint as ONNX graphs with a manifest",
    "restore": "restore a checkpoint from exported ONNX graphs",
    "fuse": "fuse the graphs of a model into one, in a Triton model repository",
    "golden": "write reference tensors for the TypeScript pipeline",
    "golden-full": "export the full-size network with random weights, with the published code's results as reference",
}


def main(argv: list[str]) -> None:
    """Runs the verb in `argv[0]`; imports only its module."""
    parser = argparse.ArgumentParser(prog="python -m segmenter")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, summary in VERBS.items():
        command = verbs.add_parser(verb, help=summary, description=summary)
        if argv[:1] == [verb]:
            module = importlib.import_module(f"segmenter.commands.{verb.replace('-', '_')}")
            module.add_arguments(command)
            command.set_defaults(run=module.main)
    arguments = parser.parse_args(argv)
    arguments.run(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
