"""The evaluation on windows whose answers are known: an oracle scores 1, silence is empty, and calibration finds its bias."""

import numpy as np
import pytest
import torch

from segmenter.calibrate import Asked, Setting, best_setting, least_logit, outcome
from segmenter.dataset import BIT, Window, bits
from segmenter.evaluate import GROUPS, Wordings, answers, baselines, score, table, without_nan
from segmenter.frames import full_size
from segmenter.mask_generator import joined_logits
from segmenter.questions import ISAID_OBJECTS, QuestionBank
from segmenter.shards import Pixels

SIDE = 128


def window(category: str, top: int) -> Window:
    """A window that shows one square of 48 px and decides all objects."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[top : top + 48, 40:88] = BIT[category]
    return Window(np.full((SIDE, SIDE, 3), top, np.uint8), labels, np.full((SIDE, SIDE), bits(ISAID_OBJECTS), np.int32))


class Oracle:
    """Answers from the labels: finds the window by its grey value and the category by the question's text."""

    def __init__(self, windows: list[Window], bank: QuestionBank) -> None:
        self.windows = {int(w.pixels[0, 0, 0]): w for w in windows}
        self.category = {question.text: question.category for question in bank.questions}

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        labels = self.windows[int(pixels[0, 0, 0])].labels[2::4, 2::4]
        masks = [(labels & bits([self.category[text]])) != 0 for text in texts]
        return torch.from_numpy(np.stack(masks)).float() * 20 - 10


class Silent:
    """Answers nothing."""

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        return torch.full((len(texts), SIDE // 4, SIDE // 4), -3.0)


@pytest.fixture(scope="module")
def bank() -> QuestionBank:
    return QuestionBank.load()


def test_an_oracle_scores_near_one_in_every_group(bank: QuestionBank) -> None:
    windows = [window("ship", 8), window("plane", 60)]
    found = list(answers(Oracle(windows, bank), (("isaid", w) for w in windows), Wordings(bank)))
    for group in GROUPS:
        scores = score(found, group)
        assert scores["objects"] > 0.85  # edges of the coarse logits
        assert scores["absentEmpty"] == 1.0 and scores["presentAnswered"] == 1.0
    assert {a.category for a in found if a.present} == {"ship", "plane", "aircraft"}


def test_silence_is_all_background(bank: QuestionBank) -> None:
    windows = [window("ship", 8), window("plane", 60)]
    found = list(answers(Silent(), (("isaid", w) for w in windows), Wordings(bank)))
    scores = {group: score(found, group) for group in GROUPS}
    assert scores["explicit"]["objects"] == 0.0 and scores["explicit"]["absentEmpty"] == 1.0
    assert baselines(found, SIDE) == {"allBackground": 0.0, "wholeWindow": pytest.approx(48 * 48 / SIDE**2)}
    assert "15 objects" in table(scores)


def test_wordings_come_from_their_own_split(bank: QuestionBank) -> None:
    wordings = Wordings(bank)
    split = {question.text: question.split for question in bank.questions}
    for _ in range(40):
        assert split[str(wordings.take("ship", "implicit_unseen"))] != "seen"
        assert split[str(wordings.take("ship", "explicit"))] == "seen"


def test_full_size_interpolates_before_the_threshold() -> None:
    logits = torch.tensor([[[-1.0, 1.0], [-1.0, 1.0]]])
    assert full_size(logits, 8)[0].sum(1).tolist() == [4] * 8


def test_calibration_keeps_the_overlap_and_empties_the_rest() -> None:
    generator = torch.Generator().manual_seed(0)
    present = torch.arange(40) % 2 == 0
    target = torch.zeros(40, 8, 8, dtype=torch.bool)
    target[present, 2:6, 2:6] = True
    shape = torch.full((8, 8), -4.0)
    shape[2:6, 2:6] = 4.0  # the same mask everywhere: only the presence score can tell the absent ones
    presence = torch.where(present, 3.0, 1.0) + 0.1 * torch.randn(40, generator=generator)
    asked = Asked(shape.expand(40, 8, 8), presence, torch.zeros(40), target, torch.ones_like(target), present)
    assert outcome(asked, Setting()) == (1.0, 0.0)
    iou, empty = outcome(asked, best_setting(asked, 0.9))
    assert iou == 1.0 and empty >= 0.9
    with pytest.raises(ValueError, match="no bias"):
        best_setting(asked, 1.1)


def test_reports_are_plain_json() -> None:
    assert without_nan({"a": float("nan"), "b": {"c": 0.5, "d": 3}}) == {"a": None, "b": {"c": 0.5, "d": 3}}


def test_the_least_logit_is_where_the_joined_logit_turns_positive() -> None:
    presence, mask = torch.linspace(-4, 4, 41), torch.linspace(-9, 9, 73)
    joined = joined_logits(mask[None], presence[:, None])
    assert torch.equal(joined > 0, mask[None] > least_logit(presence)[:, None])
