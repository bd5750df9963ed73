"""`segmenter tokenizer`: trains the tokenizer of the compact model."""

from __future__ import annotations

import argparse
from pathlib import Path

from segmenter.language.files import QUESTION_FOLDER, TOKENIZER_FILE, VOCABULARY_SIZE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter tokenizer`."""
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    parser.add_argument("--output", type=Path, default=TOKENIZER_FILE, help="tokenizer.json to write")
    parser.add_argument("--size", type=int, default=VOCABULARY_SIZE, help="vocabulary size, including [PAD] and [SEG]")


def main(args: argparse.Namespace) -> None:
    """Trains on seen questions (weight 5), plain sentences and the teacher's vocabulary; writes `tokenizer.json`."""
    from segmenter.language.bank import QuestionBank
    from segmenter.language.corpus import build_corpus, whole_words
    from segmenter.language.teacher import teacher_vocabulary
    from segmenter.language.tokenizer import QuestionTokenizer, prompt_pieces, train_tokenizer

    words = whole_words(teacher_vocabulary())
    corpus = build_corpus(QuestionBank.load(args.questions), words, generated=40_000)
    train_tokenizer([*corpus.questions * 5, *corpus.plain], words, args.size).save(str(args.output))
    tokenizer = QuestionTokenizer.load(args.output)
    print(f"wrote {args.output}: {tokenizer.vocabulary_size} tokens; prompt {prompt_pieces(tokenizer)}")
