"""A model on labelled data sets: the figures against a slow twin, what is left out, what may stand beside published scores."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from images import png
from segmenter.__main__ import main
from segmenter.data.dataset_folder import write_folder
from segmenter.data.letterbox import Pixels, letterbox, letterbox_geometry
from segmenter.data.pack import DUBAI_COLOURS, ISAID_CLASSES, EncodedImage, write_pack
from segmenter.data.readers import open_dataset
from segmenter.data.samples import DataSet, DataSetError, Sample
from segmenter.evaluation.benchmark import Answered, ask_all
from segmenter.evaluation.held_out import GROUPS
from segmenter.evaluation.intervals import half_width
from segmenter.evaluation.metrics import PRECISION_AT, summary
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.config import Task
from segmenter.network.network import SegEarthR1
from segmenter.report.report import make_report, text_report
from segmenter.report.report_page import html_page
from segmenter.report.report_pictures import shelves
from segmenter.report.report_published import ModelFacts, published_rows, why_not_comparable
from test_readers import HEIGHT, WIDTH, earthreason, own, refsegrs, rrsisd, save, square
from tiny import tiny

SIDE = 64
COMPACT = ModelFacts("segearth-r1-compact", "1", SIDE, None, {})
OFFICIAL = ModelFacts("segearth-r1", "1", 1024, "earth-insights/SegEarth-R1-EarthReason", {"model.safetensors": "ab"})


class Bright:
    """Answers with the pixels brighter than a limit that the question's length sets; one logit for each 4 x 4 pixels."""

    side = SIDE

    def __init__(self) -> None:
        self.asked: list[tuple[Task | None, list[str]]] = []

    def logits(self, pixels: Pixels, texts: list[str], task: Task | None = None) -> torch.Tensor:
        self.asked.append((task, texts))
        means = pixels.reshape(SIDE // 4, 4, SIDE // 4, 4, 3).mean((1, 3, 4))
        return torch.from_numpy(np.stack([means - 60 - 3 * len(text) for text in texts])).float()


def random_set(count: int) -> DataSet:
    """Samples of every size and shape, one in three without a target, some labels with the value 2."""
    rng = np.random.default_rng(5)
    samples = []
    for number in range(count):
        height, width = int(rng.integers(20, 90)), int(rng.integers(20, 90))
        labels = (rng.random((height, width)) < 0.3).astype(np.uint8) * (0 if number % 3 == 0 else 1)
        labels[labels > 0] += rng.random(int((labels > 0).sum())) < 0.1
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        questions = ("water", "where could a boat go")[: 1 + number % 2]
        samples.append(
            Sample(str(number), str(number), partial(np.asarray, pixels), partial(np.asarray, labels), questions, "REASONING",
                   category=("lake", "river")[number % 2])
        )  # fmt: skip
    return DataSet("random", "val", Path(), samples)


def slow_window(sample: Sample, logits: torch.Tensor) -> tuple[int, int, float]:
    """Intersection, union and IoU in the window as section 6.2 says it, one pixel at a time."""
    labels = sample.labels()
    height, width = labels.shape
    place = letterbox_geometry(height, width, SIDE)
    shown = torch.nn.functional.interpolate(logits[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0]
    intersection = predicted = target = 0
    for y in range(SIDE):
        for x in range(SIDE):
            row, column = y - place.top, x - place.left
            value = 0
            if 0 <= row < place.height and 0 <= column < place.width:
                at_row = min(int(row * (1 / (place.height / height))), height - 1)
                at_column = min(int(column * (1 / (place.width / width))), width - 1)
                value = int(labels[at_row, at_column])
            answer = float(shown[y, x]) > 0
            intersection += answer and value == 1
            predicted += answer
            target += value == 1
    union = predicted + target - intersection
    return intersection, union, 1.0 if union == 0 else intersection / (union + 1e-5)


def test_scores_in_the_window_equal_the_loop_over_pixels() -> None:
    dataset, answerer = random_set(9), Bright()
    answered = ask_all(answerer, dataset)
    assert len(answered) == 9 + 4
    twins = []
    for one in answered:
        window = letterbox(one.sample.pixels(), SIDE)
        twins.append(slow_window(one.sample, answerer.logits(window, [one.asked.question])[0]))
        assert (one.asked.window.intersection, one.asked.window.union) == twins[-1][:2]
    first = [twin for twin, one in zip(twins, answered, strict=True) if one.asked.first]
    found: Any = summary([one.asked for one in answered if one.asked.first])["window"]
    ious = [iou for *_, iou in first]
    assert found["gIoU"] == pytest.approx(sum(ious) / len(ious))
    assert found["cIoU"] == pytest.approx(sum(i for i, *_ in first) / (sum(u for _, u, _ in first) + 1e-10))
    for limit in PRECISION_AT:
        assert found["precision"][str(limit)] == pytest.approx(sum(iou > limit for iou in ious) / len(ious))


def test_absent_targets_are_counted_apart_at_the_size_of_the_image() -> None:
    answered = ask_all(Bright(), random_set(9))
    found: Any = summary([one.asked for one in answered])
    absent = [one for one in answered if not one.sample.labels().any()]
    predicted = [one.asked.scene.predicted for one in absent]
    assert found["absent"]["questions"] == len(absent) and found["present"]["questions"] == len(answered) - len(absent)
    assert found["absent"]["emptyAccuracy"] == pytest.approx(sum(p == 0 for p in predicted) / len(absent))
    assert found["absent"]["falseAlarmRate"] == pytest.approx(sum(p > 0 for p in predicted) / len(absent))
    areas = [p / one.sample.labels().size for p, one in zip(predicted, absent, strict=True)]
    assert found["absent"]["falseAlarmArea"] == pytest.approx(sum(areas) / len(areas))
    nothing: Any = summary([])
    assert nothing["window"]["gIoU"] is None and nothing["absent"]["falseAlarmRate"] is None


def test_the_interval_of_independent_answers_is_that_of_a_mean_and_wider_for_clusters() -> None:
    values = np.random.default_rng(2).random(400).tolist()
    alone = half_width(values, [str(n) for n in range(400)])
    assert alone == pytest.approx(1.96 * np.std(values, ddof=1) / 20, rel=1e-9)
    doubled = half_width([v for v in values for _ in range(2)], [str(n) for n in range(400) for _ in range(2)])
    assert doubled == pytest.approx(alone)  # asking twice about the same image adds nothing
    assert half_width([0.5], ["a"]) is None


def test_the_interval_is_the_one_that_the_service_prints() -> None:
    # The same answers are scored in test/evaluation/scores.test.ts.
    assert half_width([0.1, 0.4, 0.4, 0.9, 0.7], ["a", "a", "b", "c", "c"]) == pytest.approx(0.37803110983092386, rel=1e-12)


def test_questions_of_one_image_are_put_together_with_their_task(tmp_path: Path) -> None:
    answerer = Bright()
    answered = ask_all(answerer, open_dataset("folder", own(tmp_path), ""))
    assert answerer.asked == [("REASONING", ["ships"]), ("REFERRING", ["planes"])] or answerer.asked == [
        ("REFERRING", ["planes"]),
        ("REASONING", ["ships"]),
    ]
    planes = next(one.asked for one in answered if one.asked.question == "planes")
    assert planes.pixels == HEIGHT * WIDTH - 60  # unlabelled pixels do not count
    assert [one.asked.question for one in ask_all(Bright(), random_set(2), limit=1, every_question=False)] == ["water"]


def test_a_label_of_another_size_and_a_broken_image_are_left_out_and_named(tmp_path: Path) -> None:
    folder = earthreason(tmp_path)
    save(square()[:5], folder / "labels" / "0.png")
    dataset = open_dataset("earthreason", tmp_path, "val")
    assert len(ask_all(Bright(), dataset)) == 1
    assert dataset.problems[1:] == [f"0: label is {WIDTH} x 5 px, the image {WIDTH} x {HEIGHT} px"]
    (folder / "images" / "1.png").write_bytes(b"broken")
    with pytest.raises(DataSetError, match=r"no sample of .* could be read; first problem: 2 is not in labels"):
        ask_all(Bright(), open_dataset("earthreason", tmp_path, "val"))


def test_every_layout_can_be_asked(tmp_path: Path) -> None:
    assert len(ask_all(Bright(), open_dataset("refsegrs", refsegrs(tmp_path), "test"))) == 2
    assert len(ask_all(Bright(), open_dataset("rrsisd", rrsisd(tmp_path), "test"))) == 2


def test_only_official_weights_on_their_own_whole_data_set_may_stand_beside_published_scores() -> None:
    assert why_not_comparable(OFFICIAL, "EarthReason", "val", True) is None
    reasons = [
        why_not_comparable(COMPACT, "EarthReason", "val", True),
        why_not_comparable(dataclasses.replace(OFFICIAL, release=None), "EarthReason", "val", True),
        why_not_comparable(OFFICIAL, "RRSIS-D", "val", True),
        why_not_comparable(OFFICIAL, "RefSegRS", "val", True),
        why_not_comparable(OFFICIAL, "EarthReason", "train", True),
        why_not_comparable(OFFICIAL, "EarthReason", "val", False),
    ]
    assert [str(reason)[:24] for reason in reasons] == [
        "segearth-r1-compact is n", "the weights are not know", "earth-insights/SegEarth-",
        "no weights were released", "split train has no publi", "only a part of the split",
    ]  # fmt: skip
    own_row = published_rows("EarthReason", "test")[-1]
    assert (own_row.method, own_row.g_iou, own_row.c_iou) == ("SegEarth-R1", 70.75, 68.25)


def named(answered: list[Answered], dataset: str) -> DataSet:
    return DataSet(dataset, "val", Path(), [one.sample for one in answered])


def test_the_report_sets_published_rows_beside_official_weights_only() -> None:
    answered = ask_all(Bright(), random_set(6))
    beside = make_report(OFFICIAL, named(answered, "EarthReason"), answered, True)
    assert "measured here" in text_report(beside) and "PSALM" in html_page(beside, answered)
    alone = make_report(COMPACT, named(answered, "EarthReason"), answered, True)
    text = text_report(alone)
    assert "not set beside published scores: segearth-r1-compact is not the published network" in text
    assert "PSALM" not in text and "PSALM" not in html_page(alone, answered)
    assert set(alone["categories"]) == {"lake", "river"} and "lake" in text


def test_pictures_show_best_median_worst_and_false_alarms_once_each() -> None:
    answered = ask_all(Bright(), random_set(30))
    found = {shelf.title: [case.sample.name for case in shelf.cases] for shelf in shelves(answered)}
    assert list(found) == ["Best", "Median", "Worst", "Largest false alarms"]
    names = [name for part in found.values() for name in part]
    assert len(names) == len(set(names))
    ious = {one.sample.name: one.asked.scene.iou for one in answered if one.asked.first and one.asked.target}
    ranked = sorted(ious, key=lambda name: -ious[name])
    assert found["Best"] == ranked[:6] and found["Worst"] == ranked[::-1][:6]
    assert abs(ranked.index(found["Median"][2]) - len(ranked) / 2) < 2
    page = html_page(make_report(COMPACT, random_set(1), answered, True), answered)
    assert page.count("data:image/jpeg;base64,") == len(names)


def test_the_page_escapes_what_a_data_set_says() -> None:
    dataset = random_set(3)
    dataset.samples[1] = dataclasses.replace(dataset.samples[1], questions=("<script>alert(1)</script>",))
    answered = ask_all(Bright(), dataset)
    page = html_page(make_report(COMPACT, dataset, answered, True), answered)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_an_exported_data_set_asks_the_same(tmp_path: Path) -> None:
    source = open_dataset("rrsisd", rrsisd(tmp_path / "in"), "test")
    assert write_folder(source.samples, tmp_path / "out", "RRSIS-D (test)") == []
    (copy,) = open_dataset("folder", tmp_path / "out", "").samples
    (sample,) = source.samples
    assert (copy.questions, copy.task, copy.category) == (sample.questions, "REFERRING", "vehicle")
    assert np.array_equal(copy.labels(), sample.labels() > 0) and np.array_equal(copy.pixels(), sample.pixels())
    with pytest.raises(DataSetError, match="is not empty"):
        write_folder(source.samples, tmp_path / "out", "again")
    again = open_dataset("folder", own(tmp_path / "own"), "")
    write_folder(again.samples, tmp_path / "second", "Quays")
    second = open_dataset("folder", tmp_path / "second", "").samples[1]
    assert second.known is not None and np.count_nonzero(~second.known()) == 60


def test_held_out_windows_of_packs_become_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.zeros((160, 160), np.uint16)
    labels[30:90, 40:100] = 1 << ISAID_CLASSES.index("plane")
    grey = png(np.full((160, 160, 3), 80, np.uint8))
    write_pack(iter([EncodedImage("v0", "validation", grey, labels, None)]), ISAID_CLASSES, tmp_path / "packs" / "isaid")
    for name, classes in (("dubai", tuple(DUBAI_COLOURS)), ("epfl", ("road",)), ("rsscn7", ()), ("aid", ())):
        write_pack(iter([]), classes, tmp_path / "packs" / name)
    out = tmp_path / "held-out"
    command = ["export-dataset", "--dataset", "packs", "--data", str(tmp_path / "packs"), "--side", "128"]
    main([*command, "--out", str(out)])
    dataset = open_dataset("folder", out, "")
    assert dataset.problems == [] and {sample.group for sample in dataset.samples} == set(GROUPS)
    plane = next(sample for sample in dataset.samples if (sample.category, sample.group) == ("plane", "explicit"))
    assert plane.pixels().shape == (128, 128, 3) and plane.labels().sum() == 60 * 60
    gone = [sample for sample in dataset.samples if not sample.labels().any()]
    assert gone and all(sample.category not in ("plane", "aircraft") for sample in gone)
    assert len({sample.image for sample in dataset.samples}) == 4  # 160 px are covered by two windows a side
    with pytest.raises(SystemExit, match=r"segmenter export-dataset: .*index\.json"):
        main(["export-dataset", "--dataset", "packs", "--data", str(tmp_path), "--out", str(tmp_path / "other")])


def test_the_command_prints_the_table_and_writes_json_and_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    network = SegEarthR1(tiny())
    save_checkpoint(tmp_path / "tiny.pt", network.config, network.state_dict())
    earthreason(tmp_path / "data")
    files = {name: tmp_path / f"report.{name}" for name in ("json", "html")}
    command = [
        "evaluate",
        "--dataset",
        "earthreason",
        "--data",
        str(tmp_path / "data"),
        "--checkpoint",
        str(tmp_path / "tiny.pt"),
    ]
    main([*command, "--json", str(files["json"]), "--html", str(files["html"])])
    report = json.loads(files["json"].read_text(encoding="utf-8"))
    assert (report["firstQuestion"]["questions"], report["allQuestions"]["questions"]) == (2, 3)
    assert report["dataset"]["leftOut"] == ["2 is not in labels"] and report["published"]["rows"] == []
    printed = capsys.readouterr().out
    assert "left out: 1; first problem: 2 is not in labels" in printed and "not set beside published scores: tiny" in printed
    assert "Where to land?" in files["html"].read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match="segmenter evaluate: no EarthReason data"):
        main([*command, "--split", "test"])
    with pytest.raises(SystemExit, match="--limit 0: must be at least 1"):
        main([*command, "--limit", "0"])
