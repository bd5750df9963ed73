"""Objective of the published training: masks at sampled points on every stage, and the tokens of the answer.

Li et al. 2025, arXiv 2504.09644, with the weights of their released configuration.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from segmenter.data.labelled_images import AskedImages
from segmenter.network.config import TASKS
from segmenter.network.network import ImageState, SegEarthR1, masked_mean, normalise
from segmenter.training.distributed import Worker
from segmenter.training.point_loss import point_losses, unsure_points
from segmenter.training.run import Run

#: Weight of each loss in the total; `entropy` and `dice` are sums over the stages.
WEIGHTS = {"entropy": 5.0, "dice": 5.0, "text": 1.0}


class PublishedObjective:
    """Computes the losses named in `WEIGHTS` over the questions of all processes."""

    def __init__(self, bf16: bool, worker: Worker | None = None) -> None:
        self.bf16, self.worker = bf16, worker or Worker()

    def __call__(self, run: Run, batch: AskedImages, generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of a batch by name, each a scalar with gradient. Random points use the batch's seeds."""
        with torch.autocast(self.worker.device.type, torch.bfloat16, enabled=self.bf16):
            state = run.network.encode_image(normalise(batch.pixels))
            description, words = read(run.network, state, batch)
            stages, _ = run.network.segment(state, batch.image_index, description)
        parts = self._masks([stage.float() for stage in stages], batch)
        text = self.worker.all_reduce(torch.stack((words, batch.said.sum().to(words.dtype))))
        return {**parts, "text": text[0] / text[1].clamp(min=1)}

    @staticmethod
    def total(parts: dict[str, Tensor]) -> Tensor:
        """The weighted sum to minimise."""
        return torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()

    def _masks(self, stages: list[Tensor], batch: AskedImages) -> dict[str, Tensor]:
        """Sums over the stages of the mean loss per mask."""
        target, known = (maps[batch.target_index].float() for maps in (batch.targets, batch.known))
        generators = [torch.Generator(target.device).manual_seed(seed) for seed in batch.seeds.tolist()]
        sums = [torch.zeros((), device=target.device) for _ in range(2)]
        for stage in stages:
            losses = point_losses(stage, target, known, unsure_points(stage, generators))
            sums = [before + loss.sum() for before, loss in zip(sums, losses, strict=True)]
        entropy, dice, count = self.worker.all_reduce(torch.stack((*sums, sums[0].new_tensor(len(batch.seeds)))))
        return {"entropy": entropy / count, "dice": dice / count}


def read(network: SegEarthR1, state: ImageState, batch: AskedImages) -> tuple[Tensor, Tensor]:
    """Descriptions `[N, H]` float32 of the questions, and the summed cross-entropy of all answer tokens.

    The image prompt of a task runs once per image.
    """
    rows: list[Tensor] = []
    words: list[Tensor] = []
    order: list[Tensor] = []
    for number, task in enumerate(TASKS):
        chosen = (batch.reasoning == (number == 0)).nonzero()[:, 0]
        if len(chosen) == 0:
            continue
        past = network.prefix(state.image_tokens, task).select(batch.image_index[chosen])
        hidden, _ = network.model(network.model.embed_tokens(batch.ids[chosen]), past)  # [n, R, H]
        rows.append(masked_mean(hidden.float(), batch.asked[chosen]))
        said = batch.said[chosen, 1:]
        logits = network.lm_head(hidden[:, :-1][said])  # [tokens, vocabulary]
        words.append(F.cross_entropy(logits.float(), batch.ids[chosen, 1:][said], reduction="sum"))
        order.append(chosen)
    position = torch.cat(order).argsort()
    return torch.cat(rows)[position], torch.stack(words).sum()
