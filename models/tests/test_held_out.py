"""Which windows are held out and asked about, at native scale and resampled, and what the answers without a model learn."""

import random
from pathlib import Path

import numpy as np
import pytest

from held_out_packs import SIDE, write_held_out_packs
from segmenter.data.shards import Entry
from segmenter.data.windows import BIT, bits
from segmenter.evaluation.baselines import (
    NgramClassifier,
    best_cut,
    category_priors,
    make_baselines,
    ngrams,
    other_category,
    training_labels,
)
from segmenter.evaluation.held_out import Wordings, boxes, held_out_windows, questions_of, resampled_windows, target_and_known
from segmenter.language.bank import QuestionBank


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_held_out_packs(tmp_path_factory.mktemp("packs"))


def entry(height: int, width: int) -> Entry:
    return Entry("e", "validation", height, width, (0, 0), None, None)


def test_boxes_cover_an_image_with_the_fewest_squares() -> None:
    for height, width in ((160, 160), (128, 300), (257, 129)):
        covered = np.zeros((height, width), int)
        found = boxes(entry(height, width), 128)
        for left, top, right, bottom in found:
            assert right - left == bottom - top == 128 and left >= 0 and top >= 0
            covered[top:bottom, left:right] += 1
        assert covered.shape == (height, width) and covered.min() >= 1
        assert len(found) == -(-height // 128) * -(-width // 128)
    assert boxes(entry(100, 300), 128) == []


def test_only_validation_images_are_cut_and_the_same_ones_each_time(packs: Path) -> None:
    windows = held_out_windows(packs, SIDE)
    assert {(w.source, w.image) for w in windows} == {*(("isaid", f"t{n}") for n in range(6, 12)), ("dubai", "d1")}
    assert len(windows) == 6 * 4 + 4 + 1  # Dubai's second scale would need 256 px of 160: one window shows all of them
    again = held_out_windows(packs, SIDE)
    assert all(np.array_equal(a.cut().pixels, b.cut().pixels) for a, b in zip(windows, again, strict=True))


def test_a_present_category_is_asked_in_each_group_and_absent_ones_are_absent(packs: Path) -> None:
    bank = QuestionBank.load()
    for number, held in enumerate(held_out_windows(packs, SIDE)):
        window = held.cut()
        asked = questions_of(window, Wordings(bank), number)
        for question in asked:
            target, known = target_and_known(window, question.category)
            assert question.present == bool(target.any())
            assert known[target].all()
        present = {question.category for question in asked if question.present}
        assert len([q for q in asked if q.present]) == 4 * len(present)


def test_a_resampled_window_shows_the_squares_at_that_scale_side_by_side(packs: Path) -> None:
    for factor, count in ((0.5, 6 * 9), (1, 6 * 4), (2, 6 * 4 // 4), (4, 6 * 4 // 16)):
        found = [w for w in resampled_windows(packs, SIDE, factor, 1000) if w.source == "isaid"]
        assert len(found) == count, factor
        for held in found:
            window = held.cut()
            assert window.pixels.shape == (SIDE, SIDE, 3) and window.labels.shape == window.known.shape == (SIDE, SIDE)
            coloured = window.pixels.max(2) > 200  # squares of planes and ships; edges are blended
            marked = window.labels != 0
            assert np.mean(coloured != marked) < 0.03
    assert len([w for w in resampled_windows(packs, SIDE, 1, 5) if w.source == "isaid"]) == 5


def test_priors_lie_where_training_showed_the_category(packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segmenter.evaluation.baselines.PRIOR_EVERY", 1)
    made = make_baselines(packs, SIDE, QuestionBank.load())
    assert made.names["bare_land"] == "bare land"
    assert set(made.priors) >= {"plane", "ship", "aircraft", "water", "bare_land", "road"}
    assert made.prior("plane", SIDE).shape == (SIDE, SIDE) and made.prior("plane", SIDE).any()
    assert not made.prior("helicopter", SIDE).any()  # training shows none
    water = training_labels(packs, SIDE)
    assert category_priors(water)["water"].shape == (32, 32)


def test_the_best_cut_is_the_best_of_all_cuts() -> None:
    rng = np.random.default_rng(2)
    masks = rng.random((20, 8, 8)) < np.linspace(0.1, 0.9, 8)[None, None]
    mean = masks.mean(0)

    def quality(cut: np.ndarray) -> float:
        return float(np.mean([(cut & mask).sum() / (cut | mask).sum() for mask in masks]))

    assert quality(best_cut(masks)) == pytest.approx(max(quality(mean >= level) for level in np.unique(mean)), abs=0.01)


def test_priors_of_a_union_are_those_of_its_parts() -> None:
    labels = np.zeros((32, 32), np.int32)
    labels[:8] = BIT["plane"]
    priors = category_priors([labels])
    assert np.array_equal(priors["aircraft"], labels != 0) and "ship" not in priors and bits(["aircraft"]) & BIT["plane"]


def test_word_pairs_tell_seen_questions_apart_and_most_new_explicit_ones() -> None:
    bank = QuestionBank.load()
    some = {"ship", "forest", "tennis_court", "road"}
    seen = [q for q in bank.questions if q.split == "seen" and q.category in some]
    new = [q for q in bank.questions if q.split == "unseen_wording" and q.category in some and q.kind == "explicit"]
    classifier = NgramClassifier([q.text for q in seen], [q.category for q in seen])
    for questions, least in ((seen, 0.95), (new, 0.7)):
        guesses = classifier.guess([q.text for q in questions])
        assert np.mean([g == q.category for g, q in zip(guesses, questions, strict=True)]) > least
    assert ngrams("Show the ships!") == ["show", "the", "ships", "< show", "show the", "the ships", "ships >"]


def test_another_category_shares_no_part() -> None:
    rng = random.Random(0)
    among = ["plane", "helicopter", "aircraft", "ship"]
    assert {other_category("aircraft", among, rng) for _ in range(30)} == {"ship"}
    assert {other_category("plane", among, rng) for _ in range(60)} == {"helicopter", "ship"}
