"""Measures a network on held-out places with seen and never seen wordings, and the answers that need no network.

The windows are native-resolution squares of the packs' validation split, the same in every run. In each window every
present category is asked once per group of wordings, and some categories that are certainly absent.
"""

import argparse
import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from segmenter.answerers import OnnxAnswerer, TorchAnswerer
from segmenter.batches import SCALES, askable
from segmenter.dataset import DUBAI_CLASSES, Labelled, Pixels, Scenes, Source, Window, bits
from segmenter.frames import full_size
from segmenter.metrics import Overlap, c_iou, empty_share, g_iou, overlap
from segmenter.questions import EXPLICIT_KINDS, IMPLICIT_KINDS, ISAID_OBJECTS, QuestionBank, Split
from segmenter.readers import KINDS

#: Groups of wordings: the kinds of questions and the splits they come from.
GROUPS: dict[str, tuple[tuple[str, ...], tuple[Split, ...]]] = {
    "explicit": (EXPLICIT_KINDS, ("seen",)),
    "explicit_unseen": (EXPLICIT_KINDS, ("unseen_wording",)),
    "implicit_seen": (IMPLICIT_KINDS, ("seen",)),
    "implicit_unseen": (IMPLICIT_KINDS, ("unseen_wording", "unseen_kind")),
}
#: Absent categories asked of each window, in every group of wordings.
ABSENT_A_WINDOW = 2
LAND_COVER = ("water", "building", "road")
SCENE_WINDOWS = 240


class Answerer(Protocol):
    """Anything that answers questions about a window."""

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        """RGB uint8 `[S, S, 3]` and N questions to mask logits float32 `[N, s, s]`; above 0 is the target."""


@dataclass(frozen=True)
class Answer:
    """One answered question: its category, group of wordings, whether the target is there, and the pixel counts."""

    source: str
    category: str
    group: str
    present: bool
    counts: Overlap


def held_out_windows(data: Path, side: int, split: str = "validation") -> Iterator[tuple[str, Window]]:
    """Windows of the held-out entries: iSAID and EPFL cut at native scale, Dubai at 1 and 2 px a pixel, scenes and mosaics.

    Yields (source name, window).
    """
    for name, decided in (("isaid", ISAID_OBJECTS), ("dubai", DUBAI_CLASSES), ("epfl", ("road",))):
        source = Source(data / name, split)
        if not source.entries:
            continue
        cutter = Labelled(source, decided, SCALES[name], side)
        for entry in source.entries:
            for extent in (side, 2 * side) if name == "dubai" else (side,):
                for top in _starts(entry.height, extent):
                    for left in _starts(entry.width, extent):
                        yield name, cutter.window(entry, (left, top, left + extent, top + extent))
    scenes = Scenes([Source(data / name, split) for name in ("rsscn7", "aid")], side)
    for number in range(SCENE_WINDOWS if scenes.kinds else 0):
        yield "scenes", scenes.draw(np.random.default_rng([7, number]))


