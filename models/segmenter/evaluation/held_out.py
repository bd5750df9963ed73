"""Held-out windows and what they are asked, the same in every run.

The windows are squares of the packs' validation split at native scale, or at a scale of their own for the curve over
ground distance. In each window every present category is asked once per group of wordings, and some absent ones.
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

#: Groups of wordings: the kinds of questions and the splits they come from.
GROUPS: dict[str, tuple[tuple[str, ...], tuple[Split, ...]]] = {
    "explicit": (EXPLICIT_KINDS, ("seen",)),
    "explicit_unseen": (EXPLICIT_KINDS, ("unseen_wording",)),
    "implicit_seen": (IMPLICIT_KINDS, ("seen",)),
    "implicit_unseen": (IMPLICIT_KINDS, ("unseen_wording", "unseen_kind")),
}
#: Sources with pixel labels, and the categories that these decide.
LABELLED: dict[str, tuple[str, ...]] = {"isaid": ISAID_OBJECTS, "dubai": DUBAI_CLASSES, "epfl": ("road",)}
SCENE_SOURCES = ("rsscn7", "aid")
#: Absent categories asked of each window, in every group of wordings.
ABSENT_A_WINDOW = 2
SCENE_WINDOWS = 240

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class HeldOut:
    """A window that is cut when it is needed. Windows of one `place`, a held-out image, are no independent evidence."""

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

    An image that is smaller than such a square is shown by its own largest squares, enlarged where they are smaller than
    the window.

    Raises FileNotFoundError where a pack is missing.
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
    """One window in so many, each with its number among all: what a window is asked depends on that alone."""
    return list(enumerate(windows))[::every]


def _scene(scenes: Scenes, number: int) -> Window:
    return scenes.draw(np.random.default_rng([7, number]))


def boxes(entry: Entry, extent: int) -> list[Box]:
    """The fewest evenly spaced squares (left, top, right, bottom) that cover an image; none where it is smaller."""
    return [
        (left, top, left + extent, top + extent) for top in _starts(entry.height, extent) for left in _starts(entry.width, extent)
    ]


def _starts(length: int, extent: int) -> list[int]:
    if length < extent:
        return []
    steps = -(-length // extent)
    return [round(i * (length - extent) / max(1, steps - 1)) for i in range(steps)]


def resampled_windows(data: Path, side: int, factor: float, most: int, split: str = "validation") -> list[HeldOut]:
    """Windows in which a pixel shows `factor` source pixels, at most so many of each source with pixel labels.

    Where one image is too small to fill a window, 4, 16, ... held-out squares of the source lie side by side, each used
    once. The squares are drawn in an order of their own, the same in every run.
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
    """Masks `[S, S]` of a category in a window: where it is, and where its labels say whether it is."""
    wanted = bits([category])
    target = (window.labels & window.known & wanted) != 0
    return target, target | ((window.known & wanted) == wanted)


class Wordings:
    """The questions of each category and group, dealt to windows by their numbers."""

    def __init__(self, bank: QuestionBank, seed: int = 0) -> None:
        self._seed = seed
        self._texts: dict[tuple[str, str], list[str]] = defaultdict(list)
        for group, (kinds, splits) in GROUPS.items():
            for split in splits:
                for question in bank.select(split, None, kinds):
                    self._texts[question.category, group].append(question.text)

    def take(self, category: str, group: str, number: int) -> str | None:
        """The question for the window of that number; None where the category has none of the group."""
        texts = self._texts.get((category, group))
        return random.Random(f"{self._seed} {number} {category} {group}").choice(texts) if texts else None

    def categories(self, group: str) -> list[str]:
        """Categories that have questions of the group, sorted."""
        return sorted(category for category, other in self._texts if other == group)


def questions_of(window: Window, wordings: Wordings, number: int) -> list[Question]:
    """What the window of that number is asked: each present category and some absent ones, once in each group with wordings."""
    present, absent = askable(window)
    gone = random.Random(number).sample(absent, min(len(absent), ABSENT_A_WINDOW))
    asked = [
        (category, here, group, wordings.take(category, group, number))
        for names, here in ((present, True), (gone, False))
        for category in names
        for group in GROUPS
    ]
    return [Question(category, here, group, text) for category, here, group, text in asked if text is not None]
