"""The compact recipe on a synthetic pack: the loss falls, a resumed run equals an unbroken one, bad input is named."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from torch.nn import functional

from segmenter.__main__ import main
from segmenter.data.batches import Batch, Batches, Questions, absence_odds, askable, question_targets
from segmenter.data.mixture import Mixture
from segmenter.data.pack import PACKS
from segmenter.data.windows import BIT, CATEGORIES, Window, bits
from segmenter.errors import TrainError
from segmenter.language.bank import QuestionBank
from segmenter.language.corpus import taught_questions
from segmenter.language.distil import DistillationBatches, new_projection, save_language
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.checkpoint import read_checkpoint, save_checkpoint
from segmenter.network.config import compact
from segmenter.network.network import SegEarthR1
from segmenter.training.distributed import local_only
from segmenter.training.losses import agreement_loss, class_maps, dense_loss, mask_loss, presence_loss, seen_loss, stages_loss
from segmenter.training.objective import Objective, StepScheduler
from segmenter.training.recipes import rate_factor
from segmenter.training.run import Run, new_run, save_run
from segmenter.training.run_log import CURVES_FILE, LOG_FILE, read_log
from segmenter.training.settings import LAST_FILE, Settings
from segmenter.training.train import train
from tiny import tiny_lite
from training import cut_off, settings, small, write_packs

SIDE = 128


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture(autouse=True)
def quick_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates absence odds on 20 windows instead of 400."""
    monkeypatch.setattr("segmenter.training.train.absence_odds", partial(absence_odds, draws=20))


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sentences(tmp_path_factory.mktemp("sentences"), 80)


def write_sentences(folder: Path, questions: int) -> Path:
    """Embedded sentences as `corpus` writes them, so many questions among them, of random meaning."""
    noise = torch.Generator().manual_seed(0)
    for name, texts in (
        ("questions", list(taught_questions(QuestionBank.load()))[:questions]),
        ("plain", ["a harbour", "a fox"]),
    ):
        (folder / f"{name}.txt").write_text("\n".join(" ".join(text.split()) for text in texts) + "\n")
        rows = functional.normalize(torch.randn(len(texts), 384, generator=noise), dim=-1)
        np.save(folder / f"{name}.npy", rows.numpy().astype(np.float16))
    return folder


def short(packs: Path, out: Path, *more: str) -> Settings:
    return settings(packs, out, "--batch", "4", "--rate", "5e-3", "--warm-up", "4", *more)


def losses_of(run: Run, batches: list[Batch]) -> dict[str, float]:
    """Mean losses of a run's network over some batches."""
    objective = Objective(StepScheduler(ask=1, language=1), QuestionTokenizer.load(), bf16=False)
    with torch.no_grad():
        found = [objective(run, batch, torch.Generator().manual_seed(0)) for batch in batches]
    return {name: float(np.mean([losses[name].item() for losses in found])) for name in found[0]}


def test_fifty_steps_of_the_compact_network_lower_its_loss(packs: Path, tmp_path: Path) -> None:
    """On new windows, the network must beat its initial weights, and its own loss against labels rotated by 180 degrees.

    Both controls use the same windows and questions, so the result depends on neither rounding nor speed of the machine.
    """
    chosen = settings(packs, tmp_path, "--batch", "2", "--warm-up", "4", "--steps", "50", "--log-every", "1")
    run = train(chosen, config=compact(own_vocabulary()))
    rows = read_log(tmp_path)
    assert run.step == len(rows) == 50
    assert rows[-1]["loss"] < 0.93 * rows[0]["loss"]
    mixture = Mixture(packs, run.network.config.window_px)
    drawn = Batches(mixture, Questions(QuestionBank.load(), absence_odds(mixture, draws=20)), 2, 3, seed=99)
    fresh = [drawn[number] for number in range(3)]
    rotated = [replace(batch, labels=batch.labels.flip(1, 2), known=batch.known.flip(1, 2)) for batch in fresh]
    learnt, start = losses_of(run, fresh), losses_of(new_run(chosen, compact(own_vocabulary())), fresh)
    mismatched = losses_of(run, rotated)
    for name in ("entropy", "dice"):
        assert learnt[name] < 0.8 * start[name], (name, learnt, start)
        assert learnt[name] < mismatched[name], (name, learnt, mismatched)
    curves = (tmp_path / CURVES_FILE).read_text()
    assert curves.startswith("<?xml") and curves.count('<g id="axes_') == len(rows[0]) - 2  # one plot a value


