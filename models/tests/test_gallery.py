"""The gallery's listed cases, and what counts as a failure at a point."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from segmenter.commands.evaluate import SCENES
from segmenter.data.shards import Pixels
from segmenter.report.gallery import Case, ask_cases, failures, picture, read_cases, row_column


class LeftHalf:
    """Answers the left half of every window."""

    def logits(self, pixels: Pixels, texts: list[str]) -> torch.Tensor:
        mask = torch.full((len(texts), 16, 16), -5.0)
        mask[:, :, :8] = 5.0
        return mask


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    Image.fromarray(np.full((100, 100, 3), 90, np.uint8)).save(tmp_path / "a.png")
    return tmp_path


def test_points_are_judged_where_they_lie(scenes: Path) -> None:
    box = (20, 40, 60, 80)  # its left half ends at column 40
    cases = [
        Case("a.png", box, "right", ((25, 45),), ((55, 75),)),
        Case("a.png", box, "missed", ((50, 50), (25, 50)), ()),
        Case("a.png", box, "false", ((25, 50),), ((30, 60), (50, 60))),
        Case("a.png", box, "absent", (), ()),
    ]
    shown = ask_cases(LeftHalf(), 64, scenes, cases)
    assert [one.wrong for one in shown] == [0.0, 0.5, pytest.approx(1 / 3), 1.0]
    assert [one.verdict.split(":")[0] for one in shown] == [
        "",
        "missed at 1 of 2 points",
        "false at 1 of 2 points",
        "false alarm",
    ]
    assert [one.case.question for one in failures(shown, 2)] == ["absent", "missed"]
    image = Image.open(io.BytesIO(picture(shown[1])))
    assert image.size == (288, 288)
    left, right = np.asarray(image)[250, 20], np.asarray(image)[250, 270]
    assert left[0] > 130 > left[1] and abs(int(right[0]) - 90) < 12  # magenta over grey, and grey
    assert row_column(cases[0], (20, 40), 64) == (0, 0) and row_column(cases[0], (59, 79), 64) == (63, 63)


def test_listed_cases_show_scenes_that_are_there() -> None:
    cases = read_cases()
    assert len(cases) > 20 and any(not case.on for case in cases)
    for case in cases:
        width, height = Image.open(SCENES / case.scene).size
        assert case.box[2] <= width and case.box[3] <= height


@pytest.mark.parametrize(
    ("change", "message"), [({"box": [0, 0, 5, 6]}, "not square"), ({"on": [[9, 2]]}, "point 9, 2 lies outside")]
)
def test_a_case_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    case = {"scene": "a.png", "box": [0, 0, 5, 5], "question": "x", "on": [], "off": []} | change
    (tmp_path / "cases.json").write_text(json.dumps([case]))
    with pytest.raises(ValueError, match=message):
        read_cases(tmp_path / "cases.json")
