"""Hard negatives: what counts as a false alarm, where it is, and that training goes there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from segmenter.__main__ import main
from segmenter.data.mixture import FALSE_ALARMS_FILE, Mixture
from segmenter.data.windows import BIT, CATEGORIES, Window, bits
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.network import SegEarthR1
from segmenter.training.mine import MOST_A_PICTURE, false_alarms
from tiny import tiny_lite
from training import write_packs


def window(here: list[str], known: list[str]) -> Window:
    labels = np.full((32, 32), bits(here), np.int32)
    return Window(np.zeros((32, 32, 3), np.uint8), labels, np.full((32, 32), bits(known), np.int32))


def test_only_what_is_decided_to_be_absent_is_a_false_alarm() -> None:
    logits = torch.full((len(CATEGORIES), 8, 8), -4.0)
    for name, row, strength in (("plane", 2, 3.0), ("ship", 5, 6.0), ("water", 1, 9.0), ("harbor", 3, 8.0)):
        logits[CATEGORIES.index(name), row, :] = strength
        logits[CATEGORIES.index(name), row + 1, :] = strength
        logits[CATEGORIES.index(name), row, 4] += 1
    found = false_alarms(logits, window(["harbor"], ["plane", "ship", "harbor", "bridge"]))
    assert [(row, column) for _, row, column in found] == [(5, 4), (2, 4)] and found[0][0] > found[1][0] > 0
    partly = window([], ["plane", "ship"])
    partly.known[0, 0] = BIT["plane"]
    assert [(row, column) for _, row, column in false_alarms(logits, partly)] == [(2, 4)]


def test_the_strongest_few_of_a_picture_are_kept() -> None:
    logits = torch.arange(1, len(CATEGORIES) + 1).float()[:, None, None].expand(-1, 8, 8)
    found = false_alarms(logits, window([], list(CATEGORIES)))
    assert [strength for strength, _, _ in found] == [float(len(CATEGORIES) - n) for n in range(MOST_A_PICTURE)]


def test_mining_writes_places_and_training_draws_around_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_packs(tmp_path / "packs")
    config = replace(tiny_lite(), language=replace(tiny_lite().language, max_positions=256))
    torch.manual_seed(0)
    network, head = SegEarthR1(config), nn.Conv2d(16, len(CATEGORIES), 1)
    nn.init.constant_(head.weight, 0.0)
    assert head.bias is not None
    nn.init.constant_(head.bias, -5.0)
    head.bias.data[CATEGORIES.index("ship")] = 2.0  # seen everywhere, though there are planes alone
    heads = {f"dense.{name}": value.detach() for name, value in head.named_parameters()}
    save_checkpoint(tmp_path / "v.pt", config, network.state_dict(), heads=heads)
    main(["mine", "--checkpoint", str(tmp_path / "v.pt"), "--data", str(data), "--source", "isaid", "--every", "2"])
    assert "isaid: false alarms in 2 images" in capsys.readouterr().out
    places = json.loads((data / FALSE_ALARMS_FILE).read_text())
    assert set(places) == {"isaid"} and set(places["isaid"]) == {"t0", "t2"}
    (data / FALSE_ALARMS_FILE).write_text(json.dumps({"isaid": {"t1": [[8, 150]]}, "landsat": {}}))
    mixture = Mixture(data, 32)
    assert set(mixture.alarms) == {"isaid"}
    labelled, rng = mixture.labelled["isaid"], np.random.default_rng(0)
    picture = labelled.source.pixels(labelled.source.entries[1])
    for _ in range(20):
        drawn = labelled.draw_at(rng, mixture.alarms["isaid"])
        assert abs(float(drawn.pixels.mean()) - float(picture[:40, 120:].mean())) < 3
    with pytest.raises(KeyError, match="t9"):
        labelled.draw_at(rng, {"t9": [(1, 1)]})


def test_a_checkpoint_without_a_dense_head_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "v.pt", tiny_lite(), SegEarthR1(tiny_lite()).state_dict())
    with pytest.raises(SystemExit, match="holds no dense head"):
        main(["mine", "--checkpoint", str(tmp_path / "v.pt"), "--data", str(tmp_path)])
