"""Scores and their intervals against slow twins that draw and count one by one."""

import math

import numpy as np
import pytest

from segmenter.evaluation.estimates import LAND_COVER, score, share_of
from segmenter.evaluation.examination import MODEL, Answer
from segmenter.evaluation.intervals import bootstrap_weights
from segmenter.evaluation.metrics import Overlap
from segmenter.language.bank import ISAID_OBJECTS
from segmenter.report.score_tables import answerer_table, category_table, goal_table


def some_answers(seed: int = 0) -> list[Answer]:
    """120 answers about 12 images of two sources, present and absent, of five categories."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(120):
        source, category = (("isaid", "ship"), ("isaid", "plane"), ("isaid", "vehicle"), ("dubai", "water"), ("dubai", "road"))[
            int(rng.integers(5))
        ]
        present, predicted = bool(rng.random() < 0.6), int(rng.integers(0, 40))
        target = int(rng.integers(1, 50)) if present else 0
        shared = int(rng.integers(0, min(predicted, target) + 1))
        counts = Overlap(shared, predicted + target - shared, predicted)
        image = f"p{rng.integers(6)}"
        found.append(Answer(MODEL, number, source, image, category, "explicit", present, "?", counts, 1000))
    return found


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan


def slow_scores(answers: list[Answer], drawn: dict[tuple[str, str], int]) -> dict[str, float]:
    """The obvious way: every answer as often as its image was drawn, then means."""
    repeated = [a for a in answers for _ in range(drawn[a.source, a.image])]

    def iou(names: tuple[str, ...]) -> list[float]:
        return [a.counts.iou for a in repeated if a.present and a.category in names]

    def classes(names: tuple[str, ...]) -> float:
        means = [mean(iou((name,))) for name in names]
        return mean([value for value in means if not math.isnan(value)])

    return {
        "objects": classes(ISAID_OBJECTS),
        "object_questions": mean(iou(ISAID_OBJECTS)),
        "land_cover": classes(LAND_COVER),
        "land_cover_questions": mean(iou(LAND_COVER)),
        "empty": mean([float(a.counts.predicted == 0) for a in repeated if not a.present]),
        "answered": mean([float(a.counts.predicted > 0) for a in repeated if a.present]),
        "ship": mean(iou(("ship",))),
    }


def test_scores_and_intervals_equal_drawing_and_counting_one_by_one() -> None:
    answers = some_answers()
    found = score(answers, rounds=60, seed=4)
    images = sorted({(a.source, a.image) for a in answers})
    rounds = [
        slow_scores(answers, dict(zip(images, row.astype(int).tolist(), strict=True)))
        for row in bootstrap_weights(images, rounds=60, seed=4)
    ]
    for name in rounds[0]:
        mine = found.categories["ship"].iou if name == "ship" else getattr(found, name)
        values = [one[name] for one in rounds[1:] if not math.isnan(one[name])]
        assert mine.value == pytest.approx(rounds[0][name]), name
        assert (mine.low, mine.high) == pytest.approx(tuple(np.percentile(values, (2.5, 97.5)))), name


def test_each_source_keeps_its_number_of_images_in_every_round() -> None:
    images = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")]
    drawn = bootstrap_weights(images, rounds=50)
    assert drawn[0].tolist() == [1, 1, 1, 1]
    assert (drawn[:, :3].sum(1) == 3).all() and (drawn[:, 3] == 1).all()
    assert np.array_equal(drawn, bootstrap_weights(images, rounds=50))
    assert not np.array_equal(drawn, bootstrap_weights(images, rounds=50, seed=1))


def test_one_image_has_a_value_but_no_interval() -> None:
    counts = Overlap(5, 10, 5)
    found = score([Answer(MODEL, 0, "isaid", "p", "ship", "explicit", True, "?", counts, 100)])
    assert found.objects.value == pytest.approx(0.5)
    assert math.isnan(found.objects.low) and math.isnan(found.empty.value)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        answers = [
            Answer(MODEL, n, "isaid", f"p{n}", "ship", "explicit", True, "?", Overlap(int(hit), 100, int(hit)), 1000)
            for n, hit in enumerate(rng.integers(0, 101, 40))
        ]
        interval = score(answers, rounds=300).object_questions
        covered += interval.low <= 0.5 <= interval.high
    assert covered >= 52


def test_tables_name_the_goals_and_every_category() -> None:
    scores = {MODEL: {group: score(some_answers(n), rounds=10) for n, group in enumerate(("explicit", "implicit_unseen"))}}
    goals = goal_table(scores[MODEL])
    kept = share_of(scores[MODEL]["implicit_unseen"], scores[MODEL]["explicit"])
    assert goals[4][2] == f"{100 * kept:.1f}" and {row[3] for row in goals[1:]} <= {"yes", "no"}
    assert [row[0] for row in answerer_table(scores)[1:]] == [MODEL]
    assert {row[0] for row in category_table(scores[MODEL])[1:]} == {"ship", "plane", "vehicle", "water", "road"}
