"""The distillation corpus: questions of known category and generated plain English.

Plain English comes from frames filled with `lexicon.json` (places, actors, actions, hazards, ...), and from words of the
teacher's vocabulary, alone and in short frames. Generated sentences need only be readable, because the teacher provides
their meaning. Held-out wordings are excluded.
"""

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from segmenter.language.associations import framed
from segmenter.language.bank import QuestionBank, canonical
from segmenter.language.phrasing import LEAD_VERBS

LEXICON = Path(__file__).parent / "lexicon.json"

FRAMES = (
    "where could {actor} {action}", "where would {actor} {action} {time}", "which area lets {actor} {action}",
    "what would {actor} use to {action}", "which place helps {actor} to {action}", "a good spot to {action}",
    "if {actor} wants to {action}, where should they go", "somebody has to {action} {time}", "what makes it possible to {action}",
    "{actor} needs somewhere to {action}", "{action} {time}", "i want to {action}", "the best place for {actor} {time}",
    "where can you {action} {relation} {place}", "{place}", "{thing}", "{adjective} {place}", "{adjective} {thing}",
    "{adjective} {place} {relation} {place}", "{adjective} {thing} {relation} {adjective} {place}", "{lead} {place}",
    "{lead} {thing} {relation} {place}", "{lead} the {adjective} {place} {quality}", "{lead} every {thing} {quality}",
    "anything {quality}", "something {quality} {relation} {place}", "{place} {quality}", "a {adjective} {thing} {quality}",
    "what would {effect} during {hazard}", "which places {effect} after {hazard}", "{hazard} near {place}",
    "if {hazard} came, what would {effect}", "{actor} worries about {hazard}", "what protects {place} from {hazard}",
    "where does {hazard} put {actor} in danger", "a {thing} could {effect} because of {hazard}", "where is {place}",
    "how many {thing}s are {relation} {place}", "is there {place} {relation} {place}", "{actor} {relation} {place} {time}",
    "what does {actor} look for {time}", "the {thing} belongs to {actor}", "{actor} works at {place}",
    "which {adjective} ground would {actor} choose to {action}", "without it nobody could {action}",
    "why would {actor} avoid {place} {time}", "the {place} where people {action}", "{actor} and {actor} meet at {place}",
    "{place} and {place}", "{thing} and {thing} {relation} {place}", "from {place} to {place}",
)  # fmt: skip

WORD_FRAMES = (
    "{word}", "{word}", "the {word}", "{word} and {word}", "where is the {word}", "something for {word}", "{word} {word}",
    "show the {word}", "the {word} of {place}", "{actor} with {word}", "{word} near {place}", "a {word} {thing}", "{word} {time}",
)  # fmt: skip
"""Frames for words of the teacher's vocabulary, so that words outside the questions get a meaning."""


def load_lexicon(path: Path = LEXICON) -> dict[str, list[str]]:
    """Phrase lists by the slot name that frames use; `lead` holds the lead verbs."""
    lists: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return lists | {"lead": list(LEAD_VERBS)}


def whole_words(vocabulary: Iterable[str], least_letters: int = 3) -> list[str]:
    """Lower-case English words of a WordPiece vocabulary in its order (frequent first)."""
    return [w for w in vocabulary if len(w) >= least_letters and re.fullmatch("[a-z]+", w)]


@dataclass(frozen=True)
class Corpus:
    """`questions` of known category, and `plain`: phrases, filled frames and words. Each part is free of duplicates."""

    questions: list[str]
    plain: list[str]


def taught_questions(bank: QuestionBank) -> dict[str, frozenset[str]]:
    """Training questions with all their categories: the seen questions, and one per association in a frame determined by
    its phrase."""
    associated = [(framed(a.kind, a.phrase, random.Random(a.phrase)), a.category) for a in bank.associations]
    asked: dict[str, frozenset[str]] = {}
    written: dict[str, str] = {}
    for text, category in [*((q.text, q.category) for q in bank.select("seen")), *associated]:
        if not bank.is_held_out(text):
            first = written.setdefault(canonical(text), text)
            asked[first] = asked.get(first, frozenset()) | {category}
    return asked


def build_corpus(
    bank: QuestionBank, words: Sequence[str], generated: int, seed: int = 0, described: Sequence[str] = ()
) -> Corpus:
    """Both parts of the corpus, most useful sentences first; deterministic.

    `words` are sorted by decreasing frequency, `generated` is the number of filled frames, `described` are sentences written
    by people. Held-out wordings are left out.
    """
    lexicon = load_lexicon()
    frames = filled_frames(lexicon, words, generated, random.Random(seed))
    plain = _distinct([*lexicon.values(), described, frames, words], bank.is_held_out)
    return Corpus(list(taught_questions(bank)), plain)


def filled_frames(lexicon: dict[str, list[str]], words: Sequence[str], count: int, rng: random.Random) -> Iterator[str]:
    """`count` randomly filled frames: two thirds of `FRAMES`, one third of `WORD_FRAMES` (favouring frequent words)."""
    for number in range(count):
        frame = rng.choice(FRAMES if number % 3 or not words else WORD_FRAMES)

        def fill(slot: re.Match[str]) -> str:
            if slot[1] == "word":
                return words[int(len(words) * rng.random() ** 2)]
            return _with_article(slot[1], rng.choice(lexicon[slot[1]]), rng)

        sentence = re.sub(r"\{(\w+)\}", fill, frame)
        yield sentence[:1].upper() + sentence[1:] + ("?" if re.match("wh|how|is |if ", sentence) else "")


def _with_article(slot: str, phrase: str, rng: random.Random) -> str:
    """Adds an article to actors and hazards."""
    if slot not in ("actor", "hazard") or phrase.endswith("s"):
        return phrase
    return f"{rng.choice(('a', 'the')) if phrase[0] not in 'aeiou' else rng.choice(('an', 'the'))} {phrase}"


def _distinct(sources: Iterable[Iterable[str]], refused: Callable[[str], bool]) -> list[str]:
    kept: dict[str, str] = {}
    for sentence in (sentence for source in sources for sentence in source):
        key = canonical(sentence)
        if key and key not in kept and not refused(sentence):
            kept[key] = sentence
    return list(kept.values())
