"""The training loop of both recipes, on a CPU or on one or more GPUs.

`--config compact` trains the bundled model on packs in two stages. `vision` trains the image side with a dense head, a
1 x 1 convolution on the mask features that predicts every labelled class, and a head that predicts the classes present in
the window. `joint` adds questions, descriptions, mask generator and presence, and keeps the language model near its
sentence teacher. Export drops the heads.
`--config full` trains the published size on a labelled data set as its authors do.

Processes compute losses over the images of all of them and sum their gradients. `--resume` continues a stopped run; on
the CPU the result equals an uninterrupted one.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from segmenter.data.batches import Batches, Questions, absence_odds
from segmenter.data.labelled_images import LabelledImages, images_of, steps_of
from segmenter.data.mixture import Mixture
from segmenter.data.readers import open_dataset
from segmenter.errors import TrainError
from segmenter.language.bank import QuestionBank
from segmenter.language.conversation import Conversations, answer_frame
from segmenter.language.distil import DistillationBatches
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import ModelConfig, full
from segmenter.published.release_tokenizer import release_tokenizer
from segmenter.training.distributed import Worker, device_of, spawned_worker, started_by_torchrun, to_device, torchrun_worker
from segmenter.training.objective import SENTENCES, Objective, StepScheduler
from segmenter.training.published_objective import PublishedObjective
from segmenter.training.recipes import rate_factor
from segmenter.training.run import Run, new_run, resume_run, save_run
from segmenter.training.run_log import RunLog, draw_curves
from segmenter.training.settings import LAST_FILE, Settings, check

#: Maximum steps of a run that is limited by minutes only.
_ENDLESS = 1_000_000


@dataclass
class Work:
    """What the loop needs of a recipe: batches by step, and the losses of a batch."""

    batches: Dataset[Any]
    losses: Callable[[Run, Any, torch.Generator], dict[str, Tensor]]
    total: Callable[[dict[str, Tensor]], Tensor]


def compact_work(settings: Settings, run: Run, worker: Worker) -> Work:
    """Windows of the packs, with questions in the joint stage.

    Raises TrainError if the run's language model was trained on other sentence targets than the settings name.
    """
    joint = settings.stage == "joint"
    bank, tokenizer = QuestionBank.load(settings.questions), QuestionTokenizer.load()
    mixture = Mixture(settings.data, settings.side or run.network.config.window_px)
    questions = Questions(bank, absence_odds(mixture)) if joint else None
    size = settings.recipe.batch // worker.world_size
    seed = settings.seed * worker.world_size + worker.rank
    batches = Batches(mixture, questions, size, settings.recipe.steps or _ENDLESS, seed)
    distillation = None
    if joint and settings.sentences:
        distillation = DistillationBatches(settings.sentences, tokenizer, bank, SENTENCES, seed=settings.seed)
        run.set_targets(distillation.meaning, settings)
    scheduler = StepScheduler(settings.ask_every if joint else 0, settings.language_every)
    objective = Objective(scheduler, tokenizer, settings.recipe.bf16, distillation, worker)
    return Work(batches, objective, objective.total)


def full_work(settings: Settings, config: ModelConfig, worker: Worker) -> tuple[Work, Settings]:
    """Images of a data set with their questions, and the settings with epochs converted to steps."""
    dataset = open_dataset(settings.dataset, settings.data, settings.split)
    images = images_of(dataset)
    if worker.is_main:
        print(f"{dataset.name} {settings.split}: {len(images)} images, {len(dataset.samples)} targets", flush=True)
        for problem in dataset.problems:
            print(f"left out: {problem}", flush=True)
    recipe = settings.recipe
    steps = recipe.steps or (steps_of(len(images), recipe.epochs, recipe.batch) if recipe.epochs else _ENDLESS)
    settings = replace(settings, recipe=replace(recipe, steps=steps))
    tokenizer = tokenizer_of(settings, config)
    frame = answer_frame(tokenizer, published=config.vocabulary == full().vocabulary)
    conversations = Conversations(tokenizer, config, frame)
    batches = LabelledImages(
        images, conversations, config.window_px, steps, recipe.batch, (worker.rank, worker.world_size),
        settings.most_questions, settings.first_question, settings.seed,
    )  # fmt: skip
    objective = PublishedObjective(recipe.bf16, worker)
    return Work(batches, objective, objective.total), settings


def tokenizer_of(settings: Settings, config: ModelConfig) -> QuestionTokenizer:
    """The tokenizer of `--tokenizer` (a file or a release folder), else of `tokenizer.json` beside the checkpoint."""
    if settings.tokenizer is not None and settings.tokenizer.is_dir():
        return QuestionTokenizer(release_tokenizer(settings.tokenizer, config.vocabulary))
    beside = [path.with_name("tokenizer.json") for path in (settings.initial, settings.out / LAST_FILE) if path is not None]
    for path in beside if settings.tokenizer is None else [settings.tokenizer]:
        if path.is_file():
            return QuestionTokenizer.load(path)
    raise TrainError(f"no tokenizer at {' or '.join(map(str, beside))}; give the network's tokenizer.json with --tokenizer")


def train_step(run: Run, work: Work, batch: Any, settings: Settings, worker: Worker) -> None:
    """One optimiser step over all processes; updates the averaged weights and the running means."""
    began, recipe = time.monotonic(), settings.recipe
    seed = (settings.seed * 1_000_003 + run.step) * worker.world_size + worker.rank
    torch.manual_seed(seed)
    parts = work.losses(run, to_device(batch, worker.device), torch.Generator().manual_seed(seed))
    total = work.total(parts)
    if not torch.isfinite(total):
        values = {name: value.item() for name, value in parts.items()}
        raise TrainError(f"step {run.step}: loss is {total.item()}; parts {values}")
    run.optimiser.zero_grad(set_to_none=True)
    total.backward()
    trained = [p for group in run.optimiser.param_groups for p in group["params"]]
    worker.all_reduce_gradients(trained)
    run.seconds = worker.all_reduce_mean(run.seconds)
    norm = nn.utils.clip_grad_norm_(trained, recipe.clip or torch.inf)
    factor = rate_factor(run.progress(settings), run.step, recipe.warm_up, recipe.final_rate)
    for group in run.optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    run.optimiser.step()
    run.step += 1
    if worker.is_main:
        run.follow(recipe.average or 0.0)
        values = {name: value.item() for name, value in parts.items()}
        run.note({"loss": total.item(), **values, "norm": norm.item(), "rate": factor, "step_s": time.monotonic() - began})


def batches_from(batches: Dataset[Any], start: int, workers: int) -> Iterator[Any]:
    """Batches from number `start` on, prefetched by `workers` processes."""
    loader: DataLoader[Any] = DataLoader(
        batches,
        sampler=range(start, len(batches)),  # type: ignore[arg-type]
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="fork" if workers else None,  # spawned workers would each hold a copy of the packs
    )
    return iter(loader)


def train(settings: Settings, worker: Worker | None = None, config: ModelConfig | None = None) -> Run:
    """Trains to the end and returns the run. `config` replaces the network of the compact recipe.

    Raises TrainError for settings that `check` rejects and for a non-finite loss, DataSetError for an unusable data set.
    """
    worker = worker or Worker(device=device_of(settings.device))
    check(settings, worker.world_size)
    torch.set_num_threads(settings.threads)
    path = settings.out / LAST_FILE
    run = resume_run(path, settings, worker.device) if settings.resume else new_run(settings, config, worker.device)
    if settings.config == "full":
        work, settings = full_work(settings, run.network.config, worker)
    else:
        work = compact_work(settings, run, worker)
    run.network.train()
    for prefix in settings.recipe.frozen:
        set_frozen_to_eval(run.network, prefix)
    checkpointer = Checkpointer(settings, run) if worker.is_main else None
    before = time.monotonic()
    for batch in batches_from(work.batches, run.step, settings.workers):
        if run.progress(settings) >= 1:
            break
        train_step(run, work, batch, settings, worker)
        now = time.monotonic()
        run.seconds, before = run.seconds + now - before, now
        if checkpointer is not None:
            checkpointer.after_step(run)
    if checkpointer is not None:
        checkpointer.save(run)
    return run


def set_frozen_to_eval(network: nn.Module, prefix: str) -> None:
    """Puts frozen layers into evaluation mode, which disables their stochastic depth."""
    for name, module in network.named_modules():
        if name.startswith(prefix):
            module.eval()


class Checkpointer:
    """Logs a run and saves its checkpoints; only the main process has one."""

    def __init__(self, settings: Settings, run: Run) -> None:
        self.settings, self.saved = settings, time.monotonic()
        self.log = RunLog(settings.out, run.step)
        (settings.out / "run.json").write_text(json.dumps(settings.plain(), indent=1) + "\n", encoding="utf-8")

    def after_step(self, run: Run) -> None:
        """Logs every `--log-every` steps and saves every `--save-minutes` minutes."""
        if run.step % self.settings.log_every == 0:
            print(run.line(self.settings), flush=True)
            self.log.add(run.step, run.seconds, run.means)
        if time.monotonic() - self.saved > 60 * self.settings.save_minutes:
            self.save(run)

    def save(self, run: Run) -> None:
        """Writes the checkpoint and redraws the curves."""
        save_run(self.settings.out / LAST_FILE, run, self.settings)
        self.saved = time.monotonic()
        if self.log.rows:
            draw_curves(self.settings.out)


def train_one_of_many(rank: int, settings: Settings) -> None:
    """Entry point of a spawned process."""
    with spawned_worker(rank, settings.processes, settings.port) as worker:
        train(settings, worker)


def start(settings: Settings) -> None:
    """Trains in this process, in torchrun's processes, or in spawned CPU processes."""
    if started_by_torchrun():
        if settings.processes > 1:
            raise TrainError(f"--processes {settings.processes}: torchrun already started the processes; remove the option")
        with torchrun_worker(settings.device) as worker:
            train(settings, worker)
    elif settings.processes > 1:
        if device_of(settings.device).type != "cpu":
            raise TrainError(
                f"--processes {settings.processes} needs --device cpu; for several GPUs use "
                f"torchrun --nproc-per-node {settings.processes} -m segmenter train ..."
            )
        check(settings, settings.processes)
        mp.spawn(train_one_of_many, (settings,), settings.processes)
    else:
        train(settings)
