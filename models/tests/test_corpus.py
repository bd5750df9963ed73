import pytest

from segmenter.language.bank import HELD_OUT_KINDS, Question, QuestionBank, canonical
from segmenter.language.corpus import build_corpus, taught_questions, whole_words

SMALL_WORDS = "a an the of in on to and or for with at by is are be would could what which where who that it its"


@pytest.fixture(scope="module")
def bank() -> QuestionBank:
    return QuestionBank.load()


def test_no_held_out_wording_enters_the_corpus(bank: QuestionBank) -> None:
    held_out = {canonical(q.text) for q in bank.questions if q.split != "seen"}
    corpus = build_corpus(bank, ["runway", "docks"], generated=5_000)
    assert held_out
    assert not held_out & {canonical(sentence) for sentence in (*corpus.questions, *corpus.plain)}


def test_a_held_out_wording_that_a_word_or_phrase_would_repeat_is_dropped() -> None:
    bank = QuestionBank([Question("harbor", "explicit", "Marina!", "unseen_wording")])
    corpus = build_corpus(bank, ["marina", "runway"], generated=0)
    assert "runway" in corpus.plain
    assert "marina" not in corpus.plain  # a word of the list and a place of the lexicon


def test_associations_of_held_out_kinds_teach_nothing(bank: QuestionBank) -> None:
    assert not {(a.category, a.kind) for a in bank.associations} & HELD_OUT_KINDS


def test_no_association_repeats_a_held_out_question_of_its_category(bank: QuestionBank) -> None:
    small = set(SMALL_WORDS.split())
    held_out = [(q.category, set(canonical(q.text).split())) for q in bank.questions if q.split != "seen"]
    for association in bank.associations:
        words = set(canonical(association.phrase).split()) - small
        if len(words) >= 4:
            shared = max(len(words & text) for category, text in held_out if category == association.category)
            assert shared < len(words), association


def test_a_wording_of_two_categories_keeps_both() -> None:
    asked = taught_questions(
        QuestionBank([Question("ship", "explicit", "Vessels", "seen"), Question("harbor", "explicit", "vessels?", "seen")])
    )
    assert asked == {"Vessels": frozenset({"ship", "harbor"})}


def test_the_corpus_is_reproducible_and_says_nothing_twice(bank: QuestionBank) -> None:
    first, second = (build_corpus(bank, ["runway"], generated=500) for _ in range(2))
    assert first == second
    for part in (first.questions, first.plain):
        assert len({canonical(sentence) for sentence in part}) == len(part)


def test_whole_words_leave_out_pieces_numbers_and_marks() -> None:
    assert whole_words(["[CLS]", "the", "##ing", "1999", "of", "a", "harbour", "café"]) == ["the", "harbour"]
