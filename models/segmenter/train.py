"""Training on the packs, in two stages that share one loop.

`vision` teaches the image side alone with a 1 x 1 convolution on the mask features that names every labelled class;
`joint` adds questions, description, mask generator and presence, keeps the dense head, and keeps the language model
near its sentence teacher. Both heads are thrown away at export. Several processes share a step and average their
gradients. A run that stops continues with `--resume`.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.utils.data import DataLoader

from segmenter.batches import Batch, Batches, Mixture, Questions, absence_odds
from segmenter.config import ModelConfig
from segmenter.objective import Objective, Rhythm
from segmenter.questions import QuestionBank
from segmenter.run import Run, TrainError, new_run, resume_run, save_run
from segmenter.tokenizer import QuestionTokenizer

CLIP_NORM = 1.0
LAST_FILE = "last.pt"


@dataclass(frozen=True)
class Place:
    """Which of the processes that share a step this one is."""

    rank: int = 0
    processes: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0


def rate_factor(progress: float, step: int, warm_up: int, final: float) -> float:
    """Share of the peak learning rate: linear over the first `warm_up` steps, then a cosine to `final` at progress 1."""
    warm = min(1.0, (step + 1) / warm_up)
    return warm * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def shared_gradients(parameters: list[nn.Parameter], seconds: float, place: Place) -> float:
    """Averages the gradients over all processes, in place, and returns the average of `seconds`.

    Parameters without a gradient rest in this step, in every process alike.
    """
    if place.processes == 1:
        return seconds
    parameters = [p for p in parameters if p.grad is not None]
    packet = torch.cat([*(p.grad.flatten() for p in parameters if p.grad is not None), torch.tensor([seconds])])
    dist.all_reduce(packet)
    packet /= place.processes
    start = 0
    for parameter in parameters:
        parameter.grad = packet[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()
    return float(packet[-1])


def train_step(run: Run, objective: Objective, batch: Batch, args: argparse.Namespace, place: Place) -> None:
    """One optimiser step of all processes together; updates the averaged weights and the running means."""
    began = time.monotonic()
    seed = (args.seed * 1_000_003 + run.step) * place.processes + place.rank
    torch.manual_seed(seed)
    parts = objective(run, batch, torch.Generator().manual_seed(seed))
    total = objective.total(parts)
    if not torch.isfinite(total):
        values = {name: value.item() for name, value in parts.items()}
        raise TrainError(f"step {run.step}: loss is {total.item()}; parts {values}")
    run.optimiser.zero_grad(set_to_none=True)
    total.backward()
    trained = [p for group in run.optimiser.param_groups for p in group["params"]]
    run.seconds = shared_gradients(trained, run.seconds, place)
    norm = nn.utils.clip_grad_norm_(trained, CLIP_NORM)
    factor = rate_factor(run.progress(args), run.step, args.warm_up, args.final_rate)
    for group in run.optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    run.optimiser.step()
    run.step += 1
    if place.leads:
        run.follow(args.average)
        run.note({**{name: value.item() for name, value in parts.items()}, "norm": norm.item(), "rate": factor})
        run.note({"step_s": time.monotonic() - began})


def batches_from(batches: Batches, start: int, workers: int) -> Iterator[Batch]:
    """Batches number `start` and on, made ahead by worker processes."""
    loader: DataLoader[Batch] = DataLoader(
        batches,
        sampler=range(start, len(batches)),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="fork" if workers else None,  # a copy of the packs for each worker would not fit
    )
    return iter(loader)


def train(args: argparse.Namespace, place: Place | None = None, config: ModelConfig | None = None) -> Run:
    """Runs the stage to its end and returns the run, of the compact network unless another configuration is given.

    Raises TrainError where a loss is no number.
    """
    place = place or Place()
    torch.set_num_threads(args.threads)
    path = args.out / LAST_FILE
    run = resume_run(path, args) if args.resume else new_run(args, config)
    rhythm = Rhythm(args.ask_every if args.stage == "joint" else 0, args.language_every)
    mixture = Mixture(args.data, run.network.config.window_px)
    questions = Questions(QuestionBank.load(args.questions), absence_odds(mixture)) if rhythm.ask else None
    size = args.batch // place.processes
    batches = Batches(mixture, questions, size, args.steps, args.seed * place.processes + place.rank)
    objective = Objective(rhythm, QuestionTokenizer.load(), args.bf16, args.sentences, args.seed + run.step + place.rank)
    run.network.train()
    before = saved = time.monotonic()
    for batch in batches_from(batches, run.step, args.workers):
        if run.progress(args) >= 1:
            break
        train_step(run, objective, batch, args, place)
        now = time.monotonic()
        run.seconds, before = run.seconds + now - before, now
        if place.leads and run.step % args.log_every == 0:
            print(run.line(), flush=True)
        if place.leads and now - saved > 60 * args.save_minutes:
            save_run(path, run)
            saved = now
    if place.leads:
        save_run(path, run)
    return run


def train_one_of_many(rank: int, args: argparse.Namespace) -> None:
    """Entry of a spawned process: joins the others, then trains its share."""
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.processes)
    train(args, Place(rank, args.processes))
    dist.barrier()
    dist.destroy_process_group()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter train`."""
    parser.add_argument("--data", type=Path, default=Path(".data"), help="packs written by `segmenter pack`")
    parser.add_argument("--out", type=Path, default=Path(".data/run"), help=f"folder of {LAST_FILE}")
    parser.add_argument("--stage", choices=("vision", "joint"), default="joint")
    parser.add_argument("--initial", type=Path, help="checkpoint to start from, dense head included")
    parser.add_argument("--language", type=Path, help="language model written by `segmenter distil`")
    parser.add_argument("--sentences", type=Path, help="folder that `segmenter corpus` wrote; keeps distilling (joint)")
    parser.add_argument("--questions", type=Path, default=Path(__file__).parent / "questions")
    parser.add_argument("--resume", action="store_true", help=f"continue OUT/{LAST_FILE}")
    parser.add_argument("--minutes", type=float, help="length of the run; the learning rate reaches its end then")
    parser.add_argument("--steps", type=int, default=1_000_000, help="most steps; sets the schedule without --minutes")
    parser.add_argument("--batch", type=int, default=16, help="windows a step, over all processes")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--final-rate", type=float, default=0.01, help="share of the peak at the end")
    parser.add_argument("--warm-up", type=int, default=150, help="steps in which the rate rises")
    parser.add_argument("--language-rate", type=float, default=0.3, help="share of the rate for the language model")
    parser.add_argument("--ask-every", type=int, default=1, help="joint: questions in one step of so many")
    parser.add_argument("--language-every", type=int, default=3, help="the language model learns in one of so many asking steps")
    parser.add_argument("--average", type=float, default=0.998, help="how much of the averaged weights a step keeps")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--port", type=int, default=29517, help="where the processes meet on this machine")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches, for each process")
    parser.add_argument("--save-minutes", type=float, default=4.0)
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> None:
    """Trains and leaves OUT/last.pt."""
    if args.batch % args.processes:
        raise TrainError(f"--batch {args.batch} is no multiple of --processes {args.processes}")
    if args.processes == 1:
        train(args)
    else:
        mp.spawn(train_one_of_many, (args,), args.processes)
