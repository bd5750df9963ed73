"""State of a training run: what changes from step to step, and what a checkpoint keeps of it."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segmenter.checkpoint import read_checkpoint, save_checkpoint
from segmenter.config import ModelConfig, compact
from segmenter.dataset import CATEGORIES
from segmenter.distil import load_language, new_projection
from segmenter.network import SegEarthR1

WEIGHT_DECAY = 0.05
#: The dense head starts at the belief that a class covers a twentieth of the pixels.
RARE_LOGIT = -3.0
VISION_PARTS = ("model.vision_tower", "pixel_decoder")
LANGUAGE_PARTS = ("model.embed_tokens", "model.layers", "model.final_layernorm")


class TrainError(Exception):
    """The run cannot go on, or cannot be continued from what is on disk."""


@dataclass
class Run:
    """A network in training.

    `heads` are thrown away at export: `dense` names every class on every cell, `sentence` maps descriptions to the
    sentence teacher. `average` is the exponential mean of the network's state dict, `seconds` the time trained.
    """

    network: SegEarthR1
    heads: nn.ModuleDict
    optimiser: torch.optim.Optimizer
    average: dict[str, Tensor]
    step: int = 0
    seconds: float = 0.0
    means: dict[str, float] = field(default_factory=dict)

    def progress(self, args: argparse.Namespace) -> float:
        """Share of the run that is over, by time where `--minutes` was given, else by steps."""
        return self.seconds / (60 * args.minutes) if args.minutes else self.step / args.steps

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """Moves the averaged weights towards the present ones; early on faster, so that the first ones are forgotten."""
        share = 1 - min(keep, (1 + self.step) / (10 + self.step))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, share)

    def note(self, values: dict[str, float]) -> None:
        """Takes values into the running means (about the last fifty steps)."""
        for name, value in values.items():
            self.means[name] = 0.98 * self.means.get(name, value) + 0.02 * value

    def line(self) -> str:
        """One log line."""
        shown = " ".join(f"{name} {value:.4f}" for name, value in self.means.items())
        return f"step {self.step} minute {self.seconds / 60:.1f} {shown}"


def new_run(args: argparse.Namespace, config: ModelConfig | None = None) -> Run:
    """A fresh run of a network, the compact one unless another is given, from `--initial` and `--language` if any."""
    torch.manual_seed(args.seed)
    entries = read_checkpoint(args.initial) if args.initial else {}
    network = SegEarthR1(config or compact())
    heads = nn.ModuleDict(
        {
            "dense": nn.Conv2d(network.config.pixel_decoder.dim, len(CATEGORIES), 1),
            "sentence": new_projection(network.config.language.hidden),
        }
    )
    nn.init.constant_(heads.get_parameter("dense.bias"), RARE_LOGIT)
    if entries:
        _load_vision(network, entries["weights"], args.initial)
        heads.load_state_dict(entries.get("heads", {}), strict=False)
    if args.language:
        heads["sentence"] = load_language(args.language, network)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    return Run(network, heads, _optimiser(network, heads, args), average)


def _load_vision(network: SegEarthR1, weights: dict[str, Tensor], path: Path) -> None:
    """Takes the image side from a checkpoint; its language model may be of another vocabulary."""
    own = network.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    missing = [name for name in own if name.startswith(VISION_PARTS) and name not in fitting]
    if missing:
        raise TrainError(f"{path} does not fit the image side: {missing[:3]} and {max(0, len(missing) - 3)} more")
    network.load_state_dict(fitting, strict=False)


def _optimiser(network: SegEarthR1, heads: nn.ModuleDict, args: argparse.Namespace) -> torch.optim.Optimizer:
    """AdamW over what the stage trains: matrices decay, vectors and tables do not, the language model has its own rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in [*network.named_parameters(), *heads.named_parameters()]:
        if args.stage == "vision" and not name.startswith((*VISION_PARTS, "dense")):
            continue
        rate = args.rate * (args.language_rate if name.startswith((*LANGUAGE_PARTS, "sentence")) else 1.0)
        decays = parameter.ndim > 1 and "embed" not in name and "table" not in name
        groups.setdefault((rate, WEIGHT_DECAY if decays else 0.0), []).append(parameter)
    described = [{"params": p, "lr": r, "peak": r, "weight_decay": d} for (r, d), p in groups.items()]
    return torch.optim.AdamW(described, betas=(0.9, 0.98), fused=True)


def save_run(path: Path, run: Run) -> None:
    """Writes the averaged weights as the checkpoint's weights and the rest beside them."""
    save_checkpoint(
        path, run.network.config, run.average, raw=run.network.state_dict(), heads=run.heads.state_dict(),
        optimiser=run.optimiser.state_dict(), step=run.step, seconds=run.seconds, means=run.means,
    )  # fmt: skip


def resume_run(path: Path, args: argparse.Namespace) -> Run:
    """The run that :func:`save_run` wrote; training goes on as if it had never stopped.

    Learning rates are those of `args`, so that a longer or shorter rest can be planned.
    """
    entries: dict[str, Any] = read_checkpoint(path)
    if "raw" not in entries:
        raise TrainError(f"{path} holds no training state; give it as --initial instead")
    run = new_run(argparse.Namespace(**{**vars(args), "initial": None, "language": None}), entries["config"])
    run.network.load_state_dict(entries["raw"])
    run.heads.load_state_dict(entries["heads"])
    peaks = [group["peak"] for group in run.optimiser.param_groups]
    run.optimiser.load_state_dict(entries["optimiser"])
    for group, peak in zip(run.optimiser.param_groups, peaks, strict=True):
        group["peak"] = peak
    run.average = entries["weights"]
    run.step, run.seconds, run.means = entries["step"], entries["seconds"], entries["means"]
    return run
