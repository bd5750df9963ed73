import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from segmenter.language.bank import Question, QuestionBank
from segmenter.language.distil import (
    DistillationBatches,
    distil,
    distillation_loss,
    load_language,
    new_projection,
    save_language,
    start_from_words,
)
from segmenter.language.sentence_targets import MeaningTargets, category_codes
from segmenter.language.teacher import EmbeddedSentences
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.config import compact
from segmenter.network.network import SegEarthR1

TOPICS = {"ship": ["ships", "sailing boats", "cargo vessels"], "forest": ["a dense wood", "trees", "the pine forest"]}


@pytest.fixture(scope="module")
def tokenizer() -> QuestionTokenizer:
    return QuestionTokenizer.load()


@pytest.fixture(scope="module")
def bank() -> QuestionBank:
    return QuestionBank([Question(c, "explicit", text, "seen") for c, texts in TOPICS.items() for text in texts])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Embedded sentences whose embeddings cluster by topic."""
    path, noise = tmp_path_factory.mktemp("sentences"), np.random.default_rng(0)
    centres = noise.normal(size=(2, 384))
    for name, texts in (("questions", TOPICS), ("plain", {"ship": ["a harbour"], "forest": ["a fox"]})):
        lines = [text for topic in texts.values() for text in topic]
        rows = [centres[n] + 0.3 * noise.normal(size=384) for n, topic in enumerate(texts.values()) for _ in topic]
        unit = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
        np.save(path / f"{name}.npy", unit.astype(np.float16))
        (path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def network() -> SegEarthR1:
    torch.manual_seed(0)
    config = compact(own_vocabulary())
    return SegEarthR1(replace(config, language=replace(config.language, hidden=64, heads=4, layers=2, mlp=128)))


def test_the_loss_is_zero_where_the_target_is_met_and_grows_with_distance() -> None:
    teacher = functional.normalize(torch.randn(8, 384, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert distillation_loss(3 * teacher, teacher).item() == pytest.approx(0, abs=1e-5)
    assert distillation_loss(teacher.flip(0), teacher) > distillation_loss(teacher + 0.02, teacher) > 0


@pytest.mark.parametrize("layers", [False, True])
def test_the_loss_falls(
    network: SegEarthR1, tokenizer: QuestionTokenizer, bank: QuestionBank, folder: Path, layers: bool
) -> None:
    batches = DistillationBatches(folder, tokenizer, bank, batch_size=12)
    losses = distil(network, new_projection(64), batches, rate=3e-3, seconds=math.inf, steps=40, layers=layers)
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_batches_hold_unit_targets_of_reworded_questions(tokenizer: QuestionTokenizer, bank: QuestionBank, folder: Path) -> None:
    batch = DistillationBatches(folder, tokenizer, bank, batch_size=10, question_share=0.5).next()
    assert batch.ids.shape == batch.mask.shape
    assert torch.allclose(batch.teacher.norm(dim=-1), torch.ones(10), atol=1e-4)
    last = batch.ids[torch.arange(10), batch.mask.sum(1) - 1]
    assert (last == tokenizer.seg_id).all()


def test_batches_without_embedded_sentences_say_how_to_make_them(
    tmp_path: Path, tokenizer: QuestionTokenizer, bank: QuestionBank
) -> None:
    with pytest.raises(ValueError, match="python -m segmenter corpus"):
        DistillationBatches(tmp_path, tokenizer, bank, batch_size=4)


def test_a_start_from_words_already_points_at_the_meaning(
    network: SegEarthR1, tokenizer: QuestionTokenizer, bank: QuestionBank, folder: Path
) -> None:
    meaning = DistillationBatches(folder, tokenizer, bank, batch_size=4).meaning
    words, projection = EmbeddedSentences(folder, "plain"), new_projection(64)
    with pytest.raises(ValueError, match="a width of 64"):
        start_from_words(network, projection, tokenizer, words, meaning)
    tokens = [number for number, text in enumerate(tokenizer.token_texts()) if len(text) > 4 and text[1:].isalpha()][:200]
    words.sentences = [tokenizer.decode([token]).strip() for token in tokens]
    noise = np.random.default_rng(0).normal(size=(200, 384))
    words.embeddings = (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float16)
    start_from_words(network, projection, tokenizer, words, meaning)
    found = projection(network.model.embed_tokens(torch.tensor(tokens))) - projection.bias
    likeness = functional.normalize(found, dim=-1) @ meaning.of_sentences(words.embeddings).T
    right = (likeness.argmax(1) == torch.arange(200)).float().mean().item()
    assert right > 0.9  # a chance hit is one in 200


def test_a_saved_language_model_comes_back_and_another_size_is_refused(
    network: SegEarthR1, tokenizer: QuestionTokenizer, bank: QuestionBank, folder: Path, tmp_path: Path
) -> None:
    projection, meaning = new_projection(64), DistillationBatches(folder, tokenizer, bank, batch_size=4).meaning
    save_language(tmp_path / "distil.pt", network, projection, meaning)
    config = network.config
    torch.manual_seed(1)
    other = SegEarthR1(config)
    read, taught = load_language(tmp_path / "distil.pt", other)
    assert taught is not None and meaning.similarity(taught) == pytest.approx(1)
    assert torch.equal(read.weight, projection.weight)
    assert torch.equal(other.model.embed_tokens.weight, network.model.embed_tokens.weight)
    with pytest.raises(ValueError, match="does not fit the network"):
        load_language(tmp_path / "distil.pt", SegEarthR1(replace(config, language=replace(config.language, layers=1))))


def test_targets_pull_questions_of_one_category_together_and_unions_lie_between() -> None:
    codes = category_codes(["large_vehicle", "ship", "small_vehicle", "vehicle"])
    likeness = codes @ codes.T
    assert likeness[3].tolist() == pytest.approx([3**-0.5, 0, 3**-0.5, 1])
    rows = functional.normalize(torch.randn(40, 384, generator=torch.Generator().manual_seed(0)), dim=-1).half().numpy()
    asked = [frozenset({"ship"} if n < 20 else {"road"}) for n in range(40)]
    targets = MeaningTargets(rows, asked).of_questions(rows, asked)
    own, other = targets[:20] @ targets[:20].T, targets[:20] @ targets[20:].T
    assert own.mean() > other.mean() + 0.4


def test_targets_of_other_questions_lie_on_other_axes() -> None:
    rows = functional.normalize(torch.randn(60, 384, generator=torch.Generator().manual_seed(0)), dim=-1).half().numpy()
    asked = [frozenset({"ship"} if n % 2 else {"road"}) for n in range(60)]
    targets = MeaningTargets(rows[:40], asked[:40])
    assert targets.similarity(MeaningTargets(rows[:40], asked[:40]).state()) == pytest.approx(1)
    assert targets.similarity(MeaningTargets(rows, asked).state()) < 0.9
    assert targets.similarity(MeaningTargets(rows[:40], [frozenset({"ship"})] * 40).state()) == 0


def test_targets_refuse_rows_without_a_category() -> None:
    with pytest.raises(ValueError, match="non-empty category sets"):
        MeaningTargets(np.zeros((2, 384), np.float16), [frozenset({"ship"}), frozenset()])
