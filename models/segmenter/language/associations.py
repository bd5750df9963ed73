"""Short phrases associated with each category, from which training questions are generated.

`associations.json` holds, per category and kind: `synonym` nouns, `function` uses (verb phrases), `person` people
concerned, `consequence` effects (verb phrases), `property` visible properties. Only training uses them, and not for
held-out `(category, kind)` pairs.
"""

import json
import random
from pathlib import Path
from typing import NamedTuple

from segmenter.language.phrasing import LEAD_VERBS

ASSOCIATIONS = Path(__file__).parent / "associations.json"

FRAMES = {
    "synonym": ("{x}", "the {x}", "{lead} the {x}", "where is the {x}?", "any {x} here?"),
    "function": (
        "where could someone {x}?",
        "what is used to {x}?",
        "a place or thing to {x}",
        "I want to {x}",
        "what would you need to {x}?",
        "where do people {x}?",
        "what makes it possible to {x}?",
        "somebody plans to {x}; where?",
    ),
    "person": (
        "where would {x} be?",
        "what would {x} look for?",
        "what matters most to {x}?",
        "useful for {x}",
        "where would {x} go?",
        "what does {x} need here?",
        "which part of the image interests {x}?",
    ),
    "consequence": (
        "what would {x}?",
        "which places or things would {x}?",
        "what might {x}?",
        "what could {x} here?",
        "what will {x} sooner or later?",
        "the thing that would {x}",
    ),
    "property": ("something {x}", "{x}", "which thing is {x}?", "{lead} what is {x}", "anything {x}"),
}
"""Frames per kind; `{x}` is the phrase."""


class Association(NamedTuple):
    """A phrase associated with a category, of one kind."""

    category: str
    kind: str
    phrase: str


def read_associations(path: Path = ASSOCIATIONS) -> list[Association]:
    """All phrases in file order. Raises `ValueError` for a kind without frames."""
    content: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8"))
    for category, kinds in content.items():
        if unknown := kinds.keys() - FRAMES.keys():
            raise ValueError(f"{path}: {category} has kinds {sorted(unknown)}; known kinds are {list(FRAMES)}")
    return [Association(c, kind, phrase) for c, kinds in content.items() for kind in kinds for phrase in kinds[kind]]


def framed(kind: str, phrase: str, rng: random.Random) -> str:
    """A question made from the phrase and a random frame of its kind."""
    return rng.choice(FRAMES[kind]).replace("{x}", phrase).replace("{lead}", rng.choice(LEAD_VERBS))
