"""Linear probe: how well sentence features of the teacher or the distilled model predict the category of a question.

A softmax regression is trained on seen questions and tested on held-out ones. `python -m segmenter.language.probe --help`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from segmenter.language.bank import IMPLICIT_KINDS, ISAID_OBJECTS, KINDS, LABELLED_BY, Question, QuestionBank
from segmenter.language.distil import describe_sentences, load_language
from segmenter.language.files import QUESTION_FOLDER
from segmenter.language.sentence_targets import softmax_regression
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.config import compact
from segmenter.network.network import SegEarthR1

VOCABULARIES = {"isaid objects": frozenset(ISAID_OBJECTS), "dubai": LABELLED_BY["dubai"], "scenes": LABELLED_BY["scenes"]}
"""Categories that compete within an image: those that its source labels."""


class Probe:
    """Category scores of each question, trained on the seen questions."""

    def __init__(self, questions: Sequence[Question], features: Tensor):
        self.questions = questions
        self.categories = sorted({q.category for q in questions})
        unit = functional.normalize(features.float(), dim=-1)
        seen = torch.tensor([q.split == "seen" for q in questions])
        wanted = torch.tensor([[float(q.category == c) for c in self.categories] for q in questions])
        weight, bias = softmax_regression(unit[seen], wanted[seen])
        self._scores = unit @ weight + bias  # [questions, categories]

    def accuracy(
        self, split: str, kinds: Sequence[str], among: frozenset[str] | None = None, category: str | None = None
    ) -> float | None:
        """Accuracy over the questions of a split and some kinds; None without any.

        `among` restricts questions and answers to some categories; `category` restricts the questions.
        """
        allowed = [n for n, c in enumerate(self.categories) if among is None or c in among]
        rows = [
            n
            for n, q in enumerate(self.questions)
            if q.split == split and q.kind in kinds and category in (None, q.category)
            if among is None or q.category in among
        ]
        if not rows:
            return None
        best = self._scores[rows][:, allowed].argmax(-1).tolist()
        right = [self.categories[allowed[b]] == self.questions[n].category for n, b in zip(rows, best, strict=True)]
        return sum(right) / len(right)

    def report(self) -> str:
        """Accuracy by held-out split and kind, within the categories of each source, and by category, as text."""
        lines = []
        for split in ("unseen_wording", "unseen_kind"):
            shown = [f"{kind} {_percent(self.accuracy(split, [kind]))}" for kind in KINDS]
            lines.append(f"{split}: all {_percent(self.accuracy(split, KINDS))}, " + ", ".join(shown))
        for name, among in VOCABULARIES.items():
            explicit = _percent(self.accuracy("unseen_wording", ["explicit", "synonym"], among))
            implicit = _percent(self.accuracy("unseen_wording", IMPLICIT_KINDS, among))
            lines.append(f"among {name}: explicit or synonym {explicit}, implicit {implicit}")
        each = [f"{c} {_percent(self.accuracy('unseen_wording', IMPLICIT_KINDS, None, c))}" for c in self.categories]
        return "\n".join([*lines, "implicit, unseen wording: " + ", ".join(each)])


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the probe."""
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    parser.add_argument("--language", type=Path, help="language model written by `segmenter distil` (default: probe the teacher)")


def main(args: argparse.Namespace) -> None:
    """Prints the report for the teacher or a distilled language model."""
    questions = QuestionBank.load(args.questions).questions
    texts = [q.text for q in questions]
    if args.language:
        network = SegEarthR1(compact(own_vocabulary())).eval()
        load_language(args.language, network)
        features = torch.from_numpy(describe_sentences(network, QuestionTokenizer.load(), texts))
    else:
        from segmenter.language.teacher import Teacher

        features = torch.from_numpy(Teacher().embed(texts))
    print(Probe(questions, features).report())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    add_arguments(arguments)
    main(arguments.parse_args())
