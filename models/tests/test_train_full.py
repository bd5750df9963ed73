"""The published recipe on a tiny network and data set: loss, resuming, frozen parts, shared steps, against slow twins."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from segmenter.__main__ import main
from segmenter.data.labelled_images import AskedImages, LabelledImages, images_of
from segmenter.data.readers import open_dataset
from segmenter.errors import TrainError
from segmenter.language.conversation import NO_TARGET, PUBLISHED_FRAME, Conversations, answer_frame
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.checkpoint import read_checkpoint
from segmenter.network.config import full
from segmenter.network.network import normalise
from segmenter.training.distributed import Worker
from segmenter.training.point_loss import POINTS, point_losses, sampled, unsure_points
from segmenter.training.published_objective import WEIGHTS, PublishedObjective, read
from segmenter.training.recipes import FULL
from segmenter.training.run import Run, new_run
from segmenter.training.run_log import CURVES_FILE, read_log
from segmenter.training.settings import LAST_FILE, Settings
from segmenter.training.train import train
from test_readers import refsegrs
from training import cut_off, settings, small_published, write_earthreason, write_initial

#: Options of the tiny full run; the 12,544 points of a mask are kept.
TINY = ("--config", "full", "--batch", "2", "--no-bf16", "--rate", "5e-3", "--log-every", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data set and a checkpoint to start from."""
    folder = tmp_path_factory.mktemp("full")
    return write_earthreason(folder / "data"), write_initial(folder)


def tiny_run(place: tuple[Path, Path], out: Path, *more: str) -> Settings:
    return settings(place[0], out, *TINY, "--initial", str(place[1]), *more)


def batches(place: tuple[Path, Path], batch: int, share: tuple[int, int] = (0, 1), **more: Any) -> LabelledImages:
    config, tokenizer = small_published(), QuestionTokenizer.load()
    conversations = Conversations(tokenizer, config, answer_frame(tokenizer, published=False))
    images = images_of(open_dataset("earthreason", place[0], "train"))
    return LabelledImages(images, conversations, config.window_px, 10, batch, share, **more)


def gradients(run: Run, batch: AskedImages, worker: Worker | None = None) -> dict[str, torch.Tensor]:
    objective = PublishedObjective(bf16=False, worker=worker)
    objective.total(objective(run, batch, torch.Generator())).backward()
    return {name: p.grad for name, p in run.network.named_parameters() if p.grad is not None}


def test_fifty_steps_lower_the_loss_and_only_what_learns_changes(place: tuple[Path, Path], tmp_path: Path) -> None:
    run = train(tiny_run(place, tmp_path, "--steps", "50"))
    rows = read_log(tmp_path)
    assert run.step == len(rows) == 50 and run.average is None
    for part in ("loss", "entropy", "dice", "text"):
        assert rows[-1][part] < 0.9 * rows[0][part], part
    assert (tmp_path / CURVES_FILE).is_file() and (tmp_path / "run.json").is_file()
    before, after = read_checkpoint(place[1])["weights"], read_checkpoint(tmp_path / LAST_FILE)["weights"]
    frozen = {name for name in before if name.startswith("model.vision_tower")}
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"lm_head.weight", "model.embed_tokens.weight", "model.mm_projector.fc.weight", "text_projector.bias"} <= changed
    assert all(p.grad is None and not p.requires_grad for n, p in run.network.named_parameters() if n in frozen)
    assert not any(m.training for m in run.network.model.vision_tower.modules()) and run.network.training


def test_a_resumed_run_equals_an_unbroken_one(place: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = ("--epochs", "1.9", "--bf16", "--checkpointing")
    whole = train(tiny_run(place, tmp_path / "whole", *more))
    halves = tiny_run(place, tmp_path / "halves", *more)
    with cut_off(2, monkeypatch):
        train(halves)
    resumed = train(replace(halves, resume=True))
    assert resumed.step == whole.step == 4  # 1.9 passes over four images, two a step
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value), name


def test_checkpointed_layers_give_the_same_gradients(place: tuple[Path, Path], tmp_path: Path) -> None:
    batch = batches(place, 2)[0]
    found = [gradients(new_run(tiny_run(place, tmp_path, option)), batch) for option in ("--checkpointing", "--no-checkpointing")]
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_two_processes_under_torchrun_train_as_one(place: tuple[Path, Path], tmp_path: Path) -> None:
    """Compared by the first moments of Adam, which are sums of gradients."""
    one = train(tiny_run(place, tmp_path / "one", "--steps", "2", "--warm-up", "1"))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "29611",
        "-m", "segmenter", "train", "--data", str(place[0]), "--out", str(tmp_path / "two"), "--initial", str(place[1]),
        *TINY, "--steps", "2", "--warm-up", "1", "--workers", "0", "--device", "cpu",
    ]  # fmt: skip
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    moments = read_checkpoint(tmp_path / "two" / LAST_FILE)["optimiser"]["state"]
    expected = one.optimiser.state_dict()["state"]
    assert moments.keys() == expected.keys()
    for number, state in expected.items():
        scale = state["exp_avg"].abs().max().clamp(min=1e-6)
        assert (moments[number]["exp_avg"] - state["exp_avg"]).abs().max() < 1e-4 * scale, number


