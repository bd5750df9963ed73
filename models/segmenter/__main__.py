"""`python -m segmenter <verb>`: each verb is a module of `commands` with `add_arguments(parser)` and `main(args)`."""

from __future__ import annotations

import argparse
import importlib
import sys

VERBS = {
    "tokenizer": "train the compact model's byte-level BPE",
    "corpus": "write the sentences that the language model is distilled on",
    "pack": "read the labelled image repositories into compact shards",
    "distil": "train the language model to embed sentences as its teacher does",
    "train": "train the network on packed shards",
    "calibrate": "set the presence score of a checkpoint on held-out places",
    "evaluate": "measure a model on held-out places and wordings, or on a labelled data set",
    "export-dataset": "write a labelled data set as a folder that `terraql evaluate` reads",
    "convert": "make a model folder of the published weights, and a checkpoint",
    "base-weights": "make the checkpoint that the published training starts from, of Phi-1.5 and Mask2Former",
    "export": "write ONNX graphs and the manifest of a checkpoint",
    "fuse": "join a model's graphs to one, in the layout of a Triton model repository",
    "golden": "write the reference tensors that the TypeScript pipeline is compared with",
    "golden-full": "export the full size with drawn weights and write what the published code computes with them",
}


def main(argv: list[str]) -> None:
    """Runs the verb named first in `argv`; its module is imported only then."""
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
