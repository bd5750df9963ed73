"""A gallery of failures on scenes that may be published, judged at hand-picked points.

`gallery.json` lists the cases: a square of a scene (left, top, right, bottom), a question, and scene pixels `on` and `off`
the target. A case without `on` asks for something absent. The scenes have no labels, so the gallery gives no score.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from segmenter.data.letterbox import Pixels
from segmenter.data.samples import read_rgb
from segmenter.evaluation.examination import Answerer, enlarged
from segmenter.evaluation.held_out import Box
from segmenter.evaluation.metrics import Mask

CASES = Path(__file__).parent / "gallery.json"
_SIDE = 288  # px of a picture
ANSWERED, RIGHT, WRONG = (255, 0, 200), (0, 220, 100), (255, 40, 40)
_OPACITY = 0.5

Point = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A question about a square of a scene, with points (column, row) on and off the target."""

    scene: str
    box: Box
    question: str
    on: tuple[Point, ...]
    off: tuple[Point, ...]


@dataclass(frozen=True)
class Shown:
    """A case with its answer: the square `[S, S, 3]`, the answered mask, and the number of wrong points."""

    case: Case
    pixels: Pixels
    mask: Mask
    missed: int  # points on the target outside the answer
    alarms: int  # points off the target inside the answer

    @property
    def false_alarm(self) -> bool:
        """Whether an absent target has a non-empty answer."""
        return not self.case.on and bool(self.mask.any())

    @property
    def wrong(self) -> float:
        """Share of wrong points; for an absent target 1 if the answer is not empty, else 0."""
        points = len(self.case.on) + len(self.case.off)
        return (self.missed + self.alarms) / points if self.case.on else float(self.false_alarm)

    @property
    def verdict(self) -> str:
        """The errors in words; empty if there are none."""
        if self.false_alarm:
            return f"false alarm: target absent, {100 * self.mask.mean():.1f} % of the square answered"
        parts = [f"missed at {self.missed} of {len(self.case.on)} points"] if self.missed else []
        return ", ".join([*parts, *([f"false at {self.alarms} of {len(self.case.off)} points"] if self.alarms else [])])


def read_cases(path: Path = CASES) -> list[Case]:
    """The listed cases. Raises ValueError for a box that is not square and for a point outside its box."""
    cases = []
    for entry in json.loads(path.read_text(encoding="utf-8")):
        left, top, right, bottom = entry["box"]
        on, off = (tuple((int(x), int(y)) for x, y in entry[key]) for key in ("on", "off"))
        if right - left != bottom - top:
            raise ValueError(f"{entry['scene']}: box {entry['box']} is not square")
        for x, y in (*on, *off):
            if not (left <= x < right and top <= y < bottom):
                raise ValueError(f"{entry['scene']}, {entry['question']}: point {x}, {y} lies outside {entry['box']}")
        cases.append(Case(entry["scene"], (left, top, right, bottom), entry["question"], on, off))
    return cases


def ask_cases(answerer: Answerer, side: int, scenes: Path, cases: Sequence[Case]) -> list[Shown]:
    """Asks each case in a window of `side` px. Raises SampleError for a scene that cannot be read."""
    shown = []
    for case in cases:
        image = Image.fromarray(read_rgb(scenes / case.scene)).crop(case.box)
        pixels = np.array(image.resize((side, side), Image.Resampling.BILINEAR))
        mask = enlarged(answerer.logits(pixels, [case.question]), side)[0] > 0
        hits = [sum(bool(mask[row_column(case, point, side)]) for point in points) for points in (case.on, case.off)]
        shown.append(Shown(case, pixels, mask, len(case.on) - hits[0], hits[1]))
    return shown


def row_column(case: Case, point: Point, side: int) -> tuple[int, int]:
    """Row and column of a scene pixel in the window of the case."""
    left, top, right, _ = case.box
    scale = side / (right - left)
    return int((point[1] - top + 0.5) * scale), int((point[0] - left + 0.5) * scale)


def failures(shown: Sequence[Shown], most: int) -> list[Shown]:
    """The worst cases, worst first: the highest share of wrong points, then the largest answer."""
    wrong = [one for one in shown if one.wrong > 0]
    return sorted(wrong, key=lambda one: (-one.wrong, -float(one.mask.mean())))[:most]


def picture(shown: Shown) -> bytes:
    """JPEG of the square with the answer overlaid; rings mark the points, green if the answer is right there."""
    pixels = shown.pixels.astype(np.float32)
    pixels[shown.mask] = pixels[shown.mask] * (1 - _OPACITY) + np.array(ANSWERED, np.float32) * _OPACITY
    image = Image.fromarray(pixels.round().astype(np.uint8)).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    side = len(shown.mask)
    for points, wanted in ((shown.case.on, True), (shown.case.off, False)):
        for point in points:
            row, column = row_column(shown.case, point, side)
            colour = RIGHT if shown.mask[row, column] == wanted else WRONG
            x, y = column * _SIDE / side, row * _SIDE / side
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline=(0, 0, 0), width=4)
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), outline=colour, width=2)
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=80, optimize=True)
    return packed.getvalue()