def test_shares_of_a_batch_are_the_batch(place: tuple[Path, Path]) -> None:
    joined, shares = batches(place, 4)[1], [batches(place, 4, (rank, 2))[1] for rank in (0, 1)]
    assert torch.equal(joined.pixels, torch.cat([share.pixels for share in shares]))
    assert torch.equal(joined.seeds, torch.cat([share.seeds for share in shares]))
    assert joined.asked.sum() == sum(share.asked.sum() for share in shares)


def test_every_question_of_an_image_is_asked_each_epoch_and_the_first_alone_on_demand(place: tuple[Path, Path]) -> None:
    every, first = batches(place, 4)[0], batches(place, 4, first_question=True)[0]
    assert torch.bincount(every.image_index).sort().values.tolist() == [2, 2, 3, 3]
    assert torch.bincount(first.image_index).tolist() == [1, 1, 1, 1]
    assert torch.bincount(batches(place, 4, most_questions=2)[0].image_index).tolist() == [2, 2, 2, 2]
    assert set(batches(place, 4).order(0)) == set(range(4)) and batches(place, 4).order(0) != batches(place, 4).order(2)


def test_answers_come_from_the_data_set_and_none_means_that_nothing_is_there(place: tuple[Path, Path], tmp_path: Path) -> None:
    tokenizer, batch = QuestionTokenizer.load(), batches(place, 4)[0]
    said = {tokenizer.decode(ids[told].tolist()) for ids, told in zip(batch.ids, batch.said, strict=True)}
    answers = {"The red square.", "A roof.", NO_TARGET}
    assert said <= {f" Sure, It is . \n{answer}. " for answer in answers} and any(NO_TARGET in text for text in said)
    empty = [not bool(target.any()) for target in batch.targets]
    for target, ids, told in zip(batch.target_index.tolist(), batch.ids, batch.said, strict=True):
        assert (NO_TARGET in tokenizer.decode(ids[told].tolist())) == empty[target]
    folder = write_earthreason(tmp_path / "data")
    (folder / "train" / "QAs" / "0.json").write_text('{"questions": ["a"], "answer": "b"}')
    (folder / "train" / "QAs" / "1.json").write_text('{"questions": ["a"]}')
    dataset = open_dataset("earthreason", folder, "train")
    assert dataset.problems == ["0.json: answer must be a list of non-blank strings, not 'b'"]
    assert [sample.answers for sample in dataset.samples] == [None, ("The red square.", "A roof."), ()]


def test_a_turn_holds_the_question_the_closing_and_what_is_to_be_said() -> None:
    tokenizer, config = QuestionTokenizer.load(), small_published()
    conversations = Conversations(tokenizer, config, answer_frame(tokenizer, published=False))
    alone, answered = conversations.turn("where", None), conversations.turn("where", NO_TARGET)
    assert answered.ids[: len(alone.ids)] == alone.ids and alone.said == len(alone.ids) == answered.question
    said = tokenizer.decode([i for i in answered.ids[answered.said :] if i != tokenizer.seg_id])
    assert said == f" Sure, It is . \n{NO_TARGET}. "
    ids, asked, told = conversations.rows([alone, answered])
    assert asked.sum(1).tolist() == [len(alone.ids)] * 2 and told.sum(1).tolist() == [0, len(answered.ids) - answered.said]
    assert (ids[0, len(alone.ids) :] == tokenizer.pad_id).all()
    with pytest.raises(TrainError, match="tokens exceed the limit of"):
        conversations.turn("where " * 300, None)


def test_the_published_frame_has_the_ids_of_the_published_prompt() -> None:
    frame = answer_frame(QuestionTokenizer.load(), published=True)
    assert frame is PUBLISHED_FRAME and frame.end[-1] == 50256 and len(full().prompt("REASONING")) == 56 + 64 + 15


