"""Evaluates a model on all held-out windows in one or more processes; each opens the model and the packs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from segmenter.evaluation.answerers import OnnxAnswerer, TorchAnswerer
from segmenter.evaluation.baselines import Baselines
from segmenter.evaluation.examination import Findings, examine
from segmenter.evaluation.held_out import GROUPS, HeldOut, Wordings, held_out_windows, numbered, resampled_windows
from segmenter.language.bank import QuestionBank

#: Windows per job.
_JOB = 24
#: Maximum resampled windows per source (before `every`), and their groups of wordings.
RESAMPLED_WINDOWS, RESAMPLED_GROUPS = 240, ("explicit",)


@dataclass(frozen=True)
class Examination:
    """Model and data of an evaluation; picklable for worker processes."""

    model: Path  # an exported model's folder, or a checkpoint
    data: Path
    split: str = "validation"
    every: int = 1
    threads: int = 1
    baselines: Baselines | None = None


@dataclass(frozen=True)
class _Job:
    factor: float | None  # None: windows at native scale, in all groups of wordings
    start: int


@dataclass
class _Examiner:
    """The model and windows of a process."""

    examination: Examination
    wordings: Wordings = field(default_factory=lambda: Wordings(QuestionBank.load()))

    def __post_init__(self) -> None:
        torch.set_num_threads(self.examination.threads)
        self.answerer = open_answerer(self.examination.model, self.examination.threads)
        self._windows: dict[float | None, list[tuple[int, HeldOut]]] = {}

    def windows(self, factor: float | None) -> list[tuple[int, HeldOut]]:
        """Numbered windows at native scale, or resampled by a factor."""
        if factor not in self._windows:
            what, side = self.examination, self.answerer.side
            if factor is None:
                self._windows[factor] = numbered(held_out_windows(what.data, side, what.split), what.every)
            else:
                most = max(1, RESAMPLED_WINDOWS // what.every)
                self._windows[factor] = numbered(resampled_windows(what.data, side, factor, most, what.split))
        return self._windows[factor]

    def work(self, job: _Job) -> Findings:
        """Evaluates the windows of a job."""
        part = self.windows(job.factor)[job.start : job.start + _JOB]
        if job.factor is None:
            return examine(self.answerer, part, self.wordings, self.examination.baselines, tuple(GROUPS))
        return examine(self.answerer, part, self.wordings, None, RESAMPLED_GROUPS)


_examiner: _Examiner | None = None


def _open(examination: Examination) -> None:
    global _examiner
    _examiner = _Examiner(examination)


def _work(job: _Job) -> Findings:
    assert _examiner is not None  # opened when the process started
    return _examiner.work(job)


def examine_everywhere(
    examination: Examination, factors: Sequence[float], processes: int
) -> tuple[Findings, dict[float, Findings]]:
    """Findings at native scale and by resampling factor, independent of the number of processes; shows a progress bar.

    Raises FileNotFoundError if the model or a pack is missing.
    """
    planner = _Examiner(examination)
    jobs = [
        _Job(factor, start) for factor in (None, *factors) for start in range(0, len(planner.windows(factor)), _JOB)
    ]  # fmt: skip
    native, resampled = Findings(), {factor: Findings() for factor in factors}
    with tqdm(total=len(jobs), unit="job", desc="windows") as progress:
        for job, found in zip(jobs, _results(planner, jobs, processes), strict=True):
            (native if job.factor is None else resampled[job.factor]).add(found)
            progress.update()
    return native, resampled


def _results(planner: _Examiner, jobs: Sequence[_Job], processes: int) -> Iterator[Findings]:
    if processes == 1:
        yield from map(planner.work, jobs)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _open, (planner.examination,)) as pool:
        yield from pool.map(_work, jobs)


def open_answerer(model: Path, threads: int) -> OnnxAnswerer | TorchAnswerer:
    """Opens a folder as an exported model, a file as a checkpoint. Raises FileNotFoundError if it does not exist."""
    return OnnxAnswerer.load(model, threads) if model.is_dir() else TorchAnswerer.load(model)
