"""The evaluation on windows whose answers are known, its commands end to end, and the calibration of presence."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from held_out_packs import SIDE, Oracle, Silent, held_out, window, write_held_out_packs
from segmenter.__main__ import main
from segmenter.commands.evaluate import command_line
from segmenter.data.frames import full_size
from segmenter.evaluation.baselines import Baselines, category_names
from segmenter.evaluation.estimates import Estimate, score
from segmenter.evaluation.examination import BASELINES, MODEL, Answer, Findings, examine
from segmenter.evaluation.held_out import GROUPS, Wordings
from segmenter.evaluation.metrics import Overlap
from segmenter.language.bank import QuestionBank
from segmenter.language.files import QUESTION_FOLDER
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.mask_generator import joined_logits
from segmenter.network.network import SegEarthR1
from segmenter.report.card import END, START, CardError, graph_table, replaced
from segmenter.report.results import plain
from segmenter.report.service_report import ServiceReportError, agreement_table, read_service_report, require_same_model
from segmenter.training.calibrate import Asked, Setting, best_setting, least_logit, outcome
from training import small

BUNDLED = Path(__file__).parents[1] / "segearth-r1-compact"


@pytest.fixture(scope="module")
def bank() -> QuestionBank:
    return QuestionBank.load()


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    return category_names(QUESTION_FOLDER)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_held_out_packs(tmp_path_factory.mktemp("packs"))


def of(found: Findings, by: str, group: str) -> list[float]:
    return [a.counts.iou for a in found.answers if a.by == by and a.group == group and a.present]


def test_an_oracle_scores_near_one_in_every_group_and_other_words_find_nothing(bank: QuestionBank, names: dict[str, str]) -> None:
    windows = [window("ship", 8), window("plane", 60)]
    wrong = Baselines({}, {q.text: "helicopter" for q in bank.questions}, names)
    found = examine(Oracle(windows, bank, names), held_out(*windows), Wordings(bank), wrong)
    for group in GROUPS:
        scores = score([a for a in found.answers if a.by == MODEL and a.group == group], rounds=20)
        assert scores.objects.value > 0.85  # edges of the coarse logits
        assert scores.empty.value == 1.0 and scores.answered.value == 1.0
    assert {a.category for a in found.answers if a.present} == {"ship", "plane", "aircraft"}
    assert max(of(found, "n-gram text", "implicit_unseen")) == 0.0  # the texts are taken for helicopters
    assert of(found, "random category", "explicit_unseen") == []
    assert max(of(found, "random category", "explicit")) == 0.0  # another category is nowhere else
    assert {a.by for a in found.answers} == {MODEL, *BASELINES}


def test_texts_that_are_told_apart_rightly_score_as_the_plain_name(bank: QuestionBank, names: dict[str, str]) -> None:
    windows = [window("ship", 8)]
    right = Baselines({}, {q.text: q.category for q in bank.questions}, names)
    found = examine(Oracle(windows, bank, names), held_out(*windows), Wordings(bank), right)
    assert of(found, "n-gram text", "implicit_unseen") == of(found, MODEL, "explicit") != []


def test_answers_without_a_model_are_what_they_are_called(bank: QuestionBank, names: dict[str, str]) -> None:
    prior = np.zeros((32, 32), np.bool_)
    prior[2:14, 10:22] = True  # the ship's square, 4 px a cell
    known = Baselines({"ship": prior}, {q.text: "ship" for q in bank.questions}, names)
    found = examine(Silent(), held_out(window("ship", 8), window("plane", 60)), Wordings(bank), known)
    by = {name: of(found, name, "explicit") for name in (MODEL, *BASELINES)}
    assert max(by[MODEL]) == max(by["all background"]) == 0.0
    assert by["whole window"] == [pytest.approx(48 * 48 / SIDE**2)] * 3  # ship; plane and aircraft
    assert by["category prior"] == [pytest.approx(1.0), 0.0, 0.0]
    assert not found.features and not found.masks


def test_wordings_come_from_their_own_split_and_all_are_used(bank: QuestionBank) -> None:
    wordings = Wordings(bank)
    split = {question.text: question.split for question in bank.questions}
    taken = [str(wordings.take("ship", "implicit_unseen", number)) for number in range(400)]
    assert all(split[text] != "seen" for text in taken)
    assert set(taken) == {
        q.text for s in GROUPS["implicit_unseen"][1] for q in bank.select(s, "ship", GROUPS["implicit_unseen"][0])
    }
    assert all(split[str(wordings.take("ship", "explicit", number))] == "seen" for number in range(40))


def test_full_size_interpolates_before_the_threshold() -> None:
    logits = torch.tensor([[[-1.0, 1.0], [-1.0, 1.0]]])
    assert full_size(logits, 8)[0].sum(1).tolist() == [4] * 8


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.pt"
    save_checkpoint(path, small(), SegEarthR1(small()).state_dict())
    return path


def test_one_command_writes_scores_page_and_card(packs: Path, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"# A model\n{START}\nstale\n{END}\nby hand\n")
    page, scores = tmp_path / "page.html", tmp_path / "scores.json"
    main(["evaluate", "--checkpoint", str(checkpoint), "--data", str(packs), "--html", str(page), "--json", str(scores),
          "--card", str(tmp_path)])  # fmt: skip
    report = json.loads(scores.read_text())
    assert set(report["scores"]) == {MODEL, *BASELINES}
    assert set(report["scores"][MODEL]) == set(GROUPS)
    assert set(report["resampled"]) >= {"0.5", "1", "2"}
    card = (tmp_path / "README.md").read_text()
    assert "stale" not in card and card.startswith("# A model\n") and card.endswith(f"{END}\nby hand\n")
    for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", card):
        assert (tmp_path / name).stat().st_size > 500
    assert "| n-gram text |" in card and "## Goals" in card
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.*") if file not in (page, scores)) < 1_000_000
    assert page.read_text().count("<h2>") >= 6
    Image.open(next((tmp_path / "gallery").glob("*.jpg"))).verify()


def test_two_processes_find_what_one_finds(packs: Path, checkpoint: Path, tmp_path: Path) -> None:
    reports = []
    for processes in ("1", "2"):
        file = tmp_path / f"{processes}.json"
        main(["evaluate", "--checkpoint", str(checkpoint), "--data", str(packs), "--quick", "--json", str(file),
              "--processes", processes])  # fmt: skip
        reports.append(json.loads(file.read_text()))
    assert reports[0] == reports[1]
    assert set(reports[0]["scores"]) == {MODEL}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--split", "exam"], "--split exam: must be validation or calibration"),
        (["--every", "0"], "--every 0: must be at least 1"),
        (["--card", "nowhere"], "--card: nowhere/README.md must contain the lines"),
        (["--split", "calibration"], "have no calibration window with a question"),
    ],
)
def test_options_that_do_not_fit_are_named(packs: Path, checkpoint: Path, options: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(message)):
        main(["evaluate", "--checkpoint", str(checkpoint), "--data", str(packs), *options])


def test_the_block_of_a_card_has_its_marks_once_and_in_order() -> None:
    where = Path("README.md")
    assert replaced(f"a\n{START}\nold\n{END}\nb", "new", where) == f"a\n{START}\n\nnew\n\n{END}\nb"
    for text in ("", START, f"{END}\n{START}", f"{START}{END}{START}"):
        with pytest.raises(CardError, match="once each, in this order"):
            replaced(text, "new", where)


def test_the_bundled_cards_graphs_are_those_of_its_manifest() -> None:
    table = graph_table(BUNDLED / "1")
    sizes = [(BUNDLED / "1" / f"{row[0]}.onnx").stat().st_size for row in table[1:]]
    assert [float(row[2]) for row in table[1:]] == [pytest.approx(size / 1e6, abs=0.05) for size in sizes]
    replaced((BUNDLED / "README.md").read_text(), "", BUNDLED)  # the marks are there


def test_the_command_in_a_card_names_no_place_of_this_machine() -> None:
    words = ["evaluate", "--model", "m/1", "--data", "/somewhere/packs", "--html", "/x/y.html", "--every", "3"]
    assert command_line(words) == "python -m segmenter evaluate --model m/1 --data .data --html report.html --every 3"


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
    found = plain({"a": float("nan"), "b": {"c": 1 / 3, "d": 3}, "e": [float("nan"), 1.0], "f": Estimate(0.25)})
    assert found == {"a": None, "b": {"c": 0.3333, "d": 3}, "e": [None, 1.0], "f": [0.25, None, None]}


def test_the_least_logit_is_where_the_joined_logit_turns_positive() -> None:
    presence, mask = torch.linspace(-4, 4, 41), torch.linspace(-9, 9, 73)
    joined = joined_logits(mask[None], presence[:, None])
    assert torch.equal(joined > 0, mask[None] > least_logit(presence)[:, None])


def test_answers_of_the_service_are_joined_by_window_and_words(tmp_path: Path) -> None:
    answers = [Answer(MODEL, n, "isaid", "p", "ship", "explicit", n < 2, f"q{n}", Overlap(5, 10, 5), 99) for n in range(3)]
    found = [
        {"sample": f"isaid-{n}-ship-explicit", "question": f"q{n}", "iouScene": 0.5 + 0.3 * (n == 1), "predictedPixels": 0}
        for n in range(3)
    ]
    report = {
        "model": {"id": "m/1", "sha256": hashlib.sha256(b"{}").hexdigest()},
        "dataset": {"name": "held-out"},
        "answers": found,
    }
    (tmp_path / "service.json").write_text(json.dumps(report))
    service = read_service_report(tmp_path / "service.json")
    agreement = agreement_table(service, answers)
    assert agreement.joined == 3
    assert agreement.table[-1] == ["all", "3", "50.0", "65.0", "50.0", "65.0", "100.0", "0.0", "10.0", "33.3"]
    (tmp_path / "manifest.json").write_text("{}")
    require_same_model(service, tmp_path)
    (tmp_path / "manifest.json").write_text('{"version": "2"}')
    with pytest.raises(ServiceReportError, match="the service answered with m/1, manifest"):
        require_same_model(service, tmp_path)
    with pytest.raises(ServiceReportError, match="none of the 3 answers about 'held-out'"):
        agreement_table(service, [replace(answer, text="other words") for answer in answers])
    (tmp_path / "service.json").write_text("{}")
    with pytest.raises(ServiceReportError, match="is not output of `terraql evaluate --json`"):
        read_service_report(tmp_path / "service.json")
