"""Options of `segmenter train`: which recipe, which of its numbers are changed, and where everything lies."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from segmenter.data.pack import PACKS
from segmenter.data.readers import KINDS
from segmenter.errors import TrainError
from segmenter.language.files import QUESTION_FOLDER
from segmenter.training.recipes import RECIPES, Recipe

LAST_FILE = "last.pt"
STAGES = ("joint", "vision")


@dataclass(frozen=True)
class Settings:
    """One run. Fields are the options of the same name; `recipe` holds the numbers, changed ones included."""

    config: str
    recipe: Recipe
    out: Path
    data: Path
    stage: str
    dataset: str
    split: str
    first_question: bool
    most_questions: int
    initial: Path | None
    tokenizer: Path | None
    language: Path | None
    sentences: Path | None
    questions: Path
    resume: bool
    minutes: float | None
    ask_every: int
    language_every: int
    device: str
    processes: int
    port: int
    threads: int
    workers: int
    save_minutes: float
    log_every: int
    seed: int

    @staticmethod
    def of(args: argparse.Namespace) -> Settings:
        """Settings of parsed options; what is not given is as the recipe has it."""
        given = {field.name: getattr(args, field.name) for field in fields(Recipe)}
        changed = {name: value for name, value in given.items() if value is not None}
        for name in ("clip", "average"):
            if changed.get(name) == 0:
                changed[name] = None
        for name in ("betas", "frozen"):
            if name in changed:
                changed[name] = tuple(changed[name])
        recipe = replace(RECIPES[args.config], **changed)
        others = {field.name: getattr(args, field.name) for field in fields(Settings) if field.name != "recipe"}
        return Settings(recipe=recipe, **others)

    def plain(self) -> dict[str, Any]:
        """The settings as plain data, for the checkpoint and `run.json`."""
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter train`."""
    parser.add_argument("--config", choices=tuple(RECIPES), default="compact", help="the bundled model's recipe, or the paper's")
    parser.add_argument("--out", type=Path, default=Path(".data/run"), help=f"folder of {LAST_FILE}, the log and its curves")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="compact: packs of `segmenter pack`; full: a data set")
    parser.add_argument("--initial", type=Path, help="checkpoint to start from; compact takes its image side and dense head")
    parser.add_argument("--resume", action="store_true", help=f"continue OUT/{LAST_FILE}")
    parser.add_argument("--minutes", type=float, help="length of the run; the learning rate reaches its end then")
    parser.add_argument("--plot", type=Path, metavar="RUN", help="draw the curves of the run in this folder again and end")
    _add_recipe(parser.add_argument_group("numbers of the recipe"))
    _add_compact(parser.add_argument_group("--config compact"))
    _add_full(parser.add_argument_group("--config full"))
    _add_machine(parser.add_argument_group("machine"))


