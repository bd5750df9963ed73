"""The question bank: loading, split into seen and held out, random drawing, and categories that may be asked as absent.

A question file is `questions/<category>.json`: `{"category", "label", "kinds": {kind: [text, ...]}}`.
"""

import json
import random
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segmenter.language.associations import Association, framed, read_associations
from segmenter.language.files import QUESTION_FOLDER, WORDS_FILE
from segmenter.language.phrasing import reworded

Split = Literal["seen", "unseen_wording", "unseen_kind"]

#: Share of explicit questions that are a single everyday word.
WORD_SHARE = 0.3
EXPLICIT_KINDS = ("explicit", "synonym")
IMPLICIT_KINDS = ("function", "consequence", "person", "property")
KINDS = EXPLICIT_KINDS + IMPLICIT_KINDS

HELD_OUT_ONE_IN = 5
"""A wording is held out when `crc32(text) % HELD_OUT_ONE_IN == 0`."""

HELD_OUT_KINDS = frozenset(
    {
        ("plane", "person"),
        ("storage_tank", "consequence"),
        ("harbor", "function"),
        ("tennis_court", "property"),
        ("water", "person"),
        ("forest", "consequence"),
    }
)
"""`(category, kind)` pairs excluded from training: they measure generalisation between kinds."""

UNIONS = {
    "vehicle": ("small_vehicle", "large_vehicle"),
    "aircraft": ("plane", "helicopter"),
    "sports_ground": ("baseball_diamond", "basketball_court", "soccer_field", "tennis_court", "running_track"),
}
"""Categories whose mask is the union of others."""

ISAID_OBJECTS = (
    "small_vehicle", "large_vehicle", "baseball_diamond", "bridge", "basketball_court", "roundabout", "helicopter",
    "plane", "storage_tank", "ship", "harbor", "swimming_pool", "soccer_field", "tennis_court", "running_track",
)  # fmt: skip

LABELLED_BY: dict[str, frozenset[str]] = {
    "isaid": frozenset((*ISAID_OBJECTS, *UNIONS)),
    "dubai": frozenset({"water", "building", "road", "vegetation", "bare_land"}),
    "epfl": frozenset({"road"}),
    "scenes": frozenset({"water", "forest", "field", "industry", "residential", "parking", "bare_land"}),
}
"""Categories labelled by each source. Other categories are unknown, neither present nor absent: an iSAID image leaves water
undecided. `scenes` are mosaics of RSSCN7 and AID regions."""

_OVERLAPS = (
    ("soccer_field", "running_track"),  # the infield of a track is often an unlabelled pitch
    ("vegetation", "forest"), ("vegetation", "field"), ("vegetation", "residential"), ("vegetation", "sports_ground"),
    ("building", "residential"), ("building", "industry"), ("storage_tank", "industry"),
    ("road", "residential"), ("road", "industry"), ("road", "parking"), ("road", "bridge"), ("road", "roundabout"),
    ("parking", "industry"), ("parking", "residential"),
    ("vehicle", "parking"), ("vehicle", "road"), ("vehicle", "residential"), ("vehicle", "industry"),
    ("water", "swimming_pool"), ("water", "ship"), ("water", "harbor"), ("water", "bridge"),
    ("ship", "harbor"), ("harbor", "industry"),
    ("bare_land", "baseball_diamond"), ("bare_land", "field"), ("bare_land", "industry"),
)  # fmt: skip
"""Unordered pairs that often overlap without both being labelled. A union includes its parts."""

_DECIDED_TOGETHER = frozenset({("ship", "harbor"), ("harbor", "ship")})
"""Overlapping pairs that a source labels separately, so either may be asked as absent when only the other is present."""


class QuestionFileError(ValueError):
    """A malformed question file; the message names the file and the offending value."""


@dataclass(frozen=True)
class Question:
    """One written question.

    `kind` is one of `KINDS`; training uses only `split` "seen".
    """

    category: str
    kind: str
    text: str
    split: Split

    @property
    def explicit(self) -> bool:
        """Whether the question names its target (or a synonym of it)."""
        return self.kind in EXPLICIT_KINDS


