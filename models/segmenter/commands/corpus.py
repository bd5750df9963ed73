"""`segmenter corpus`: writes and embeds the sentences for distillation."""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from segmenter.language.files import QUESTION_FOLDER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter corpus`."""
    parser.add_argument("--folder", type=Path, default=Path(".data"), help="folder of sentences and embeddings")
    parser.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    parser.add_argument("--generated", type=int, default=60_000, help="number of generated sentences")
    parser.add_argument("--mirrors", type=Path, help="folder of git mirrors with lisat-bair+GRES, to add its sentences")
    parser.add_argument("--words", type=int, default=14_000, help="number of words from the teacher's vocabulary")
    parser.add_argument("--seconds", type=float, default=480, help="time limit for embedding; questions come first")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> None:
    """Writes `.txt` and `.npy` of `questions`, `words` (the tokenizer's) and `plain`; drops sentences that left the corpus."""
    from segmenter.data.sources.gres import GRES_REPOSITORY, gres_sentences
    from segmenter.language.bank import QuestionBank
    from segmenter.language.corpus import build_corpus, whole_words
    from segmenter.language.teacher import EmbeddedSentences, Teacher, teacher_vocabulary
    from segmenter.language.tokenizer import QuestionTokenizer

    words = whole_words(teacher_vocabulary())[: args.words]
    described = [one.text for one in gres_sentences(args.mirrors / GRES_REPOSITORY)] if args.mirrors else []
    corpus = build_corpus(QuestionBank.load(args.questions), words, args.generated, args.seed, described)
    teacher, stop = Teacher(), time.monotonic() + args.seconds
    tokens = [text for text in QuestionTokenizer.load().token_texts() if re.search("[a-zA-Z0-9]", text)]
    for name, sentences in (("questions", corpus.questions), ("words", tokens), ("plain", corpus.plain)):
        stored = EmbeddedSentences(args.folder, name)
        stored.keep(sentences)
        added = stored.extend(sentences, teacher, stop - time.monotonic())
        print(f"{name}: {len(stored.sentences)} of {len(sentences)} sentences embedded, {added} now", flush=True)