def test_the_image_side_of_the_lite_kind_learns_on_windows_of_another_size(packs: Path, tmp_path: Path) -> None:
    lite = replace(tiny_lite(), language=replace(tiny_lite().language, max_positions=256))
    made = short(packs, tmp_path / "a", "--steps", "2", "--stage", "vision", "--side", "96", "--log-every", "1")
    run = train(made, config=lite)
    rows = read_log(tmp_path / "a")
    assert {"dense", "seen"} <= rows[-1].keys()
    torch.manual_seed(0)
    fresh = SegEarthR1(lite).state_dict()
    moved = {name for name, value in run.network.state_dict().items() if not torch.equal(value, fresh[name])}
    assert {name.split(".")[0] for name in moved} == {"model", "pixel_decoder", "predictor"}
    assert {name for name in moved if name.startswith("predictor")} == {f"predictor.whole_window.{p}" for p in ("weight", "bias")}
    then = short(packs, tmp_path / "b", "--steps", "1", "--initial", str(tmp_path / "a" / LAST_FILE))
    assert train(then, config=lite).heads.get_parameter("presence.weight").shape == (len(CATEGORIES), 6)


def test_the_encoder_has_a_rate_of_its_own(packs: Path, tmp_path: Path) -> None:
    run = train(short(packs, tmp_path, "--steps", "1", "--encoder-rate", "0", "--stage", "vision"), config=small())
    torch.manual_seed(0)
    fresh = SegEarthR1(small())
    for name, parameter in run.network.named_parameters():
        if name.startswith("model.vision_tower"):
            assert torch.equal(parameter, fresh.get_parameter(name)), name


