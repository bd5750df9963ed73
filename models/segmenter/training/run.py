"""State of a training run: what changes from step to step, and what a checkpoint keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from segmenter.data.windows import CATEGORIES
from segmenter.errors import TrainError
from segmenter.language.distil import load_language, new_projection
from segmenter.language.sentence_targets import MeaningTargets
from segmenter.language.vocabulary import own_vocabulary
from segmenter.network.checkpoint import network_of, read_checkpoint, save_checkpoint
from segmenter.network.config import ModelConfig, compact
from segmenter.network.lite_encoder import LiteEncoder
from segmenter.network.network import SegEarthR1
from segmenter.training.distributed import CPU
from segmenter.training.gradient_checkpointing import save_memory
from segmenter.training.settings import LAST_FILE, Settings

#: Initial bias of the dense head: each class covers a twentieth of the pixels.
RARE_LOGIT = -3.0
VISION_PARTS = ("model.vision_tower", "pixel_decoder", "predictor.whole_window")
ENCODER = "model.vision_tower"
#: Minimum similarity of sentence targets to those the language model was trained on; below it, it would unlearn them.
MIN_SIMILARITY = 0.99
LANGUAGE_PARTS = ("model.embed_tokens", "model.layers", "model.final_layernorm", "lm_head")


@dataclass
class Run:
    """A network in training.

    `heads` belong to the compact recipe and are dropped at export: `dense` predicts every class in every cell, `presence`
    every class of the window (where the network has window features), `sentence` maps descriptions to the sentence teacher.
    `average` is the exponential moving average of the state dict, None without averaging; `seconds` the training time.
    `meaning` is the :meth:`MeaningTargets.state` of the language model's sentence targets, None if it has none.
    """

    network: SegEarthR1
    heads: nn.ModuleDict
    optimiser: torch.optim.Optimizer
    average: dict[str, Tensor] | None
    step: int = 0
    seconds: float = 0.0
    means: dict[str, float] = field(default_factory=dict)
    meaning: dict[str, Any] | None = None

    def progress(self, settings: Settings) -> float:
        """Completed share of the run: by time with `--minutes`, else by steps."""
        if settings.minutes:
            return self.seconds / (60 * settings.minutes)
        assert settings.recipe.steps
        return self.step / settings.recipe.steps

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """Updates the averaged weights; early steps use a smaller decay to forget the initial weights."""
        if self.average is None:
            return
        share = 1 - min(keep, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, share)

    def note(self, values: dict[str, float]) -> None:
        """Updates the running means (decay 0.98, about the last fifty steps)."""
        for name, value in values.items():
            self.means[name] = 0.98 * self.means.get(name, value) + 0.02 * value

    def set_targets(self, targets: MeaningTargets, settings: Settings) -> None:
        """Sets the sentence targets; raises TrainError if the language model was trained on others."""
        if self.meaning is not None and targets.similarity(self.meaning) < MIN_SIMILARITY:
            resumed = settings.out / LAST_FILE if settings.resume else None
            raise TrainError(
                f"{resumed or settings.language or settings.initial} was trained on sentence targets of other questions than "
                f"those in --sentences {settings.sentences}, and would unlearn them; use its sentences and --questions, or "
                f"start {'without --resume ' if resumed else ''}from a --language distilled from these sentences"
            )
        self.meaning = targets.state()

    def line(self, settings: Settings) -> str:
        """A progress line: step, elapsed time, remaining time at this pace, running means."""
        done = self.progress(settings)
        left = f"{self.seconds / 60 * (1 - done) / done:.0f}" if done > 0 else "?"
        steps = "" if settings.minutes else f" of {settings.recipe.steps}"
        shown = " ".join(f"{name} {value:.4f}" for name, value in self.means.items())
        return f"step {self.step}{steps} ({100 * done:.1f} %) minute {self.seconds / 60:.1f}, {left} left; {shown}"


def new_run(settings: Settings, config: ModelConfig | None = None, device: torch.device = CPU) -> Run:
    """A new run on the device: the published size from `--initial`, or the compact one (or `config`), optionally from
    `--initial` and `--language`."""
    torch.manual_seed(settings.seed)
    if settings.config == "full":
        return _assembled(_published_network(settings.initial), nn.ModuleDict(), settings, device)
    entries = _entries(settings.initial) if settings.initial else {}
    network = SegEarthR1(config or compact(own_vocabulary(), settings.encoder))
    if settings.imagenet:
        _take_imagenet(network, settings.imagenet)
    heads, meaning = _compact_heads(network), entries.get("meaning")
    if entries:
        _load_vision(network, entries["weights"], settings.initial)
        heads.load_state_dict(entries.get("heads", {}), strict=False)
    if settings.language:
        try:
            heads["sentence"], meaning = load_language(settings.language, network)
        except (ValueError, KeyError, RuntimeError, UnpicklingError) as error:
            raise TrainError(
                f"--language {settings.language} was not written by `segmenter distil` for this network: {error}"
            ) from error
    run = _assembled(network, heads, settings, device)
    run.meaning = meaning
    return run


def _entries(path: Path, in_place: bool = False) -> dict[str, Any]:
    """Contents of a checkpoint, as :func:`read_checkpoint`; raises TrainError if it cannot be read."""
    try:
        return read_checkpoint(path, in_place)
    except (ValueError, KeyError, TypeError, RuntimeError, UnpicklingError) as error:
        raise TrainError(f"{path} cannot be read: {error}") from error


def _published_network(initial: Path | None) -> SegEarthR1:
    """The network of a checkpoint in the published layout."""
    if initial is None:
        raise TrainError(
            "--config full needs --initial: the vision encoder stays frozen, so its weights must come from a checkpoint "
            "(written by `segmenter convert` or `segmenter base-weights`)"
        )
    entries = _entries(initial, in_place=True)
    if not entries["config"].published_layout:
        raise TrainError(f"{initial} holds {entries['config'].name}; --config full needs the published layout with its lm_head")
    return network_of(entries["config"], {name: value.clone() for name, value in entries["weights"].items()})


def _take_imagenet(network: SegEarthR1, path: Path) -> None:
    tower = network.model.vision_tower
    if not isinstance(tower, LiteEncoder):
        raise TrainError(f"--imagenet {path} fits an encoder of the Lite kind alone")
    try:
        tower.take_published(torch.load(path, map_location="cpu", weights_only=True))
    except (KeyError, RuntimeError, UnpicklingError) as error:
        raise TrainError(f"--imagenet {path} holds no weights of EfficientNet-Lite0: {error}") from error


def _compact_heads(network: SegEarthR1) -> nn.ModuleDict:
    dense = nn.Conv2d(network.config.pixel_decoder.dim, len(CATEGORIES), 1)
    heads = nn.ModuleDict({"dense": dense, "sentence": new_projection(network.config.language.hidden)})
    nn.init.constant_(heads.get_parameter("dense.bias"), RARE_LOGIT)
    if network.config.mask_generator.image_presence:
        heads["presence"] = nn.Linear(network.config.mask_generator.image_presence, len(CATEGORIES))
    return heads


def _assembled(network: SegEarthR1, heads: nn.ModuleDict, settings: Settings, device: torch.device) -> Run:
    """Freezes layers, moves the network to the device, and creates optimiser and average."""
    recipe = settings.recipe
    for prefix in recipe.frozen:
        if not any(name.startswith(prefix) for name, _ in network.named_parameters()):
            parts = sorted({name.split(".")[0] for name, _ in network.named_parameters()})
            raise TrainError(f"--frozen {prefix}: no parameter has this prefix; top-level parts are {', '.join(parts)}")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(recipe.frozen))
    if recipe.checkpointing:
        save_memory(network)
    network.to(device)
    heads.to(device)
    average = None if recipe.average is None else {name: value.clone() for name, value in network.state_dict().items()}
    return Run(network, heads, _optimiser(network, heads, settings), average)


def _load_vision(network: SegEarthR1, weights: dict[str, Tensor], path: Path | None) -> None:
    """Loads the image side of a checkpoint; its language model may have another vocabulary."""
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    missing = [name for name in own if name.startswith(VISION_PARTS) and name not in fitting]
    if missing:
        raise TrainError(f"{path} does not fit the image side: {missing[:3]} and {max(0, len(missing) - 3)} more")
    network.load_state_dict(fitting, strict=False)


def _optimiser(network: SegEarthR1, heads: nn.ModuleDict, settings: Settings) -> torch.optim.Optimizer:
    """AdamW over the trained parameters: only matrices decay, and the language model has its own rate."""
    recipe = settings.recipe
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in [*network.named_parameters(), *heads.named_parameters()]:
        left_out = settings.stage == "vision" and not name.startswith((*VISION_PARTS, "dense", "presence"))
        if left_out or not parameter.requires_grad:
            continue
        rate = recipe.rate * (recipe.language_rate if name.startswith((*LANGUAGE_PARTS, "sentence")) else 1.0)
        rate *= recipe.encoder_rate if name.startswith(ENCODER) else 1.0
        decays = parameter.ndim > 1 and "embed" not in name and "table" not in name
        groups.setdefault((rate, recipe.weight_decay if decays else 0.0), []).append(parameter)
    described = [{"params": p, "lr": r, "peak": r, "weight_decay": d} for (r, d), p in groups.items()]
    if not described:
        raise TrainError(f"--frozen {' '.join(recipe.frozen)} freezes every trained parameter")
    return torch.optim.AdamW(described, betas=recipe.betas, fused=True)


def save_run(path: Path, run: Run, settings: Settings) -> None:
    """Writes a checkpoint with the averaged weights (or the raw ones without an average) and the training state."""
    raw = run.network.state_dict()
    save_checkpoint(
        path, run.network.config, run.average or raw, raw=raw, heads=run.heads.state_dict(),
        optimiser=run.optimiser.state_dict(), step=run.step, seconds=run.seconds, means=run.means, meaning=run.meaning,
        settings=settings.plain(),
    )  # fmt: skip


def resume_run(path: Path, settings: Settings, device: torch.device = CPU) -> Run:
    """The run written by :func:`save_run`, to be continued as if it had never stopped.

    Learning rates come from `settings`, so the remaining run may be longer or shorter than planned. Raises TrainError if the
    file holds no run, or one of another configuration or stage. :meth:`Run.set_targets` checks the sentence targets.
    """
    entries = _entries(path)
    if "raw" not in entries:
        raise TrainError(f"{path} holds no training state; use it with --initial instead")
    _check_same(path, entries.get("settings", {}), settings)
    network = network_of(entries["config"], entries["raw"])
    heads = nn.ModuleDict() if settings.config == "full" else _compact_heads(network)
    heads.load_state_dict(entries["heads"])
    run = _assembled(network, heads, settings, device)
    _load_optimiser(path, run.optimiser, entries["optimiser"])
    if run.average is not None:
        run.average = {name: value.to(device, copy=True) for name, value in entries["weights"].items()}
    run.step, run.seconds, run.means = entries["step"], entries["seconds"], entries["means"]
    run.meaning = entries.get("meaning")
    return run


def _check_same(path: Path, saved: dict[str, Any], settings: Settings) -> None:
    """Checkpoints written before there were two recipes lack the settings and are compact."""
    for name, usual in (("config", "compact"), ("stage", settings.stage)):
        was, now = saved.get(name, usual), getattr(settings, name)
        if was != now:
            raise TrainError(f"{path} was trained with --{name} {was}; --{name} {now} cannot continue it")


def _load_optimiser(path: Path, optimiser: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    sizes = [len(group["params"]) for group in optimiser.param_groups]
    was = [len(group["params"]) for group in saved["param_groups"]]
    if sizes != was:
        raise TrainError(
            f"{path} trained parameter groups of sizes {was}, these settings train {sizes}; stage, frozen layers and use of "
            f"--language-rate and --weight-decay must be unchanged"
        )
    described = [{k: group[k] for k in ("peak", "weight_decay", "betas")} for group in optimiser.param_groups]
    optimiser.load_state_dict(saved)
    for group, own in zip(optimiser.param_groups, described, strict=True):
        group.update(own)
