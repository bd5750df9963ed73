"""Whether single words reach the right category through the language half alone: `python -m segmenter.language.word_probe`.

A softmax regression on description embeddings learns the categories from the questions that training shows, and names that of
everyday words: singular and plural, synonyms, British and American. No image is in view.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from segmenter.language.bank import UNIONS, QuestionBank, read_words
from segmenter.language.distil import describe_sentences
from segmenter.language.files import QUESTION_FOLDER
from segmenter.language.sentence_targets import softmax_regression
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.checkpoint import load_network

#: Share of the words that must reach their category.
GOAL = 0.97


@dataclass(frozen=True)
class Named:
    """A word, the category it belongs to and the one it was taken for."""

    word: str
    category: str
    found: str

    @property
    def right(self) -> bool:
        """Whether it reached its category, or one that holds it or is part of it: a car is a vehicle."""
        return self.found in accepted(self.category)


def accepted(category: str) -> set[str]:
    """The category, the unions that hold it and, of a union, its parts."""
    return {category, *UNIONS.get(category, ()), *(union for union, parts in UNIONS.items() if category in parts)}


def name_words(questions: Mapping[str, list[str]], words: Mapping[str, list[str]], features: Mapping[str, Tensor]) -> list[Named]:
    """Names every word; `questions` and `words` are texts by category, `features` the embedding [H] of each text."""
    categories = sorted(questions)
    texts = [text for category in categories for text in questions[category]]
    wanted = torch.tensor([[float(c == own) for own in categories] for c in categories for _ in questions[c]])

    def units(some: list[str]) -> Tensor:
        return functional.normalize(torch.stack([features[text] for text in some]).float(), dim=-1)

    weight, bias = softmax_regression(units(texts), wanted)
    asked = [(category, word) for category, own in words.items() for word in own]
    best = (units([word for _, word in asked]) @ weight + bias).argmax(-1).tolist()
    return [Named(word, category, categories[number]) for (category, word), number in zip(asked, best, strict=True)]


def report(named: list[Named]) -> str:
    """The share that is right, then every word that is not."""
    wrong = [one for one in named if not one.right]
    share = 100 * (1 - len(wrong) / len(named))
    lines = [f"{len(named) - len(wrong)} of {len(named)} words ({share:.1f} %), goal {100 * GOAL:.0f} %"]
    return "\n".join([*lines, *(f"{one.word} ({one.category}) is taken for {one.found}" for one in wrong)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the probe."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint whose language half is probed")
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER)


def main(args: argparse.Namespace) -> None:
    """Print the report; ends with code 1 where too few words are right."""
    network = load_network(args.checkpoint)
    questions: dict[str, list[str]] = defaultdict(list)
    for question in QuestionBank.load(args.questions).questions:
        if question.split == "seen":
            questions[question.category].append(question.text)
    words = read_words()
    texts = list(dict.fromkeys(text for group in (questions, words) for own in group.values() for text in own))
    rows = torch.from_numpy(describe_sentences(network, QuestionTokenizer.load(), texts))
    named = name_words(questions, words, dict(zip(texts, rows, strict=True)))
    print(report(named))
    if sum(one.right for one in named) < GOAL * len(named):
        raise SystemExit(1)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    add_arguments(arguments)
    main(arguments.parse_args())
