"""Random rewording of requests (lead-in, case, punctuation), so that training does not memorise strings."""

import random
import re

LEAD_VERBS = (
    "show", "find", "highlight", "mark", "outline", "segment", "locate", "identify", "detect", "extract", "map", "trace",
    "select", "spot", "point out", "pick out", "delineate", "show me", "find me", "give me", "i want", "i need",
    "please show", "please find", "can you find", "can you show me", "could you mark", "could you highlight",
    "i am looking for", "i need to find", "i would like to see", "help me find", "help me locate", "draw", "label",
    "indicate", "search for", "look for", "let me see", "tell me where to find", "i want to see", "display", "get me",
)  # fmt: skip
"""Openings before a noun phrase ("show me" + "the tennis courts")."""

OPENINGS = (
    "please tell me", "tell me", "i wonder", "in this image", "in this picture", "in the scene", "in this satellite image",
    "in this aerial photo", "from above", "looking at this image", "looking at the picture", "quick question", "i want to know",
    "question", "on this map", "in the photo", "here", "so", "hello", "for my report", "in this area", "for planning",
)  # fmt: skip
"""Openings before a whole question, followed by a comma or colon."""

ENDINGS = (
    "in this image", "in the image", "in this picture", "in the scene", "in this satellite image", "here", "please",
    "in this aerial view", "in the photo", "on this image", "from above", "in this area", "in the picture", "in this view",
)  # fmt: skip

_BY_LENGTH = sorted(LEAD_VERBS, key=len, reverse=True)
_LEAD = re.compile(rf"^(?:{'|'.join(map(re.escape, _BY_LENGTH))})\s+", re.IGNORECASE)
_SENTENCE = re.compile(
    r"^(?:where|which|what|who|whose|why|when|how|is|are|was|do|does|did|can|could|would|will|should|if|i|we|you|my|our|there|"
    r"after|before|during|suppose|imagine|in|on|at|from|for|to|looking|tell|please|someone|somebody|he|she|they)\b",
    re.IGNORECASE,
)


def reworded(text: str, rng: random.Random) -> str:
    """A random variation of a request with the same meaning.

    Two thirds get another lead-in, opening or ending; then case and punctuation vary.
    """
    words = text.strip()
    if rng.random() < 2 / 3:
        words = with_other_lead(words, rng)
    return punctuated(words, rng)


def with_other_lead(text: str, rng: random.Random) -> str:
    """The request with another lead verb, opening or ending, as its grammar allows."""
    body = text.strip().rstrip("?.! ")
    lead = _LEAD.match(body)
    if lead and not body[lead.end() :].lower().startswith(("where", "which", "what", "how", "to ", "around", "at ")):
        return f"{rng.choice(LEAD_VERBS)} {body[lead.end() :]}"
    names_a_thing = not text.rstrip().endswith("?") and ". " not in body
    if not lead and names_a_thing and not _SENTENCE.match(body):
        return f"{rng.choice(LEAD_VERBS)} {_uncapitalised(body)}"
    if rng.random() < 0.5:
        return f"{rng.choice(OPENINGS)}{rng.choice((',', ':'))} {_uncapitalised(body)}?"
    return f"{body} {rng.choice(ENDINGS)}?"


def _uncapitalised(text: str) -> str:
    return text if text[:2].isupper() or text.startswith(("I ", "I'")) else text[:1].lower() + text[1:]


def punctuated(text: str, rng: random.Random) -> str:
    """The text with random case and end punctuation."""
    end = rng.random()
    if end < 0.3:
        text = text.rstrip("?.! ")
    elif end < 0.4:
        text = text.rstrip("?.! ") + rng.choice((".", "?", "!", " ?", "??"))
    case = rng.random()
    if case < 0.3:
        return text.lower()
    if case < 0.32:
        return text.upper()
    return text[:1].upper() + text[1:] if case < 0.8 else text
