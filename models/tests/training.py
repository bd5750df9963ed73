"""Tiny data and settings that the tests of training share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from images import png
from segmenter.data.batches import Batches
from segmenter.data.labelled_images import LabelledImages
from segmenter.data.pack import DUBAI_COLOURS, ISAID_CLASSES, SOURCES, EncodedImage, write_pack
from segmenter.language.files import TOKENIZER_FILE
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.training.settings import Settings, add_arguments
from tiny import tiny


def square_on_grey(rng: np.random.Generator, bit: int) -> tuple[bytes, NDArray[np.uint16]]:
    """An image of 160 px with one bright square of one class."""
    pixels = rng.integers(70, 90, (160, 160, 3)).astype(np.uint8)
    labels = np.zeros((160, 160), np.uint16)
    top, left = rng.integers(10, 90, 2)
    pixels[top : top + 60, left : left + 60] = (240, 60, 40)
    labels[top : top + 60, left : left + 60] = 1 << bit
    return png(pixels), labels


def write_packs(folder: Path) -> Path:
    """All packs, of one to four images each."""
    rng = np.random.default_rng(0)
    plane, land = ISAID_CLASSES.index("plane"), list(DUBAI_COLOURS).index("bare_land")
    tiles = [EncodedImage(f"t{i}", "train", *square_on_grey(rng, plane), None) for i in range(4)]
    water = [EncodedImage(f"d{i}", "train", *square_on_grey(rng, 0), None) for i in range(2)]
    water = [replace(w, labels=np.where(w.labels == 0, np.uint16(1 << land), w.labels)) for w in water if w.labels is not None]
    roads = [EncodedImage(f"e{i}", "train", *square_on_grey(rng, 0), None) for i in range(2)]
    noise = png(rng.integers(0, 99, (150, 150, 3)).astype(np.uint8))
    forest = [EncodedImage(f"f{i}", "train", noise, None, "Forest") for i in range(2)]
    write_pack(iter(tiles), ISAID_CLASSES, folder / "isaid")
    write_pack(iter(water), tuple(DUBAI_COLOURS), folder / "dubai")
    write_pack(iter(roads), ("road",), folder / "epfl")
    write_later_packs(folder, roads, "train")
    for name in ("rsscn7", "aid"):
        write_pack(iter(forest), (), folder / name)
    return folder


def write_later_packs(folder: Path, pictures: list[EncodedImage], split: str) -> None:
    """The packs of the later sources, each with these pictures, whose bit 0 is the first class of each."""
    for name, (_, _, classes) in SOURCES.items():
        if name not in ("isaid", "dubai", "epfl", "rsscn7", "aid"):
            write_pack((replace(picture, split=split) for picture in pictures), classes, folder / name)


def write_earthreason(folder: Path, count: int = 4) -> Path:
    """A training split of `count` images with a bright square; the last shows none and answers nothing."""
    rng = np.random.default_rng(1)
    place = folder / "train"
    for part in ("images", "labels", "QAs"):
        (place / part).mkdir(parents=True)
    for number in range(count):
        empty = number == count - 1
        pixels = rng.integers(70, 90, (96, 120, 3)).astype(np.uint8)
        labels = np.zeros((96, 120), np.uint8)
        top, left = rng.integers(5, 40, 2)
        if not empty:
            pixels[top : top + 45, left : left + 45] = (240, 60, 40)
            labels[top : top + 45, left : left + 45] = 255
        Image.fromarray(pixels).save(place / "images" / f"{number}.png")
        Image.fromarray(labels).save(place / "labels" / f"{number}.png")
        questions = {"questions": ["Where is it red?", "What would glow?", "Which roof is painted?"][: 2 + number % 2]}
        answer = {"answer": [] if empty else ["The red square.", "A roof."]}
        (place / "QAs" / f"{number}.json").write_text(json.dumps(questions | answer))
    return folder


def small() -> ModelConfig:
    """The tiny network with room for the longest question."""
    return replace(tiny(), language=replace(tiny().language, max_positions=256))


def small_published() -> ModelConfig:
    """The same with the tensors of the published layout, with stochastic depth and without a presence score."""
    config = small()
    return replace(
        config,
        published_layout=True,
        vision=replace(config.swin, drop_path=0.3),
        mask_generator=replace(config.mask_generator, presence=False),
    )


def write_initial(folder: Path) -> Path:
    """A fresh checkpoint of :func:`small_published` with its tokenizer beside it."""
    torch.manual_seed(0)
    config = small_published()
    save_checkpoint(folder / "initial.pt", config, SegEarthR1(config).state_dict())
    (folder / "tokenizer.json").write_bytes(TOKENIZER_FILE.read_bytes())
    return folder / "initial.pt"


def settings(data: Path, out: Path, *more: str) -> Settings:
    """Settings as the command line makes them."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return Settings.of(parser.parse_args(["--data", str(data), "--out", str(out), "--workers", "0", *more]))


@contextmanager
def cut_off(step: int, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Training ends after `step` steps, as by a crash after a save, though its schedule goes on."""
    with patch.context() as inner:
        for kind in (Batches, LabelledImages):
            inner.setattr(kind, "__len__", lambda self: step)
        yield
