"""Where a process stands among those that share a step, its device, and what they tell each other.

Losses are written over the images of all processes: a process computes them from sums over everybody's part, and the
gradients of all processes add up to that of one process with all the images.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from segmenter.errors import TrainError

#: Numbers that travel in one message.
_PACKET = 1 << 25

CPU = torch.device("cpu")

Batch = TypeVar("Batch")


def alone(part: Tensor) -> Tensor:
    """The sum over all processes where there is but one."""
    return part


@dataclass(frozen=True)
class Place:
    """Which of the processes that share a step this one is, and where it computes."""

    rank: int = 0
    processes: int = 1
    device: torch.device = CPU

    @property
    def leads(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0

    def whole(self, part: Tensor) -> Tensor:
        """The sum over all processes; its gradient is that of this process's own part."""
        if self.processes == 1:
            return part
        total = part.detach().clone()
        dist.all_reduce(total)
        return total + (part - part.detach())

    def mean(self, value: float) -> float:
        """The mean of a number over all processes."""
        return float(self.whole(torch.tensor(value, dtype=torch.float64, device=self.device))) / self.processes

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sums the gradients over all processes, in place.

        Parameters without a gradient rest in this step, in every process alike.
        """
        if self.processes == 1:
            return
        for packet in _packets([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in packet])
            dist.all_reduce(flat)
            for gradient, summed in zip(packet, flat.split([g.numel() for g in packet]), strict=True):
                gradient.copy_(summed.view_as(gradient))


def _packets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """Consecutive gradients of at most `_PACKET` numbers together, or a larger one by itself."""
    packet: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if packet and size + gradient.numel() > _PACKET:
            yield packet
            packet, size = [], 0
        packet.append(gradient)
        size += gradient.numel()
    if packet:
        yield packet


def device_of(name: str, local_rank: int = 0) -> torch.device:
    """The device called `auto` (a GPU where there is one), `cpu` or `cuda`; the GPU of that number on this machine.

    Raises TrainError where it is not there.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return CPU
    if not torch.cuda.is_available():
        raise TrainError("--device cuda: torch finds no CUDA device on this machine; --device cpu trains without one")
    if local_rank >= torch.cuda.device_count():
        raise TrainError(f"process {local_rank} of this machine has no GPU: there are {torch.cuda.device_count()}")
    return torch.device("cuda", local_rank)


def started_by_torchrun() -> bool:
    """Whether torchrun (or another starter that sets its variables) made this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys()


@contextmanager
def torchrun_place(device: str) -> Iterator[Place]:
    """The place that torchrun's environment gives, joined with the others; NCCL between GPUs, Gloo between CPUs."""
    rank, processes = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    own = device_of(device, int(os.environ.get("LOCAL_RANK", rank)))
    with _joined(Place(rank, processes, own), "env://") as place:
        yield place


@contextmanager
def spawned_place(rank: int, processes: int, port: int) -> Iterator[Place]:
    """A place among CPU processes of this machine that meet at `port`."""
    with _joined(Place(rank, processes), f"tcp://127.0.0.1:{port}") as place:
        yield place


@contextmanager
def _joined(place: Place, meeting: str) -> Iterator[Place]:
    if place.device.type == "cuda":
        torch.cuda.set_device(place.device)
    backend = "nccl" if place.device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=meeting, rank=place.rank, world_size=place.processes)
    try:
        yield place
        dist.barrier()
    finally:
        dist.destroy_process_group()


def moved(batch: Batch, device: torch.device) -> Batch:
    """A batch (a dataclass) with its tensors on the device."""
    if device.type == "cpu":
        return batch
    values: dict[str, Any] = {field.name: getattr(batch, field.name) for field in fields(batch)}  # type: ignore[arg-type]
    tensors = {name: value.to(device, non_blocking=True) for name, value in values.items() if isinstance(value, Tensor)}
    return replace(batch, **tensors)  # type: ignore[type-var]
