"""Distributed data parallelism: rank, world size and device of a process, and its all-reduce operations.

Losses are defined over the images of all processes: each process computes them from all-reduced sums, and its gradients
are summed with those of the others. The result equals one process that holds every image.
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

#: Most gradient elements in one all-reduce.
_BUCKET_ELEMENTS = 1 << 25

CPU = torch.device("cpu")

Batch = TypeVar("Batch")


def local_only(value: Tensor) -> Tensor:
    """The all-reduce of a single process: the value itself."""
    return value


@dataclass(frozen=True)
class Worker:
    """One of the processes that share each training step."""

    rank: int = 0
    world_size: int = 1
    device: torch.device = CPU

    @property
    def is_main(self) -> bool:
        """Whether this process logs and saves checkpoints."""
        return self.rank == 0

    def all_reduce(self, value: Tensor) -> Tensor:
        """Sum over all processes; the gradient flows through this process's own value only."""
        if self.world_size == 1:
            return value
        total = value.detach().clone()
        dist.all_reduce(total)
        return total + (value - value.detach())

    def all_reduce_mean(self, value: float) -> float:
        """Mean of a number over all processes."""
        return float(self.all_reduce(torch.tensor(value, dtype=torch.float64, device=self.device))) / self.world_size

    def all_reduce_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Sums the gradients over all processes, in place.

        Skips parameters without a gradient; every process must skip the same ones.
        """
        if self.world_size == 1:
            return
        for bucket in _buckets([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            dist.all_reduce(flat)
            for gradient, summed in zip(bucket, flat.split([g.numel() for g in bucket]), strict=True):
                gradient.copy_(summed.view_as(gradient))


def _buckets(gradients: list[Tensor]) -> Iterator[list[Tensor]]:
    """Consecutive gradients of at most `_BUCKET_ELEMENTS` elements together; a larger one gets its own bucket."""
    bucket: list[Tensor] = []
    size = 0
    for gradient in gradients:
        if bucket and size + gradient.numel() > _BUCKET_ELEMENTS:
            yield bucket
            bucket, size = [], 0
        bucket.append(gradient)
        size += gradient.numel()
    if bucket:
        yield bucket


def device_of(name: str, local_rank: int = 0) -> torch.device:
    """Device for `auto` (a GPU if there is one), `cpu` or `cuda`; `local_rank` selects the GPU of this machine.

    Raises TrainError if that device does not exist.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return CPU
    if not torch.cuda.is_available():
        raise TrainError("--device cuda: torch finds no CUDA device on this machine; --device cpu trains without one")
    if local_rank >= torch.cuda.device_count():
        raise TrainError(f"local rank {local_rank} has no GPU: this machine has {torch.cuda.device_count()}")
    return torch.device("cuda", local_rank)


def started_by_torchrun() -> bool:
    """Whether torchrun, or another launcher that sets its variables, started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys()


@contextmanager
def torchrun_worker(device: str) -> Iterator[Worker]:
    """The worker described by torchrun's environment, in its process group: NCCL between GPUs, Gloo between CPUs."""
    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    own = device_of(device, int(os.environ.get("LOCAL_RANK", rank)))
    with _process_group(Worker(rank, world_size, own), "env://") as worker:
        yield worker


@contextmanager
def spawned_worker(rank: int, world_size: int, port: int) -> Iterator[Worker]:
    """One of the CPU processes of this machine that rendezvous at `port`."""
    with _process_group(Worker(rank, world_size), f"tcp://127.0.0.1:{port}") as worker:
        yield worker


@contextmanager
def _process_group(worker: Worker, rendezvous: str) -> Iterator[Worker]:
    if worker.device.type == "cuda":
        torch.cuda.set_device(worker.device)
    backend = "nccl" if worker.device.type == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=rendezvous, rank=worker.rank, world_size=worker.world_size)
    try:
        yield worker
        dist.barrier()
    finally:
        dist.destroy_process_group()


def to_device(batch: Batch, device: torch.device) -> Batch:
    """A batch (a dataclass) with its tensors on the device."""
    if device.type == "cpu":
        return batch
    values: dict[str, Any] = {field.name: getattr(batch, field.name) for field in fields(batch)}  # type: ignore[arg-type]
    tensors = {name: value.to(device, non_blocking=True) for name, value in values.items() if isinstance(value, Tensor)}
    return replace(batch, **tensors)  # type: ignore[type-var]
