import json
import random
from pathlib import Path

import pytest

from segmenter.language.bank import (
    HELD_OUT_KINDS,
    KINDS,
    LABELLED_BY,
    Question,
    QuestionBank,
    QuestionFileError,
    absent_categories,
    canonical,
    split_of,
)


@pytest.fixture(scope="module")
def bank() -> QuestionBank:
    return QuestionBank.load()


def test_every_category_has_all_kinds_and_at_least_150_questions(bank: QuestionBank) -> None:
    assert set(bank.categories) >= set().union(*LABELLED_BY.values())
    for category in bank.categories:
        questions = [q for q in bank.questions if q.category == category]
        assert len(questions) >= 150, category
        assert {q.kind for q in questions} == set(KINDS), category


def test_a_fifth_of_the_wordings_and_the_named_kinds_are_held_out(bank: QuestionBank) -> None:
    assert 0.15 < len(bank.select("unseen_wording")) / len(bank.questions) < 0.25
    assert {(q.category, q.kind) for q in bank.select("unseen_kind")} == HELD_OUT_KINDS


def test_a_split_depends_on_the_words_alone() -> None:
    assert split_of("ship", "explicit", "ships") == split_of("ship", "synonym", "ships")
    assert split_of("plane", "person", "ships") == "unseen_kind"


def test_no_drawn_question_is_a_held_out_wording(bank: QuestionBank) -> None:
    held_out = {canonical(q.text) for q in bank.questions if q.split != "seen"}
    rng = random.Random(1)
    for category in bank.categories:
        for _ in range(150):
            question = bank.draw(category, rng)
            assert question.category == category
            assert canonical(question.text) not in held_out


def test_a_seen_question_with_the_words_of_a_held_out_one_is_held_out_as_well() -> None:
    bank = QuestionBank(
        [Question("ship", "explicit", "Ships!", "unseen_wording"), Question("harbor", "explicit", "ships", "seen")]
    )
    assert [q.split for q in bank.questions] == ["unseen_wording", "unseen_wording"]


def test_drawing_a_category_without_questions_names_it(bank: QuestionBank) -> None:
    with pytest.raises(KeyError, match="volcano"):
        bank.draw("volcano", random.Random(0))


@pytest.mark.parametrize(
    ("present", "source", "kept_out", "asked"),
    [
        ({"small_vehicle"}, "isaid", {"vehicle", "small_vehicle"}, {"large_vehicle", "plane"}),
        ({"vehicle"}, "isaid", {"vehicle", "small_vehicle", "large_vehicle"}, {"ship"}),
        ({"ship"}, "isaid", {"ship", "water", "road"}, {"harbor", "plane", "aircraft"}),
        ({"running_track"}, "isaid", {"soccer_field", "sports_ground"}, {"tennis_court"}),
        ({"tennis_court"}, "isaid", {"sports_ground"}, {"basketball_court", "soccer_field"}),
        ({"forest"}, "scenes", {"forest", "vegetation"}, {"water", "industry", "field"}),
        ({"road"}, "dubai", {"road", "vehicle"}, {"water", "building", "vegetation", "bare_land"}),
        (set(), "epfl", {"building"}, {"road"}),
    ],
)
def test_only_what_the_labels_rule_out_is_asked_as_absent(
    present: set[str], source: str, kept_out: set[str], asked: set[str]
) -> None:
    absent = set(absent_categories(present, LABELLED_BY[source]))
    assert absent >= asked
    assert not absent & kept_out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"category": "boat", "kinds": {}}, "'boat' differs from the file name"),
        ({"category": "ship", "kinds": {"rumour": ["ships"]}}, "rumour"),
        ({"category": "ship", "kinds": {"explicit": ["ships", "  "]}}, "which is not a question"),
        ({"category": "ship"}, "kinds"),
    ],
)
def test_a_malformed_question_file_is_refused_with_its_fault(tmp_path: Path, content: object, complaint: str) -> None:
    (tmp_path / "ship.json").write_text(json.dumps(content))
    with pytest.raises(QuestionFileError, match=complaint):
        QuestionBank.load(tmp_path)


def test_a_folder_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match="no question file"):
        QuestionBank.load(tmp_path)
