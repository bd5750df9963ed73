"""Tiny synthetic packs with held-out images for the tests of the evaluation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from images import png
from segmenter.data.pack import DUBAI_COLOURS, ISAID_CLASSES, EncodedImage, write_pack
from segmenter.data.windows import BIT, Pixels, Window, bits
from segmenter.evaluation.held_out import HeldOut
from segmenter.language.bank import ISAID_OBJECTS, QuestionBank
from training import write_later_packs

SIDE = 128


def write_held_out_packs(folder: Path) -> Path:
    """All packs. Objects are red squares (planes) and green ones (ships) on grey, six images of 160 px in each split."""
    rng = np.random.default_rng(0)
    tiles = []
    for number in range(12):
        name, colour = (("plane", (240, 60, 40)), ("ship", (40, 220, 60)))[number % 2]
        pixels = rng.integers(70, 90, (160, 160, 3)).astype(np.uint8)
        labels = np.zeros((160, 160), np.uint16)
        top, left = rng.integers(20, 80, 2)
        pixels[top : top + 60, left : left + 60] = colour
        labels[top : top + 60, left : left + 60] = 1 << ISAID_CLASSES.index(name)
        tiles.append(EncodedImage(f"t{number}", "train" if number < 6 else "validation", png(pixels), labels, None))
    write_pack(iter(tiles), ISAID_CLASSES, folder / "isaid")
    noise = png(rng.integers(0, 99, (160, 160, 3)).astype(np.uint8))
    half = np.where(np.arange(160) < 80, np.uint16(1), np.uint16(2))[None].repeat(160, 0)  # water, bare land
    dubai = [EncodedImage(f"d{n}", split, noise, half, None) for n, split in enumerate(("train", "validation"))]
    write_pack(iter(dubai), tuple(DUBAI_COLOURS), folder / "dubai")
    write_pack(iter([EncodedImage("e0", "train", noise, half & np.uint16(1), None)]), ("road",), folder / "epfl")
    write_later_packs(folder, [EncodedImage("r0", "train", noise, half & np.uint16(1), None)], "train")
    forest = [EncodedImage("f0", "train", noise, None, "Forest")]
    for name in ("rsscn7", "aid"):
        write_pack(iter(forest), (), folder / name)
    return folder


def window(category: str, top: int) -> Window:
    """A window of one grey that shows one square of 48 px and decides all objects."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[top : top + 48, 40:88] = BIT[category]
    return Window(np.full((SIDE, SIDE, 3), top, np.uint8), labels, np.full((SIDE, SIDE), bits(ISAID_OBJECTS), np.int32))


def held_out(*windows: Window) -> list[tuple[int, HeldOut]]:
    """Numbered windows, each of a different image."""

    def cut(one: Window) -> Callable[[], Window]:
        return lambda: one

    return [(number, HeldOut("isaid", f"t{number}", cut(one))) for number, one in enumerate(windows)]


class Oracle:
    """Answers from the labels: finds the window by its grey value and the category by the question's text or plain name."""

    def __init__(self, windows: list[Window], bank: QuestionBank, names: dict[str, str]) -> None:
        self.windows = {int(one.pixels[0, 0, 0]): one for one in windows}
        self.category = {q.text: q.category for q in bank.questions} | {name: c for c, name in names.items()}

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        labels = self.windows[int(pixels[0, 0, 0])].labels[2::4, 2::4]
        masks = [(labels & bits([self.category[text]])) != 0 for text in texts]
        return torch.from_numpy(np.stack(masks)).float() * 20 - 10


class Silent:
    """Answers nothing."""

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        return torch.full((len(texts), SIDE // 4, SIDE // 4), -3.0)
