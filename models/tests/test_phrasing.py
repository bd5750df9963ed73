import random

import pytest

from segmenter.language.phrasing import LEAD_VERBS, reworded, with_other_lead


@pytest.mark.parametrize(("text", "thing"), [("planes", "planes"), ("Show me all the planes.", "all the planes")])
def test_a_named_thing_gets_another_lead_verb(text: str, thing: str) -> None:
    seen = {with_other_lead(text, random.Random(seed)) for seed in range(300)}
    assert seen <= {f"{lead} {thing}" for lead in LEAD_VERBS}
    assert len(seen) > 10


def test_a_whole_question_keeps_its_words() -> None:
    for seed in range(50):
        assert "where would a pilot land" in with_other_lead("Where would a pilot land?", random.Random(seed)).lower()


def test_rewording_changes_case_and_punctuation_but_no_word_of_the_request() -> None:
    variants = {reworded("tennis courts", random.Random(seed)) for seed in range(100)}
    assert len(variants) > 20
    assert all("tennis courts" in variant.lower() for variant in variants)
