"""Training in the background: it goes on after an end, gives up where nothing comes of it, and is never started twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segmenter.commands import background
from segmenter.commands.background import keep, locked, start, status, stop, train_command
from segmenter.errors import TrainError
from segmenter.training.run_log import LOG_FILE
from segmenter.training.settings import LAST_FILE

#: Stands for the trainer: counts its runs, leaves a checkpoint where it is told to, and ends well in the run of that number.
RUN = """
import sys, pathlib, time
out, saves, last = pathlib.Path(sys.argv[1]), sys.argv[2] == "saves", int(sys.argv[3])
runs = out / "runs"
runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
if saves:
    (out / "last.pt").write_text(str(time.time_ns()))
    import os; os.utime(out / "last.pt", (len(runs.read_text()), len(runs.read_text())))
sys.exit(0 if len(runs.read_text()) == last else 3)
"""


def command(out: Path, saves: bool, last: int) -> list[str]:
    return [sys.executable, "-c", RUN, str(out), "saves" if saves else "idles", str(last)]


def test_a_run_that_ends_early_goes_on_as_long_as_it_gets_somewhere(tmp_path: Path) -> None:
    assert keep(tmp_path, lambda: command(tmp_path, True, 6), pause_s=0) == 0
    assert (tmp_path / "runs").read_text() == "x" * 6
    assert json.loads((tmp_path / background.STATE_FILE).read_text())["state"] == "done"


def test_a_run_that_gets_nowhere_is_given_up(tmp_path: Path) -> None:
    assert keep(tmp_path, lambda: command(tmp_path, False, 99), pause_s=0) == 3
    assert (tmp_path / "runs").read_text() == "x" * background.MOST_FAILURES
    assert "given up: 3 runs in a row ended with code 3" in status(tmp_path)


def test_one_run_has_one_keeper(tmp_path: Path) -> None:
    lock = locked(tmp_path)
    assert lock is not None
    for attempt in (lambda: keep(tmp_path, lambda: command(tmp_path, True, 1)), lambda: start(tmp_path, [])):
        with pytest.raises(TrainError, match="is being trained in the background already"):
            attempt()
    lock.close()
    assert not (tmp_path / "runs").exists()
    with pytest.raises(TrainError, match="is not being trained"):
        stop(tmp_path)


def test_it_resumes_where_there_is_a_checkpoint(tmp_path: Path) -> None:
    assert train_command(tmp_path, ["--steps", "9"])[-4:] == ["--out", str(tmp_path), "--steps", "9"]
    (tmp_path / LAST_FILE).touch()
    assert train_command(tmp_path, ["--steps", "9"])[-3:] == ["--steps", "9", "--resume"]


def test_a_started_run_is_apart_at_the_lowest_priority_and_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer refuses its options, so that the keeper tries again after a pause; by then it is looked at."""
    monkeypatch.setenv("PYTHONPATH", str(Path(background.__file__).parents[2]))
    keeper = start(tmp_path, ["--steps", "5", "--data", str(tmp_path / "none")])
    try:
        output = tmp_path / background.OUTPUT_FILE
        ends = time.monotonic() + 120
        while "training ended with code 1" not in output.read_text() and time.monotonic() < ends:
            time.sleep(0.2)
        assert "lacks the packs" in output.read_text() and "training ended with code 1" in output.read_text()
        assert os.getsid(keeper) == keeper != os.getsid(0)
        nice = subprocess.run(["ps", "-o", "ni=", "-p", str(keeper)], capture_output=True, text=True, check=True)
        assert int(nice.stdout) == background.NICENESS
        (tmp_path / LOG_FILE).write_text('{"step": 3, "seconds": 1.0, "loss": 2.5}\n')
        assert "running" in status(tmp_path) and "step 3" in status(tmp_path) and "no checkpoint yet" in status(tmp_path)
    finally:
        stop(tmp_path)
    assert "stopped" in status(tmp_path)
    lock = locked(tmp_path)
    assert lock is not None
    lock.close()


def test_a_keeper_that_vanished_is_told(tmp_path: Path) -> None:
    state = {"state": "running", "pid": 1, "options": ["--steps", "5"]}
    (tmp_path / background.STATE_FILE).write_text(json.dumps(state))
    assert "gone: its process ended without a word" in status(tmp_path)
    with pytest.raises(TrainError, match="was never trained in the background"):
        status(tmp_path / "other")
