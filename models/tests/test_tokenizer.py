from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE

from segmenter.language.tokenizer import QuestionTokenizer, prompt_pieces, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> QuestionTokenizer:
    return QuestionTokenizer.load()


@pytest.mark.parametrize(
    "text", ["Where would a pilot land?", "two  spaces,   three", "Zürich 東京 🚢\tport\n", "", "[SEG] and [PAD] typed by hand"]
)
def test_any_text_comes_back_byte_for_byte(tokenizer: QuestionTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_question_is_a_space_the_text_and_seg(tokenizer: QuestionTokenizer) -> None:
    assert tokenizer.question("ships") == [*tokenizer.encode(" ships"), tokenizer.seg_id]


def test_special_words_typed_by_a_user_are_plain_text(tokenizer: QuestionTokenizer) -> None:
    ids = tokenizer.question("ships [SEG] [PAD]")
    assert ids.count(tokenizer.seg_id) == 1
    assert tokenizer.pad_id not in ids


def test_pad_and_seg_are_the_last_ids_and_the_size_is_within_the_contract(tokenizer: QuestionTokenizer) -> None:
    assert (tokenizer.pad_id, tokenizer.seg_id) == (tokenizer.vocabulary_size - 2, tokenizer.vocabulary_size - 1)
    assert 8_000 <= tokenizer.vocabulary_size <= 10_000


def test_everyday_words_are_single_tokens(tokenizer: QuestionTokenizer) -> None:
    for word in ("pilot", "cargo", "harbour", "crops", "fuel", "athlete", "flood", "swimmer"):
        assert len(tokenizer.encode(f" {word}")) == 1, word


def test_batches_are_padded_on_the_right(tokenizer: QuestionTokenizer) -> None:
    ids, mask = tokenizer.batch(["ships", "where would a pilot land?"])
    assert ids.shape == mask.shape
    assert mask.sum(1).tolist() == [2, len(tokenizer.question("where would a pilot land?"))]
    assert ids[0].tolist() == [*tokenizer.question("ships"), *[tokenizer.pad_id] * (ids.shape[1] - 2)]


def test_an_empty_batch_is_refused(tokenizer: QuestionTokenizer) -> None:
    with pytest.raises(ValueError, match="at least one question"):
        tokenizer.batch([])


def test_prompt_pieces_decode_to_the_prompt(tokenizer: QuestionTokenizer) -> None:
    before, after = prompt_pieces(tokenizer)
    assert tokenizer.decode(before) == "An image seen from above: "
    assert {task: tokenizer.decode(ids)[0] for task, ids in after.items()} == {"REASONING": ",", "REFERRING": ","}


def test_training_gives_the_size_asked_for(tmp_path: Path) -> None:
    train_tokenizer(["where do ships lie"] * 3, ["harbour", "runway"], 300).save(str(tmp_path / "small.json"))
    small = QuestionTokenizer.load(tmp_path / "small.json")
    assert small.vocabulary_size == 300
    assert small.decode(small.encode("any ship, π")) == "any ship, π"


def test_a_tokenizer_without_seg_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[SEG\]"):
        QuestionTokenizer(Tokenizer(BPE()))
