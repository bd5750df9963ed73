"""Paths of data files in the package."""

from pathlib import Path

#: Tokenizer of the compact model, and its vocabulary size.
TOKENIZER_FILE = Path(__file__).parent / "tokenizer.json"
VOCABULARY_SIZE = 10_000
#: Question files, one per category.
QUESTION_FOLDER = Path(__file__).parent / "questions"
#: Everyday words of each category.
WORDS_FILE = Path(__file__).parent / "words.json"
