"""Sentences of GRES (lisat-bair/GRES): people's descriptions of objects in satellite pictures, without the pictures.

They teach the language model how such things are spoken of. Those that tell an object by its place in a picture nobody
sees are left out. Each sentence names one object by its look, so that none of them may stand for a question about all
objects of its category: they are text to learn meaning from, and the category is known from a word in them, or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segmenter.data.blobs import Blobs, PackError
from segmenter.language.bank import canonical

GRES_REPOSITORY = "lisat-bair+GRES/repo"
GRES_COMMIT = "31d6f531a815cb11c155c90e6523a7cce482aeeb"
#: Words that tell a place in the picture.
PLACED = re.compile(r"\b(top|bottom|left|right|upper|lower|cent(er|re)|corner|middle)", re.IGNORECASE)
#: What a sentence speaks of, by its first word among these, singular or plural.
SPOKEN = {
    "large_vehicle": ("truck", "bus", "trailer", "lorry", "tractor"),
    "small_vehicle": ("car", "sedan", "van", "pickup"),
    "vehicle": ("vehicle",),
    "building": ("building", "structure", "shed", "house", "warehouse", "hangar", "roof"),
    "storage_tank": ("tank", "silo"),
    "helicopter": ("helicopter",),
    "aircraft": ("aircraft", "plane", "airplane", "jet"),
    "ship": ("ship", "vessel", "boat", "barge", "ferry", "yacht", "sailboat"),
}
_CATEGORY = {word: category for category, words in SPOKEN.items() for word in words}
_PLURALS = {"buses": "bus", "lorries": "lorry", "ferries": "ferry"}


@dataclass(frozen=True)
class Described:
    """A sentence and the category of what it describes; None where no word tells it."""

    text: str
    category: str | None


def gres_sentences(git_dir: Path) -> list[Described]:
    """The different sentences of the training part, in the order of its files; PackError where it looks otherwise."""
    blobs = Blobs(git_dir, GRES_COMMIT)
    found: dict[str, Described] = {}
    for path, _ in blobs.matching(r"gres_annotations/train/.*\.json"):
        for text in _texts(path, blobs.read(path)):
            if not PLACED.search(text):
                found.setdefault(canonical(text), Described(text, category_of(text)))
    if not found:
        raise PackError(f"{git_dir} holds no sentence of GRES in commit {GRES_COMMIT}")
    return list(found.values())


def _texts(path: str, content: bytes) -> Iterator[str]:
    try:
        texts = json.loads(content)["text"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise PackError(f"{path}: {error!r}; expected an object with `text`") from error
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise PackError(f"{path}: `text` is {texts!r:.60}; expected a list of sentences")
    yield from (" ".join(text.split()) for text in texts if canonical(text))


def category_of(text: str) -> str | None:
    """The category of the first word that tells one."""
    for word in canonical(text).split():
        singular = _PLURALS.get(word, word.removesuffix("s") if word not in _CATEGORY else word)
        if singular in _CATEGORY:
            return _CATEGORY[singular]
    return None
