"""Held-out windows and their questions, the same in every run.

Windows are squares of the validation split at native scale, or resampled for the ground-distance curve. Each window is
asked about every present category and some absent ones, once per group of wordings.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmenter.data.batches import askable
from segmenter.data.shards import Entry
from segmenter.data.windows import DUBAI_CLASSES, Scenes, Source, Window, bits, labelled_window, side_by_side
from segmenter.language.bank import EXPLICIT_KINDS, IMPLICIT_KINDS, ISAID_OBJECTS, QuestionBank, Split

#: Groups of wordings: kinds and splits of their questions.
GROUPS: dict[str, tuple[tuple[str, ...], tuple[Split, ...]]] = {
    "explicit": (EXPLICIT_KINDS, ("seen",)),
    "explicit_unseen": (EXPLICIT_KINDS, ("unseen_wording",)),
    "implicit_seen": (IMPLICIT_KINDS, ("seen",)),
    "implicit_unseen": (IMPLICIT_KINDS, ("unseen_wording", "unseen_kind")),
}
#: Sources with pixel labels, and their labelled categories.
LABELLED: dict[str, tuple[str, ...]] = {"isaid": ISAID_OBJECTS, "dubai": DUBAI_CLASSES, "epfl": ("road",)}
SCENE_SOURCES = ("rsscn7", "aid")
#: Absent categories per window and group of wordings.
ABSENT_A_WINDOW = 2
SCENE_WINDOWS = 240

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class HeldOut:
    """A window that is cropped on demand. Windows of the same held-out `image` are correlated."""

    source: str
    image: str
    cut: Callable[[], Window]


@dataclass(frozen=True)
class Question:
    """One question about a window."""

    category: str
    present: bool
    group: str
    text: str


def held_out_windows(data: Path, side: int, split: str = "validation") -> list[HeldOut]:
    """Windows of `side` px: iSAID and EPFL at native scale, Dubai at 1 and 2 px a pixel, then scenes and mosaics of them.

    An image smaller than such a square contributes its largest squares, enlarged to the window if necessary.
    Raises FileNotFoundError if a pack is missing.
    """
    found = []
    for name, decided in LABELLED.items():
        source = Source(data / name, split)
        scales = (1, 2) if name == "dubai" else (1,)
        for entry in source.entries:
            largest = min(entry.height, entry.width)
            for extent in sorted({min(scale * side, largest) for scale in scales}):
                for box in boxes(entry, extent):
                    cut = partial(labelled_window, source, bits(decided), entry, box, side)
                    found.append(HeldOut(name, entry.key, cut))
    scenes = Scenes([Source(data / name, split) for name in SCENE_SOURCES], side)
    for number in range(SCENE_WINDOWS if scenes.kinds else 0):
        found.append(HeldOut("scenes", str(number), partial(_scene, scenes, number)))
    return found


def numbered(windows: Sequence[HeldOut], every: int = 1) -> list[tuple[int, HeldOut]]:
    """Every n-th window with its number among all windows, which determines its questions."""
    return list(enumerate(windows))[::every]


def _scene(scenes: Scenes, number: int) -> Window:
    return scenes.draw(np.random.default_rng([7, number]))


def boxes(entry: Entry, extent: int) -> list[Box]:
    """The fewest evenly spaced squares (left, top, right, bottom) that cover an image; none if the image is smaller."""
    return [
        (left, top, left + extent, top + extent) for top in _starts(entry.height, extent) for left in _starts(entry.width, extent)
    ]


def _starts(length: int, extent: int) -> list[int]:
    if length < extent:
        return []
    steps = -(-length // extent)
    return [round(i * (length - extent) / max(1, steps - 1)) for i in range(steps)]


def resampled_windows(data: Path, side: int, factor: float, most: int, split: str = "validation") -> list[HeldOut]:
    """Windows with `factor` source pixels per window pixel, at most `most` of each source with pixel labels.

    If an image is too small to fill a window, 4, 16, ... held-out squares of the source lie side by side, each used once.
    The order of the squares is random but fixed.
    """
    found = []
    for name, decided in LABELLED.items():
        source = Source(data / name, split)
        if not source.entries:
            continue
        shortest = min(min(entry.height, entry.width) for entry in source.entries)
        across = 1
        while round(side * factor / across) > shortest:
            across *= 2
        if side % across:
            continue
        extent = round(side * factor / across)
        squares = [(entry, box) for entry in source.entries for box in boxes(entry, extent)]
        random.Random(f"{name} {factor}").shuffle(squares)
        for number in range(min(most, len(squares) // across**2)):
            parts = squares[number * across**2 : (number + 1) * across**2]
            found.append(HeldOut(name, parts[0][0].key, partial(_mosaic, source, bits(decided), parts, across, side)))
    return found


def _mosaic(source: Source, decided: np.int32, parts: list[tuple[Entry, Box]], across: int, side: int) -> Window:
    return side_by_side([labelled_window(source, decided, entry, box, side // across) for entry, box in parts], across)


def target_and_known(window: Window, category: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks `[S, S]` of a category in a window: its target pixels, and the pixels where it is labelled."""
    wanted = bits([category])
    target = (window.labels & window.known & wanted) != 0
    return target, target | ((window.known & wanted) == wanted)


class Wordings:
    """The questions of each category and group, assigned to windows by their numbers."""

    def __init__(self, bank: QuestionBank, seed: int = 0) -> None:
        self._seed = seed
        self._texts: dict[tuple[str, str], list[str]] = defaultdict(list)
        for group, (kinds, splits) in GROUPS.items():
            for split in splits:
                for question in bank.select(split, None, kinds):
                    self._texts[question.category, group].append(question.text)

    def take(self, category: str, group: str, number: int) -> str | None:
        """The question for window `number`; None if the category has no question in the group."""
        texts = self._texts.get((category, group))
        return random.Random(f"{self._seed} {number} {category} {group}").choice(texts) if texts else None

    def categories(self, group: str) -> list[str]:
        """Categories that have questions of the group, sorted."""
        return sorted(category for category, other in self._texts if other == group)


def questions_of(window: Window, wordings: Wordings, number: int) -> list[Question]:
    """Questions about window `number`: each present category and some absent ones, once per group with wordings."""
    present, absent = askable(window)
    asked_absent = random.Random(number).sample(absent, min(len(absent), ABSENT_A_WINDOW))
    asked = [
        (category, here, group, wordings.take(category, group, number))
        for names, here in ((present, True), (asked_absent, False))
        for category in names
        for group in GROUPS
    ]
    return [Question(category, here, group, text) for category, here, group, text in asked if text is not None]
