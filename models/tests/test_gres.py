"""Sentences of GRES: which are read, and what they speak of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repositories import repository
from segmenter.data.blobs import PackError
from segmenter.data.sources import gres
from segmenter.data.sources.gres import SPOKEN, Described, category_of, gres_sentences
from segmenter.language.bank import QuestionBank
from segmenter.language.corpus import build_corpus


@pytest.fixture(autouse=True)
def any_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gres, "GRES_COMMIT", "HEAD")


def written(texts: object) -> bytes:
    return json.dumps({"text": texts, "is_sentence": True, "shapes": []}).encode()


def test_sentences_of_the_training_part_without_places_are_read_once(tmp_path: Path) -> None:
    files = {
        "gres_annotations/train/a.json": written(["The white truck.", "the  white truck", "The boat at the top left corner."]),
        "gres_annotations/train/b.json": written(["A pylon with four arms.", ""]),
        "gres_annotations/val/c.json": written(["The red car."]),
    }
    found = gres_sentences(repository(tmp_path / "r", files))
    assert found == [Described("The white truck.", "large_vehicle"), Described("A pylon with four arms.", None)]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Two buses beside a warehouse", "large_vehicle"),
        ("the cars", "small_vehicle"),
        ("A ferry that has left the pier", "ship"),
        ("jets on the apron", "aircraft"),
        ("the tank next to the truck", "storage_tank"),
        ("a carport", None),
        ("busy crossing", None),
    ],
)
def test_the_first_telling_word_decides(text: str, category: str | None) -> None:
    assert category_of(text) == category


def test_every_telling_word_belongs_to_a_category_that_is_asked_for() -> None:
    words = [word for own in SPOKEN.values() for word in own]
    assert len(words) == len(set(words)) and set(SPOKEN) <= set(QuestionBank.load().categories)


@pytest.mark.parametrize("content", [b"[]", b"{", written("one sentence"), written([1])])
def test_a_file_of_another_form_is_named(tmp_path: Path, content: bytes) -> None:
    files = {"gres_annotations/train/a.json": content}
    with pytest.raises(PackError, match=r"gres_annotations/train/a\.json"):
        gres_sentences(repository(tmp_path / "r", files))


def test_described_sentences_join_the_corpus_but_no_held_out_one() -> None:
    bank = QuestionBank.load()
    held_out = bank.select("unseen_wording")[0].text
    corpus = build_corpus(bank, ["fox"], 10, described=["A truck with a crane on its bed.", held_out])
    assert "A truck with a crane on its bed." in corpus.plain and held_out not in corpus.plain