def _add_recipe(group: argparse._ArgumentGroup) -> None:
    def add(name: str, text: str, **kind: Any) -> None:
        field = name.removeprefix("--").replace("-", "_")
        usual = ", ".join(f"{config} {_shown(getattr(recipe, field))}" for config, recipe in RECIPES.items())
        group.add_argument(name, help=f"{text} ({usual})", **kind)

    flag = argparse.BooleanOptionalAction
    add("--steps", "length of the run; sets the schedule without --minutes", type=int)
    add("--epochs", "full: length in passes over the images", type=float)
    add("--batch", "images a step, over all processes", type=int)
    add("--rate", "peak learning rate", type=float)
    add("--final-rate", "share of the peak at the end", type=float)
    add("--warm-up", "steps in which the rate rises; below 1 a share of the run", type=float)
    add("--betas", "of AdamW", type=float, nargs=2)
    add("--weight-decay", "of matrices", type=float)
    add("--clip", "longest gradient; 0 for none", type=float)
    add("--language-rate", "share of the rate for the language model", type=float)
    add("--average", "how much of the averaged weights a step keeps; 0 for no average", type=float)
    add("--frozen", "prefixes of the parts that stay as they are", nargs="*", metavar="PREFIX")
    add("--bf16", "autocast to bfloat16", action=flag)
    add("--checkpointing", "recompute layers instead of keeping them: less memory, more time", action=flag)


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _add_compact(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--stage", choices=STAGES, default="joint", help="vision: the image side alone, without questions")
    group.add_argument("--language", type=Path, help="language model written by `segmenter distil`")
    group.add_argument("--sentences", type=Path, help="folder that `segmenter corpus` wrote; keeps distilling")
    group.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    group.add_argument("--ask-every", type=int, default=1, help="questions in one step of so many")
    group.add_argument("--language-every", type=int, default=3, help="the language model learns in one of so many asking steps")


def _add_full(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dataset", choices=KINDS, default="earthreason", help="layout of the data set")
    group.add_argument("--split", default="train")
    group.add_argument("--tokenizer", type=Path, help="tokenizer.json, or the folder of a release (beside --initial)")
    group.add_argument("--first-question", action="store_true", help="ask only the first one of each target, as the paper did")
    group.add_argument("--most-questions", type=int, default=16, help="of one image in one step, drawn at random beyond that")


def _add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU where there is one")
    group.add_argument("--processes", type=int, default=1, help="CPU processes to start; for several GPUs use torchrun")
    group.add_argument("--port", type=int, default=29517, help="where the processes meet on this machine")
    group.add_argument("--threads", type=int, default=1, help="of each process, on the CPU")
    group.add_argument("--workers", type=int, default=1, help="processes that make batches, for each process")
    group.add_argument("--save-minutes", type=float, default=4.0)
    group.add_argument("--log-every", type=int, default=50)
    group.add_argument("--seed", type=int, default=0)


def check(settings: Settings, processes: int) -> None:
    """Raises TrainError for what cannot be trained, before anything is made; `processes` share a step."""
    recipe = settings.recipe
    for name, least in (
        ("batch", 1), ("rate", 0.0), ("final_rate", 0.0), ("warm_up", 0.0), ("epochs", 0.0), ("steps", 1), ("weight_decay", 0.0),
    ):  # fmt: skip
        _at_least(name, getattr(recipe, name), least)
    for name in ("most_questions", "ask_every", "language_every", "processes", "threads", "log_every"):
        _at_least(name, getattr(settings, name), 1)
    _at_least("workers", settings.workers, 0)
    if settings.minutes is not None and settings.minutes <= 0:
        raise TrainError(f"--minutes is {settings.minutes}; it must be above 0")
    if recipe.batch % processes:
        raise TrainError(f"--batch {recipe.batch} is no multiple of the {processes} processes that share it")
    for name in ("initial", "language", "tokenizer"):
        path = getattr(settings, name)
        if path is not None and not (path.is_file() or (name == "tokenizer" and path.is_dir())):
            raise TrainError(f"--{name} {path}: there is no such file")
    if settings.resume and not (settings.out / LAST_FILE).is_file():
        raise TrainError(f"--resume: there is no {settings.out / LAST_FILE} to continue")
    if not settings.questions.is_dir():
        raise TrainError(f"--questions {settings.questions}: there is no such folder")
    for part in ("questions", "plain") if settings.sentences else ():
        for file in (f"{part}.txt", f"{part}.npy"):
            if not (Path(settings.sentences or "") / file).is_file():
                raise TrainError(f"--sentences {settings.sentences}: {file} is not there; `segmenter corpus --folder` writes it")
    _check_recipe(settings)


def _at_least(name: str, value: float | None, least: float) -> None:
    if value is not None and not value >= least:
        raise TrainError(f"--{name.replace('_', '-')} is {value}; it must be at least {least}")


def _check_recipe(settings: Settings) -> None:
    """Options of one recipe mean nothing to the other."""
    foreign: dict[str, object]
    if settings.config == "full":
        foreign = {"stage": settings.stage != STAGES[0], "language": settings.language, "sentences": settings.sentences}
    else:
        foreign = {"tokenizer": settings.tokenizer, "epochs": settings.recipe.epochs, "first-question": settings.first_question}
        data = settings.data
        missing = [name for name in PACKS if not (data / name / "index.json").is_file()]
        if missing:
            raise TrainError(f"{data} lacks the packs {', '.join(missing)}; `segmenter pack --data {data}` writes them")
    for name, given in foreign.items():
        if given:
            raise TrainError(f"--{name} is no option of --config {settings.config}")