@pytest.mark.parametrize("more", [("--stage", "vision"), ("--language-every", "1", "--distil"), ("--bf16", "--checkpointing")])
def test_a_resumed_run_equals_an_unbroken_one(
    packs: Path, sentences: Path, tmp_path: Path, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [part for name in more for part in (("--sentences", str(sentences)) if name == "--distil" else (name,))]
    whole = train(short(packs, tmp_path / "whole", "--steps", "4", *options), config=small())
    halves = short(packs, tmp_path / "halves", "--steps", "4", "--log-every", "1", *options)
    with cut_off(2, monkeypatch):
        train(halves, config=small())
    resumed = train(replace(halves, resume=True))
    assert resumed.step == whole.step == 4
    assert whole.average is not None and resumed.average is not None
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name
        assert torch.equal(resumed.average[name], whole.average[name]), name
    assert [row["step"] for row in read_log(tmp_path / "halves")] == [1, 2, 3, 4]


def test_what_was_logged_after_the_last_save_is_forgotten(packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = short(packs, tmp_path, "--steps", "3", "--log-every", "1", "--stage", "vision")
    with cut_off(2, monkeypatch):
        train(run, config=small())
    with (tmp_path / LOG_FILE).open("a") as log:
        log.write('{"step": 3, "loss": 99.0}\n')
    train(replace(run, resume=True))
    rows = read_log(tmp_path)
    assert [row["step"] for row in rows] == [1, 2, 3] and rows[-1]["loss"] != 99.0


def test_a_checkpoint_of_before_there_were_recipes_continues(packs: Path, tmp_path: Path) -> None:
    """It has neither settings nor a loss among its means."""
    run = train(short(packs, tmp_path, "--steps", "2"), config=small())
    path = tmp_path / LAST_FILE
    entries = read_checkpoint(path)
    extra = {name: entries[name] for name in ("raw", "heads", "optimiser", "step", "seconds", "means")}
    del extra["means"]["loss"]
    save_checkpoint(path, entries["config"], entries["weights"], **extra)
    resumed = train(short(packs, tmp_path, "--steps", "3", "--resume"))
    assert resumed.step == run.step + 1 and "loss" in resumed.means


def test_a_run_starts_from_the_image_side_of_another(packs: Path, tmp_path: Path) -> None:
    first = train(short(packs, tmp_path / "a", "--steps", "1", "--stage", "vision"), config=small())
    start = short(packs, tmp_path / "b", "--steps", "1", "--initial", str(tmp_path / "a" / LAST_FILE), "--rate", "0")
    second = train(start, config=small())
    assert first.average is not None
    name = "pixel_decoder.mask_features.weight"
    assert torch.equal(second.network.state_dict()[name], first.average[name])
    assert torch.equal(second.heads.get_parameter("dense.weight"), first.heads.get_parameter("dense.weight"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--batch", "3", "--processes", "2"), "--batch 3 is not a multiple of the 2 processes"),
        (("--data", "/nowhere"), f"/nowhere lacks the packs {', '.join(PACKS)}; write them with `segmenter pack"),
        (("--side", "100", "--stage", "vision"), "--side is 100; must be a multiple of 32 px"),
        (("--side", "96"), "--side 96 requires --stage vision and --encoder lite0"),
        (("--imagenet", "/nowhere/b.pth", "--encoder", "swin"), "--imagenet /nowhere/b.pth: no such file"),
        (("--initial", "/nowhere/a.pt"), "--initial /nowhere/a.pt: no such file"),
        (("--language", "/nowhere/a.pt"), "--language /nowhere/a.pt: no such file"),
        (("--sentences", "/nowhere"), "--sentences /nowhere: questions.txt is missing; write it with `segmenter corpus --folder"),
        (("--questions", "/nowhere"), "--questions /nowhere: no such folder"),
        (("--initial", __file__), f"{__file__} cannot be read: "),
        (("--language", __file__), f"--language {__file__} was not written by `segmenter distil` for this network: "),
        (("--resume",), "last.pt to resume"),
        (("--steps", "0"), "--steps is 0; must be at least 1"),
        (("--rate", "-1"), "--rate is -1.0; must be at least 0"),
        (("--minutes", "0"), "--minutes is 0.0; must be greater than 0"),
        (("--epochs", "2"), "--epochs does not apply to --config compact"),
        (("--frozen", "vision"), "--frozen vision: no parameter has this prefix; top-level parts are "),
        (("--config", "full"), "--config full needs --initial: the vision encoder stays frozen"),
        (("--config", "full", "--stage", "vision"), "--stage does not apply to --config full"),
        (("--plot", "/nowhere"), "/nowhere has no log.jsonl"),
    ],
)
def test_what_cannot_be_trained_is_named(packs: Path, tmp_path: Path, more: tuple[str, ...], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--data", str(packs), "--out", str(tmp_path), "--workers", "0", "--device", "cpu", *more])
    assert str(ended.value).startswith("segmenter train: ") and message in str(ended.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_named(packs: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--device cuda: torch finds no CUDA device on this machine"):
        main(["train", "--data", str(packs), "--out", str(tmp_path), "--device", "cuda"])


def test_an_unknown_recipe_is_refused_with_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--config", "huge", "--out", str(tmp_path)])
    assert "invalid choice: 'huge' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--config", "full"), "was trained with --config compact; --config full cannot continue it"),
        (("--stage", "vision"), "was trained with --stage joint; --stage vision cannot continue it"),
        (("--frozen", "model.vision_tower"), "stage, frozen layers and use of"),
    ],
)
def test_a_run_of_another_recipe_is_not_continued(packs: Path, tmp_path: Path, more: tuple[str, ...], message: str) -> None:
    made = short(packs, tmp_path, "--steps", "1")
    save_run(tmp_path / LAST_FILE, train(made, config=small()), made)
    with pytest.raises(TrainError, match=message):
        train(short(packs, tmp_path, "--steps", "2", "--resume", *more))


def test_a_language_model_goes_on_with_the_questions_it_was_taught_or_not_at_all(
    packs: Path, sentences: Path, tmp_path: Path
) -> None:
    (tmp_path / "fewer").mkdir()
    others = write_sentences(tmp_path / "fewer", 60)
    first = train(short(packs, tmp_path / "run", "--steps", "1", "--sentences", str(sentences)), config=small())
    last, distilled = tmp_path / "run" / LAST_FILE, tmp_path / "distil.pt"
    targets = DistillationBatches(sentences, QuestionTokenizer.load(), QuestionBank.load(), 4).meaning
    save_language(distilled, first.network, new_projection(16), targets)
    for taught, more in (
        (last, ("--resume",)),
        (last, ("--initial", str(last))),
        (distilled, ("--initial", str(last), "--language", str(distilled))),
    ):
        out = tmp_path / ("run" if "--resume" in more else "next")
        with pytest.raises(TrainError, match=f"{taught} was trained on sentence targets of other questions than"):
            train(short(packs, out, "--steps", "2", "--sentences", str(others), *more), config=small())
        train(short(packs, out, "--steps", "2", "--sentences", str(sentences), *more), config=small())
    without = train(short(packs, tmp_path / "run", "--steps", "3", "--resume"))
    assert without.meaning is not None and targets.similarity(without.meaning) == pytest.approx(1)


def test_resuming_a_file_without_training_state_is_an_error(packs: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / LAST_FILE, small(), SegEarthR1(small()).state_dict())
    with pytest.raises(TrainError, match="holds no training state"):
        train(short(packs, tmp_path, "--resume"))


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


@pytest.mark.parametrize("name", ["dense", "seen", "stages", "agreement", "presence"])
def test_losses_and_gradients_of_two_processes_are_those_of_one(name: str) -> None:
    """Two threads stand for the processes: each has one window of classes, or two of five questions."""
    torch.manual_seed(0)
    maps, target, known = torch.randn(6, 3, 8, 8), torch.rand(6, 3, 8, 8).round(), torch.rand(6, 3, 8, 8).round()
    present = torch.tensor([1.0, 0, 1, 1, 0, 0])

    def loss(logits: torch.Tensor, rows: slice, all_reduce: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        if name == "dense":
            return dense_loss(logits, target[rows], known[rows], all_reduce)
        if name == "seen":
            return seen_loss(logits[:, :, 0, 0], target[rows], known[rows], all_reduce)
        if name == "stages":
            fine = [functional.interpolate(t[rows, :1], scale_factor=2.0)[:, 0] for t in (target, known)]
            entropy, dice = stages_loss([logits[:, 0], logits[:, 1]], fine[0], fine[1], present[rows], all_reduce)
            return entropy + dice
        if name == "agreement":
            return agreement_loss([logits[:, 0]], target[rows, 1], present[rows], all_reduce)
        return presence_loss(logits[:, 0, 0, 0], present[rows], all_reduce)

    def gradient(rows: slice, all_reduce: Callable[[torch.Tensor], torch.Tensor]) -> tuple[float, torch.Tensor]:
        logits = maps[rows].clone().requires_grad_()
        value = loss(logits, rows, all_reduce)
        value.backward()
        assert logits.grad is not None
        return value.item(), logits.grad

    shared = [slice(0, 2), slice(2, 6)]
    meeting, parts = Barrier(2, timeout=60), [torch.zeros(0)] * 2

    def summed(rank: int, part: torch.Tensor) -> torch.Tensor:
        parts[rank] = part.detach()
        meeting.wait()
        total = parts[0] + parts[1]
        meeting.wait()
        return total + (part - part.detach())

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda rank: gradient(shared[rank], partial(summed, rank)), (0, 1)))
    value, whole = gradient(slice(0, 6), local_only)
    assert [one for one, _ in found] == pytest.approx([value, value])
    assert torch.allclose(torch.cat([part for _, part in found]), whole, atol=1e-7)