def test_masks_do_not_see_the_answer_and_its_loss_is_that_of_one_pass(place: tuple[Path, Path], tmp_path: Path) -> None:
    """The slow twin reads prompt, question and answer of each question in one row."""
    network = new_run(tiny_run(place, tmp_path)).network.eval()
    batch = batches(place, 2)[0]
    with torch.no_grad():
        state = network.encode_image(normalise(batch.pixels))
        found, words = read(network, state, batch)
        describe = network.describe(state, batch.image_index, "REASONING", batch.ids, batch.asked.long())
        assert torch.allclose(found, describe, atol=1e-5)
        total = 0.0
        vocabulary = network.config.vocabulary
        for number, image in enumerate(batch.image_index.tolist()):
            before, after, own = (
                network.model.embed_tokens(torch.tensor(ids)[None])
                for ids in (vocabulary.before_image, vocabulary.after_image["REASONING"], batch.ids[number].tolist())
            )
            hidden, _ = network.model(torch.cat((before, state.image_tokens[image][None], after, own), 1))
            logits = network.lm_head(hidden[0, -own.shape[1] - 1 : -1])
            losses = functional.cross_entropy(logits, batch.ids[number], reduction="none")
            total += float(losses[batch.said[number]].sum())
    assert float(words) == pytest.approx(total, rel=1e-4) and total > 0


def test_points_are_where_the_mask_is_unsure_and_losses_match_a_slow_twin() -> None:
    logits = torch.linspace(-8, 8, 32).expand(1, 32, 32).clone()
    points = unsure_points(logits, [torch.Generator().manual_seed(0)])
    assert points.shape == (1, POINTS, 2) and POINTS == 12_544
    chosen, rest = sampled(logits, points[:, :9408]).abs(), sampled(logits, points[:, 9408:]).abs()
    assert chosen.max() < 2.8 and rest.max() > 6  # a third of the range lies within a third of the largest logit
    torch.manual_seed(0)
    few, target, known = torch.rand(2, 50, 2), torch.rand(2, 64, 64).round(), torch.ones(2, 64, 64)
    noise = torch.randn(2, 16, 16)
    entropy, dice = point_losses(noise, target, known, few)
    for number in range(2):
        p, t = sampled(noise, few)[number].sigmoid().numpy(), sampled(target, few)[number].numpy()
        assert entropy[number].item() == pytest.approx(float(np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p))), rel=1e-4)
        assert dice[number].item() == pytest.approx(float(1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)), rel=1e-4)
    known[:, :, :32] = 0
    changed = target.clone()
    changed[:, :, :30] = 1 - changed[:, :, :30]
    for one, other in zip(point_losses(noise, target, known, few), point_losses(noise, changed, known, few), strict=True):
        assert torch.equal(one, other)


def test_the_recipe_is_the_published_one() -> None:
    assert WEIGHTS == {"entropy": 5.0, "dice": 5.0, "text": 1.0}
    assert (FULL.rate, FULL.weight_decay, FULL.betas) == (1e-4, 0.0, (0.9, 0.999))
    assert (FULL.warm_up, FULL.epochs, FULL.final_rate) == (0.03, 15, 0)
    assert FULL.frozen == ("model.vision_tower",) and FULL.bf16 and FULL.checkpointing and FULL.clip is FULL.average is None


def test_referring_data_learns_masks_without_words(place: tuple[Path, Path], tmp_path: Path) -> None:
    folder = refsegrs(tmp_path)
    (folder / "output_phrase_train.txt").write_text("7 the road\n7 vehicles\n")
    options = ("--dataset", "refsegrs", "--initial", str(place[1]), "--batch", "1", "--steps", "1")
    run = train(settings(folder, tmp_path / "out", *TINY, *options))
    assert run.means["text"] == 0.0 and run.means["dice"] > 0
    before = read_checkpoint(place[1])["weights"]
    assert torch.equal(run.network.state_dict()["lm_head.weight"], before["lm_head.weight"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--dataset", "refsegrs"), "no RefSegRS data: no folder contains images, masks, output_phrase_train.txt"),
        (("--split", "val"), "no EarthReason data"),
        (("--tokenizer", "/nowhere"), "--tokenizer /nowhere: no such file"),
        (("--most-questions", "0"), "--most-questions is 0; must be at least 1"),
        (("--sentences", "."), "--sentences .: questions.txt is missing"),
    ],
)
def test_what_cannot_be_trained_is_named(place: tuple[Path, Path], tmp_path: Path, more: tuple[str, ...], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "--data", str(place[0]), "--out", str(tmp_path), "--initial", str(place[1]), *TINY, *more])
    assert message in str(ended.value)


def test_a_checkpoint_without_its_tokenizer_is_named(place: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "initial.pt").write_bytes(place[1].read_bytes())
    with pytest.raises(TrainError, match=r"no tokenizer at .*tokenizer\.json or .*--tokenizer"):
        train(settings(place[0], tmp_path / "out", *TINY, "--initial", str(tmp_path / "initial.pt")))
