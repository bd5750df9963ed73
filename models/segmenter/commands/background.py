"""Training in the background: at the lowest priority, apart from the terminal, started again where it ended too early.

`start` leaves a keeper behind that runs `segmenter train` with the options after `--`, from OUT/last.pt where there is one.
It takes what processors others leave: the schedule counts steps, so a busy machine changes nothing but the time. A lock in
OUT is held as long as the keeper lives, so that no run is started twice.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from segmenter.errors import TrainError
from segmenter.training.run_log import LOG_FILE, read_log
from segmenter.training.settings import LAST_FILE

LOCK_FILE, OUTPUT_FILE, STATE_FILE = "background.lock", "background.log", "background.json"
#: Lowest priority.
NICENESS = 19
#: Runs in a row that may end early without a new checkpoint, and seconds between them.
MOST_FAILURES, PAUSE_S = 3, 10.0
#: Seconds that `stop` waits for the processes to end.
LONGEST_STOP_S = 30.0


def train_command(out: Path, options: Sequence[str]) -> list[str]:
    """The command of a run: `segmenter train`, resuming where there is a checkpoint."""
    resume = ["--resume"] if (out / LAST_FILE).is_file() else []
    return [sys.executable, "-m", "segmenter", "train", "--out", str(out), *options, *resume]


def locked(out: Path) -> IO[str] | None:
    """The run's lock, held until it is closed; None where a keeper holds it."""
    file = (out / LOCK_FILE).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def keep(out: Path, command: Callable[[], list[str]], pause_s: float = PAUSE_S) -> int:
    """Runs the command until it ends well; returns its last exit code.

    Gives up after `MOST_FAILURES` runs in a row that left no new checkpoint. Raises TrainError where another keeper is there.
    """
    lock = locked(out)
    if lock is None:
        raise TrainError(f"{out} is being trained in the background already")
    with lock:
        failures = 0
        while True:
            before = _saved_at(out)
            code = subprocess.run(command(), check=False).returncode
            if code == 0:
                _note(out, "done")
                return 0
            failures = failures + 1 if _saved_at(out) == before else 0
            print(f"{time.strftime('%F %T')} training ended with code {code}", flush=True)
            if failures >= MOST_FAILURES:
                _note(out, f"given up: {failures} runs in a row ended with code {code} and left no new checkpoint")
                return code
            time.sleep(pause_s)


def start(out: Path, options: Sequence[str]) -> int:
    """Leaves a keeper behind and returns its process id; raises TrainError where there is one."""
    out.mkdir(parents=True, exist_ok=True)
    lock = locked(out)
    if lock is None:
        raise TrainError(f"{out} is being trained in the background already; `status` tells more")
    lock.close()
    with (out / OUTPUT_FILE).open("a", encoding="utf-8") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "segmenter", "background", "keep", str(out), "--", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    _note(out, "running", keeper.pid, list(options))
    return keeper.pid


def stop(out: Path) -> None:
    """Ends the keeper and what it started; the last checkpoint stays. Raises TrainError where none is there."""
    lock = locked(out)
    if lock is not None:
        lock.close()
        raise TrainError(f"{out} is not being trained in the background")
    os.killpg(_state(out)["pid"], signal.SIGTERM)
    ended = time.monotonic() + LONGEST_STOP_S
    while (lock := locked(out)) is None:
        if time.monotonic() > ended:
            raise TrainError(f"{out} did not end within {LONGEST_STOP_S:.0f} s")
        time.sleep(0.2)
    lock.close()
    _note(out, "stopped")


def status(out: Path) -> str:
    """Whether it runs, its last logged step and how old its checkpoint is."""
    if not (out / STATE_FILE).is_file():
        raise TrainError(f"{out} was never trained in the background")
    state = _state(out)
    lock = locked(out)
    if lock is not None:
        lock.close()
        if state["state"] == "running":
            state["state"] = "gone: its process ended without a word; `start` goes on from the last checkpoint"
    lines = [f"{out}: {state['state']}, process {state['pid']}, options {' '.join(state['options'])}"]
    if (out / LOG_FILE).is_file() and (rows := read_log(out)):
        lines.append(" ".join(f"{name} {value}" for name, value in rows[-1].items()))
    saved = _saved_at(out)
    lines.append("no checkpoint yet" if saved is None else f"checkpoint of {(time.time() - saved) / 60:.0f} minutes ago")
    return "\n".join(lines)


def _saved_at(out: Path) -> float | None:
    path = out / LAST_FILE
    return path.stat().st_mtime if path.is_file() else None


def _state(out: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((out / STATE_FILE).read_text(encoding="utf-8"))
    return state


def _note(out: Path, state: str, pid: int | None = None, options: list[str] | None = None) -> None:
    known = _state(out) if (out / STATE_FILE).is_file() else {"pid": os.getpid(), "options": []}
    new = {**known, "state": state, **({} if pid is None else {"pid": pid}), **({} if options is None else {"options": options})}
    (out / STATE_FILE).write_text(json.dumps(new) + "\n", encoding="utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `background`."""
    parser.add_argument("action", choices=("start", "status", "stop", "keep"), help="keep: the keeper itself, in the foreground")
    parser.add_argument("out", type=Path, help="folder of the run, as --out of `segmenter train`")
    parser.add_argument("options", nargs="*", help="after --, the options of `segmenter train` but --out and --resume")


def main(args: argparse.Namespace) -> None:
    """Do the action."""
    options = args.options[1:] if args.options[:1] == ["--"] else args.options
    try:
        if args.action == "start":
            print(f"{args.out}: process {start(args.out, options)}, output in {args.out / OUTPUT_FILE}")
        elif args.action == "keep":
            os.nice(NICENESS)
            raise SystemExit(keep(args.out, lambda: train_command(args.out, options)))
        elif args.action == "stop":
            stop(args.out)
        else:
            print(status(args.out))
    except TrainError as error:
        raise SystemExit(f"segmenter background: {error}") from error
