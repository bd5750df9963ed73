"""Everyday words of the categories: asked in training, and probed through the language half alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch

from segmenter.language.bank import UNIONS, Question, QuestionBank, QuestionFileError, canonical, read_words
from segmenter.language.word_probe import Named, accepted, name_words, report


def test_there_are_three_hundred_words_and_every_category_has_some() -> None:
    words = read_words()
    assert sum(len({canonical(word) for word in own}) for own in words.values()) >= 300
    assert set(words) == set(QuestionBank.load().categories) and min(map(len, words.values())) >= 6


@pytest.mark.parametrize("word", ["houses", "homes", "planes", "jets", "sea", "woods", "lawn", "lorries"])
def test_the_commonest_words_are_among_them(word: str) -> None:
    assert sum(word in own for own in read_words().values()) == 1


def test_a_word_of_two_categories_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"water": ["sea"], "ship": ["Sea!"]}))
    with pytest.raises(QuestionFileError, match="'Sea!' belongs to water and to ship"):
        read_words(path)


def test_bare_words_are_drawn_but_never_a_held_out_one() -> None:
    questions = [Question("water", "explicit", "Show the water.", "seen"), Question("water", "explicit", "sea", "unseen_wording")]
    bank = QuestionBank(questions, words={"water": ["sea", "the brook"]})
    drawn = [canonical(bank.draw("water", random.Random(seed), explicit_share=1).text) for seed in range(200)]
    assert 30 < sum("brook" in text for text in drawn) < 90
    assert "sea" not in drawn and "show the water" in drawn


def test_a_union_and_its_parts_are_right_for_each_other_and_siblings_are_not() -> None:
    assert accepted("small_vehicle") == {"small_vehicle", "vehicle"}
    assert accepted("vehicle") == {"vehicle", *UNIONS["vehicle"]}
    assert not Named("car", "small_vehicle", "large_vehicle").right and Named("car", "small_vehicle", "vehicle").right


def test_words_are_named_by_the_questions_nearest_in_meaning() -> None:
    torch.manual_seed(0)
    meaning = {"water": torch.randn(32), "road": torch.randn(32), "ship": torch.randn(32)}
    questions = {name: [f"{name} {number}" for number in range(40)] for name in meaning}
    words = {"water": ["sea"], "road": ["lane", "sail"]}
    like = {"sea": "water", "lane": "road", "sail": "ship"}
    features = {text: meaning[name] + 0.3 * torch.randn(32) for name, texts in questions.items() for text in texts}
    features |= {word: meaning[name] + 0.3 * torch.randn(32) for word, name in like.items()}
    named = name_words(questions, words, features)
    assert [(one.word, one.found, one.right) for one in named] == [
        ("sea", "water", True), ("lane", "road", True), ("sail", "ship", False),
    ]  # fmt: skip
    assert report(named).splitlines() == ["2 of 3 words (66.7 %), goal 97 %", "sail (road) is taken for ship"]