def test_presence_of_a_class_is_judged_where_the_labels_decide_it() -> None:
    """Present for sure, absent for sure, absent where all but one cell is decided, and present where little is decided."""
    labels, known = torch.zeros(1, 4, 4, 4), torch.ones(1, 4, 4, 4)
    labels[0, 0, 1, 1] = labels[0, 3, 2, 2] = 1
    known[0, 2, 3, 3] = 0
    known[0, 3] = 0
    known[0, 3, 2, 2] = 1
    logits = torch.zeros(1, 4, requires_grad=True)
    seen_loss(logits, labels, known).backward()
    assert logits.grad is not None
    assert logits.grad.sign().tolist() == [[-1, 1, 0, -1]]


def test_a_class_without_any_decided_cell_takes_no_part_in_the_dense_loss() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4).round()
    known = torch.ones(2, 3, 4, 4)
    known[:, 2] = 0
    torch.testing.assert_close(dense_loss(logits, target, known), dense_loss(logits[:, :2], target[:, :2], known[:, :2]))


def test_class_maps_are_shares() -> None:
    labels = torch.zeros(1, 4, 4, dtype=torch.int32)
    labels[0, 0, 0] = 0b10
    maps = class_maps(labels, 2, 2)
    assert maps[0, 1].tolist() == [[0.25, 0.0], [0.0, 0.0]] and maps[0, 0].sum() == 0


def test_rate_rises_then_falls_to_its_end() -> None:
    assert rate_factor(0.0, 0, 100, 0.01) == pytest.approx(0.01)
    assert rate_factor(0.5, 10_000, 100, 0.0) == pytest.approx(0.5)
    assert rate_factor(1.0, 10_000, 100, 0.01) == pytest.approx(0.01)


def test_a_warm_up_that_is_a_share_of_the_run_comes_before_the_cosine() -> None:
    """The published schedule: step / warm-up steps, then half a cosine over the rest, to zero."""
    factors = [rate_factor(step / 100, step, 0.03, 0.0) for step in range(100)]
    assert factors[:4] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert factors[3:] == pytest.approx([0.5 * (1 + np.cos(np.pi * (step - 3) / 97)) for step in range(3, 100)])


def test_a_step_does_what_its_scheduler_says() -> None:
    scheduler = StepScheduler(ask=2, language=3)
    assert [step for step in range(14) if scheduler.asks(step)] == [0, 2, 4, 6, 8, 10, 12]
    assert [step for step in range(14) if scheduler.learns_language(step)] == [0, 6, 12]
    assert not any(StepScheduler(0, 1).asks(step) for step in range(5))