def canonical(text: str) -> str:
    """The text in lower case with single spaces and no punctuation; equal forms are the same question."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def split_of(category: str, kind: str, text: str) -> Split:
    """The split of a question by its text and kind; `QuestionBank` also holds out duplicates of held-out wordings."""
    if (category, kind) in HELD_OUT_KINDS:
        return "unseen_kind"
    return "unseen_wording" if zlib.crc32(text.encode()) % HELD_OUT_ONE_IN == 0 else "seen"


def absent_categories(present: Iterable[str], decided: Iterable[str]) -> list[str]:
    """Categories that are certainly absent from an image.

    `present` are the categories with a mask in the window, `decided` those that the source labels
    (`LABELLED_BY[source]`). A union is present if any part is. Categories that may overlap a present one (a vehicle on a
    car park, a pitch inside a track) are left out, because their labels may be missing. Sorted.
    """
    here = set(present)
    here |= {union for union, parts in UNIONS.items() if here & set(parts)}
    unknown = {part for union, parts in UNIONS.items() if union in here and not here & set(parts) for part in parts}
    return sorted(c for c in set(decided) - here - unknown if not any(shares_ground(c, other) for other in here))


def shares_ground(one: str, other: str) -> bool:
    """Whether both may cover the same pixels although only one of them is labelled."""
    if (one, other) in _DECIDED_TOGETHER:
        return False
    return any((a, b) in _OVERLAPS or (b, a) in _OVERLAPS for a in _with_unions(one) for b in _with_unions(other))


def _with_unions(category: str) -> list[str]:
    return [category, *(union for union, parts in UNIONS.items() if category in parts)]


class QuestionBank:
    """All questions of a folder, by split, with random drawing.

    `questions` are in file order. `held_out_wordings` holds the canonical forms excluded from training. `associations`
    add training questions; those of a held-out `(category, kind)` are dropped. `words` are everyday words by category, asked
    on their own unless they are held-out wordings.
    """

    def __init__(
        self,
        questions: Iterable[Question],
        associations: Iterable[Association] = (),
        words: Mapping[str, Sequence[str]] | None = None,
    ):
        everything = list(questions)
        self.held_out_wordings = frozenset(canonical(q.text) for q in everything if q.split != "seen")
        self.questions = [self._with_final_split(q) for q in everything]
        self.words = {c: [w for w in own if not self.is_held_out(w)] for c, own in (words or {}).items()}
        self.associations = [a for a in associations if (a.category, a.kind) not in HELD_OUT_KINDS]
        self._associated: dict[tuple[str, str], list[str]] = defaultdict(list)
        for association in self.associations:
            self._associated[association.category, association.kind].append(association.phrase)
        self._seen: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
        for question in self.questions:
            if question.split == "seen":
                self._seen[question.category][question.kind].append(question)

    @classmethod
    def load(cls, folder: Path = QUESTION_FOLDER) -> "QuestionBank":
        """Reads every `*.json` of the folder, and the associations.

        Raises `QuestionFileError` for a missing key, an unknown kind, an empty text, or a folder without questions.
        """
        questions = [question for path in sorted(folder.glob("*.json")) for question in read_question_file(path)]
        if not questions:
            raise QuestionFileError(f"{folder} holds no question file (*.json)")
        return cls(questions, read_associations(), read_words())

    @property
    def categories(self) -> list[str]:
        """Categories that have questions, sorted."""
        return sorted({q.category for q in self.questions})

    def select(self, split: Split, category: str | None = None, kinds: Iterable[str] = KINDS) -> list[Question]:
        """Questions of one split, optionally of one category or some kinds, in file order."""
        wanted = set(kinds)
        return [
            q for q in self.questions
            if q.split == split and q.kind in wanted and (category is None or q.category == category)
        ]  # fmt: skip

    def draw(self, category: str, rng: random.Random, explicit_share: float = 0.4, association_share: float = 0.2) -> Question:
        """A random training question: explicit with probability `explicit_share`, kinds of a group equally likely.

        `WORD_SHARE` of the explicit ones are a single word. With probability `association_share` another question comes from
        an association of that kind, else from the seen questions. Case, punctuation and lead-in vary; the result is never a
        held-out wording. Raises `KeyError` naming a category without seen questions.
        """
        kinds = self._seen.get(category)
        if not kinds:
            raise KeyError(f"no training question for category {category!r}; known categories are {sorted(self._seen)}")
        group = EXPLICIT_KINDS if rng.random() < explicit_share else IMPLICIT_KINDS
        if group == EXPLICIT_KINDS and self.words.get(category) and rng.random() < WORD_SHARE:
            word = rng.choice(self.words[category])
            text = reworded(word, rng)
            return Question(category, "explicit", word if self.is_held_out(text) else text, "seen")
        kind = rng.choice([kind for kind in group if kind in kinds] or list(kinds))
        written = rng.choice(kinds[kind])
        phrases = self._associated.get((category, kind))
        if phrases and rng.random() < association_share:
            text = reworded(framed(kind, rng.choice(phrases), rng), rng)
        else:
            text = reworded(written.text, rng)
        return written if self.is_held_out(text) else Question(category, kind, text, "seen")

    def is_held_out(self, text: str) -> bool:
        """Whether the wording is held out, regardless of case and punctuation."""
        return canonical(text) in self.held_out_wordings

    def _with_final_split(self, question: Question) -> Question:
        if question.split == "seen" and self.is_held_out(question.text):
            return Question(question.category, question.kind, question.text, "unseen_wording")
        return question


def read_words(path: Path = WORDS_FILE) -> dict[str, list[str]]:
    """Everyday words of each category; raises `QuestionFileError` where one word belongs to two."""
    words: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    owners: dict[str, str] = {}
    for category, own in words.items():
        for word in own:
            if (other := owners.setdefault(canonical(word), category)) != category:
                raise QuestionFileError(f"{path}: {word!r} belongs to {other} and to {category}")
    return words


def read_question_file(path: Path) -> list[Question]:
    """The questions of a file, split by :func:`split_of`; raises `QuestionFileError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        category, kinds = content["category"], content["kinds"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise QuestionFileError(f"{path}: {error!r}; expected category, label, kinds") from error
    if category != path.stem:
        raise QuestionFileError(f"{path}: category {category!r} differs from the file name")
    if unknown := set(kinds) - set(KINDS):
        raise QuestionFileError(f"{path}: unknown kinds {sorted(unknown)}; known are {list(KINDS)}")
    for kind, texts in kinds.items():
        if bad := [text for text in texts if not isinstance(text, str) or not text.strip()]:
            raise QuestionFileError(f"{path}: {kind} holds {bad[0]!r}, which is not a question")
    return [Question(category, kind, text, split_of(category, kind, text)) for kind, texts in kinds.items() for text in texts]
