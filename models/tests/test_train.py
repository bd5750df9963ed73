"""A short run on a synthetic pack: the loss falls, and a resumed run equals an unbroken one."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pictures import png
from segmenter.batches import Batches, Mixture, Questions, askable, question_targets
from segmenter.checkpoint import save_checkpoint
from segmenter.config import ModelConfig
from segmenter.dataset import BIT, CATEGORIES, Window, bits
from segmenter.losses import class_maps, dense_loss, mask_loss
from segmenter.network import SegEarthR1
from segmenter.objective import Rhythm
from segmenter.pack import DUBAI_COLOURS, ISAID_CLASSES, Picture, write_pack
from segmenter.questions import QuestionBank
from segmenter.run import Run, TrainError
from segmenter.train import add_arguments, rate_factor, train
from tiny import tiny

SIDE = 128


def square_on_grey(rng: np.random.Generator, bit: int) -> tuple[bytes, np.ndarray]:  # type: ignore[type-arg]
    """A picture of 160 px with one bright square of one class."""
    pixels = rng.integers(70, 90, (160, 160, 3)).astype(np.uint8)
    labels = np.zeros((160, 160), np.uint16)
    top, left = rng.integers(10, 90, 2)
    pixels[top : top + 60, left : left + 60] = (240, 60, 40)
    labels[top : top + 60, left : left + 60] = 1 << bit
    return png(pixels), labels


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs")
    rng = np.random.default_rng(0)
    plane, land = ISAID_CLASSES.index("plane"), list(DUBAI_COLOURS).index("bare_land")
    tiles = [Picture(f"t{i}", "train", *square_on_grey(rng, plane), None) for i in range(4)]
    water = [Picture(f"d{i}", "train", *square_on_grey(rng, 0), None) for i in range(2)]
    water = [replace(w, labels=np.where(w.labels == 0, np.uint16(1 << land), w.labels)) for w in water if w.labels is not None]
    roads = [Picture(f"e{i}", "train", *square_on_grey(rng, 0), None) for i in range(2)]
    noise = png(rng.integers(0, 99, (150, 150, 3)).astype(np.uint8))
    forest = [Picture(f"f{i}", "train", noise, None, "Forest") for i in range(2)]
    write_pack(iter(tiles), ISAID_CLASSES, folder / "isaid")
    write_pack(iter(water), tuple(DUBAI_COLOURS), folder / "dubai")
    write_pack(iter(roads), ("road",), folder / "epfl")
    for name in ("rsscn7", "aid"):
        write_pack(iter(forest), (), folder / name)
    return folder


def small() -> ModelConfig:
    """The tiny network with room for the longest question."""
    return replace(tiny(), language=replace(tiny().language, max_positions=256))


def options(packs: Path, out: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(
        ["--data", str(packs), "--out", str(out), "--batch", "4", "--workers", "0", "--rate", "5e-3", "--warm-up", "4", *more]
    )


def test_the_loss_falls(packs: Path, tmp_path: Path) -> None:
    short = train(options(packs, tmp_path / "a", "--steps", "2"), config=small())
    long = train(options(packs, tmp_path / "b", "--steps", "60"), config=small())
    for name in ("dense", "entropy"):
        assert long.means[name] < 0.9 * short.means[name]


@pytest.mark.parametrize("stage", ["vision", "joint"])
def test_a_resumed_run_equals_an_unbroken_one(packs: Path, tmp_path: Path, stage: str) -> None:
    whole = train(options(packs, tmp_path / "whole", "--stage", stage, "--steps", "4"), config=small())
    halved = options(packs, tmp_path / "halves", "--stage", stage, "--steps", "4")
    train_until(halved, 2)
    resumed = train(argparse.Namespace(**{**vars(halved), "resume": True}))
    assert resumed.step == whole.step == 4
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name
        assert torch.equal(resumed.average[name], whole.average[name]), name


def train_until(args: argparse.Namespace, step: int) -> Run:
    """Trains as `args` say but is cut off after `step` steps, as by a crash after a save."""

    class Cut(argparse.Namespace):
        @property
        def save_minutes(self) -> float:
            return 0.0

        @save_minutes.setter
        def save_minutes(self, value: float) -> None: ...

    original = Batches.__len__
    try:
        Batches.__len__ = lambda self: step  # type: ignore[method-assign]
        return train(Cut(**vars(args)), config=small())
    finally:
        Batches.__len__ = original  # type: ignore[method-assign]


def test_resuming_a_file_without_training_state_is_an_error(packs: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last.pt", small(), SegEarthR1(small()).state_dict())
    with pytest.raises(TrainError, match="holds no training state"):
        train(options(packs, tmp_path, "--resume"))


def test_a_batch_depends_on_its_number_alone(packs: Path) -> None:
    mixture, questions = Mixture(packs, SIDE), Questions(QuestionBank.load())
    batches = Batches(mixture, questions, 3, 10, seed=5)
    first, again, other = batches[4], Batches(mixture, questions, 3, 10, seed=5)[4], batches[5]
    assert torch.equal(first.pixels, again.pixels) and first.texts == again.texts
    assert not torch.equal(first.pixels, other.pixels)
    assert set(first.present.tolist()) == {0.0, 1.0}


def test_questions_keep_to_what_the_source_decides() -> None:
    labels, known = np.zeros((SIDE, SIDE), np.int32), np.full((SIDE, SIDE), bits(CATEGORIES[:15]), np.int32)
    labels[:40, :40] = BIT["ship"]
    present, absent = askable(Window(np.zeros((SIDE, SIDE, 3), np.uint8), labels, known))
    assert present == ["ship"]
    assert "water" not in absent and "road" not in absent and "tennis_court" in absent


def test_targets_ignore_undecided_pixels(packs: Path) -> None:
    batch = Batches(Mixture(packs, SIDE), Questions(QuestionBank.load()), 4, 10, seed=1)[0]
    target, known = question_targets(batch, 64)
    assert target.shape == known.shape == (len(batch.present), 64, 64)
    assert bool((target <= known).all())
    assert bool((target[batch.present == 0] == 0).all())


def test_unknown_pixels_weigh_nothing() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4).round()
    known = torch.ones(2, 3, 4, 4)
    known[..., 0] = 0
    changed = logits.clone()
    changed[..., 0] += 7
    assert torch.equal(dense_loss(logits, target, known), dense_loss(changed, target, known))
    ones = torch.ones(2)
    for one, other in zip(
        mask_loss(logits[:, 0], target[:, 0], known[:, 0], ones),
        mask_loss(changed[:, 0], target[:, 0], known[:, 0], ones),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_class_maps_are_shares() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int32)
    labels[0, 0, 0] = 0b10
    maps = class_maps(labels, 2, 2)
    assert maps[0, 1].tolist() == [[0.25, 0.0], [0.0, 0.0]] and maps[0, 0].sum() == 0


def test_rate_rises_then_falls_to_its_end() -> None:
    assert rate_factor(0.0, 0, 100, 0.01) == pytest.approx(0.01)
    assert rate_factor(0.5, 10_000, 100, 0.0) == pytest.approx(0.5)
    assert rate_factor(1.0, 10_000, 100, 0.01) == pytest.approx(0.01)


def test_a_step_pauses_as_its_rhythm_says() -> None:
    rhythm = Rhythm(ask=2, language=3)
    assert [step for step in range(14) if rhythm.asks(step)] == [0, 2, 4, 6, 8, 10, 12]
    assert [step for step in range(14) if rhythm.learns_language(step)] == [0, 6, 12]
    assert not any(Rhythm(0, 1).asks(step) for step in range(5))
