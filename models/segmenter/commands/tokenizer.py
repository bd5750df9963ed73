"""`segmenter tokenizer`: trains the compact model's vocabulary."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.language.files import QUESTION_FOLDER, TOKENIZER_FILE, VOCABULARY_SIZE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `tokenizer`: trains on the seen questions, the plain sentences and the teacher's words."""
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER)
    parser.add_argument("--output", type=Path, default=TOKENIZER_FILE)
    parser.add_argument("--size", type=int, default=VOCABULARY_SIZE, help="ids incl. [PAD] and [SEG]")


def main(args: argparse.Namespace) -> None:
    """Train and save `tokenizer.json`; questions weigh five times a plain sentence."""
    from segmenter.language.bank import QuestionBank
    from segmenter.language.corpus import build_corpus, whole_words
    from segmenter.language.teacher import teacher_vocabulary
    from segmenter.language.tokenizer import QuestionTokenizer, prompt_pieces, train_tokenizer

    words = whole_words(teacher_vocabulary())
    corpus = build_corpus(QuestionBank.load(args.questions), words, generated=40_000)
    train_tokenizer([*corpus.questions * 5, *corpus.plain], words, args.size).save(str(args.output))
    tokenizer = QuestionTokenizer.load(args.output)
    print(f"{tokenizer.vocabulary_size} ids to {args.output}; prompt {prompt_pieces(tokenizer)}")