def _starts(length: int, extent: int) -> list[int]:
    """Starts of the fewest equal steps that cover `length`; none where the image is smaller than the window."""
    if length < extent:
        return []
    steps = -(-length // extent)
    return [round(i * (length - extent) / max(1, steps - 1)) for i in range(steps)]


class Wordings:
    """Hands out the questions of a category and group in turn, so that all of them are used."""

    def __init__(self, bank: QuestionBank, seed: int = 0) -> None:
        self._texts: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._next: dict[tuple[str, str], int] = defaultdict(int)
        for group, (kinds, splits) in GROUPS.items():
            for split in splits:
                for question in bank.select(split, None, kinds):
                    self._texts[question.category, group].append(question.text)
        for key, texts in sorted(self._texts.items()):
            random.Random(f"{seed} {key}").shuffle(texts)

    def take(self, category: str, group: str) -> str | None:
        """The next question, or None where the category has none of the group."""
        texts = self._texts.get((category, group))
        if not texts:
            return None
        self._next[category, group] += 1
        return texts[self._next[category, group] % len(texts)]


def questions_of(window: Window, wordings: Wordings, seed: int) -> list[tuple[str, bool, str, str]]:
    """What a window is asked: (category, present, group, text) for each category and each group that has wordings."""
    present, absent = askable(window)
    gone = random.Random(seed).sample(absent, min(len(absent), ABSENT_A_WINDOW))
    asked = [(c, here, g, wordings.take(c, g)) for names, here in ((present, True), (gone, False)) for c in names for g in GROUPS]
    return [(c, here, g, text) for c, here, g, text in asked if text is not None]


def answers(answerer: Answerer, windows: Iterator[tuple[str, Window]], wordings: Wordings) -> Iterator[Answer]:
    """Asks every window and compares at its full resolution."""
    for number, (source, window) in enumerate(windows):
        asked = questions_of(window, wordings, number)
        if not asked:
            continue
        masks = full_size(answerer.logits(window.pixels, [text for *_, text in asked]), window.labels.shape[0])
        for (category, here, group, _), mask in zip(asked, masks, strict=True):
            wanted = bits([category])
            target = (window.labels & window.known & wanted) != 0
            known = target | ((window.known & wanted) == wanted)
            yield Answer(source, category, group, here, overlap(mask, target, known))


def score(found: list[Answer], group: str) -> dict[str, Any]:
    """Scores of one group of wordings, per category and gathered."""
    mine = [a for a in found if a.group == group]
    per_category = {}
    for category in sorted({a.category for a in mine}):
        here = [a.counts for a in mine if a.category == category and a.present]
        gone = [a.counts for a in mine if a.category == category and not a.present]
        per_category[category] = {
            "gIoU": g_iou(here), "cIoU": c_iou(here), "present": len(here),
            "absentEmpty": empty_share(gone), "absent": len(gone),
        }  # fmt: skip

    def mean_of(names: tuple[str, ...]) -> float:
        values = [per_category[n]["gIoU"] for n in names if n in per_category and per_category[n]["present"]]
        return float(np.mean(values)) if values else float("nan")

    return {
        "objects": mean_of(ISAID_OBJECTS),
        "objectQuestions": g_iou([a.counts for a in mine if a.present and a.category in ISAID_OBJECTS]),
        "landCover": {name: mean_of((name,)) for name in LAND_COVER},
        "all": mean_of(tuple(per_category)),
        "absentEmpty": empty_share([a.counts for a in mine if not a.present]),
        "presentAnswered": 1 - empty_share([a.counts for a in mine if a.present]),
        "categories": per_category,
    }


def baselines(found: list[Answer], side: int) -> dict[str, float]:
    """Mean gIoU over object categories of two answers without a network: nothing, and the whole window."""
    whole: dict[str, list[float]] = defaultdict(list)
    for a in found:
        if a.present and a.group == "explicit" and a.category in ISAID_OBJECTS:
            area = a.counts.union - a.counts.predicted + a.counts.intersection
            whole[a.category].append(area / (side * side))
    return {"allBackground": 0.0, "wholeWindow": float(np.mean([np.mean(v) for v in whole.values()])) if whole else 0.0}


def table(scores: dict[str, dict[str, Any]]) -> str:
    """The scores as a text table: one row a category, one column a group (gIoU in percent), then emptiness."""
    groups = list(scores)
    rows = [["category", "present", *groups, "absent", "empty %"]]
    for name in sorted({c for s in scores.values() for c in s["categories"]}):
        cells = [scores[g]["categories"].get(name) for g in groups]
        first = next(c for c in cells if c)
        ious = [_percent(c["gIoU"]) if c else "-" for c in cells]
        rows.append([name, str(first["present"]), *ious, str(first["absent"]), _percent(first["absentEmpty"])])
    rows.append(["15 objects, mean of categories", "", *(_percent(scores[g]["objects"]) for g in groups), "", ""])
    rows.append(["15 objects, mean of questions", "", *(_percent(scores[g]["objectQuestions"]) for g in groups), "", ""])
    for name in LAND_COVER:
        rows.append([f"({name})", "", *(_percent(scores[g]["landCover"][name]) for g in groups), "", ""])
    rows.append(["absent answered empty", "", *(_percent(scores[g]["absentEmpty"]) for g in groups), "", ""])
    rows.append(["present answered", "", *(_percent(scores[g]["presentAnswered"]) for g in groups), "", ""])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter evaluate`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--checkpoint", type=Path, help="checkpoint of `segmenter train`, run by torch")
    what.add_argument("--model", type=Path, help="folder with an exported manifest.json, run by onnxruntime")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="packs of `segmenter pack`, or the data set's folder")
    parser.add_argument("--dataset", choices=KINDS, help="layout of a labelled data set; without it the packs' held-out places")
    parser.add_argument("--split", help="packs: validation (default) or calibration; data sets: val (default) or test")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--threads", type=int, default=1)
    packs = parser.add_argument_group("packs")
    packs.add_argument("--every", type=int, default=1, help="use one window in so many")
    sets = parser.add_argument_group("data sets")
    sets.add_argument("--limit", type=int, help="ask about so many images only")
    sets.add_argument("--questions", choices=("first", "all"), default="all", help="of each sample; first: as the paper")
    sets.add_argument("--html", type=Path, help="also write a page with pictures of best, median and worst answers")


def main(args: argparse.Namespace) -> None:
    """Prints the table; for packs also the scores as JSON."""
    torch.set_num_threads(args.threads)
    answerer = TorchAnswerer.load(args.checkpoint) if args.checkpoint else OnnxAnswerer.load(args.model, args.threads)
    if args.dataset:
        # Only data sets need the COCO API and the page's template.
        from segmenter.evaluate_dataset import evaluate_dataset

        evaluate_dataset(answerer, args)
    else:
        evaluate_packs(answerer, args)


def evaluate_packs(answerer: TorchAnswerer | OnnxAnswerer, args: argparse.Namespace) -> None:
    """Measures on the packs' held-out places."""
    split = args.split or "validation"
    if split not in ("validation", "calibration"):
        raise SystemExit(f"--split {split}: packs have validation and calibration")
    windows = held_out_windows(args.data, answerer.side, split)
    chosen = (pair for number, pair in enumerate(windows) if number % args.every == 0)
    found = list(answers(answerer, chosen, Wordings(QuestionBank.load())))
    scores = {group: score(found, group) for group in GROUPS}
    print(table(scores))
    report = without_nan({"answers": len(found), "baselines": baselines(found, answerer.side), "groups": scores})
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    groups = {g: {k: v for k, v in s.items() if k != "categories"} for g, s in report["groups"].items()}
    print(json.dumps({**report, "groups": groups}))


def without_nan(value: Any) -> Any:
    """The same nested data with None for every NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
