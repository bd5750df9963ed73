"""Data files of the package that command lines name as defaults."""

from pathlib import Path

#: Vocabulary of the compact model, and how many ids it has.
TOKENIZER_FILE = Path(__file__).parent / "tokenizer.json"
VOCABULARY_SIZE = 10_000
#: Questions by category, one file each.
QUESTION_FOLDER = Path(__file__).parent / "questions"
