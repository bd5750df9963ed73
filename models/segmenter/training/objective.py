"""Objective of the compact recipe: runs the network and weights the losses of a batch."""

from dataclasses import dataclass

import torch
from torch import Tensor

from segmenter.data.batches import Batch, question_targets
from segmenter.errors import TrainError
from segmenter.language.distil import DistillationBatches, distillation_loss
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import Task
from segmenter.network.network import ImageState, normalise
from segmenter.training.distributed import Worker
from segmenter.training.losses import agreement_loss, class_maps, dense_loss, presence_loss, seen_loss, stages_loss
from segmenter.training.run import Run

#: Weight of each loss in the total.
WEIGHTS = {"dense": 1.0, "seen": 0.5, "entropy": 2.0, "dice": 2.0, "agreement": 1.0, "presence": 1.0, "distil": 0.5}
#: Share of batches with the reasoning prompt; the others use the referring prompt.
REASONING_SHARE = 0.7
#: Distillation sentences per process in each step that trains the language model.
SENTENCES = 32


@dataclass(frozen=True)
class StepScheduler:
    """Which parts learn in a step. The image side learns in every step; the rest doubles the cost and may be skipped.

    Questions are asked in every `ask`-th step, never if it is 0 (the vision stage). The language model learns in every
    `language`-th of those steps and is frozen in the others.
    """

    ask: int
    language: int

    def asks(self, step: int) -> bool:
        """Whether the step asks questions."""
        return self.ask > 0 and step % self.ask == 0

    def learns_language(self, step: int) -> bool:
        """Whether the step trains the language model."""
        return self.asks(step) and step // self.ask % self.language == 0


class Objective:
    """Computes the losses named in `WEIGHTS`; `distillation` adds the loss against the sentence teacher."""

    def __init__(
        self,
        scheduler: StepScheduler,
        tokenizer: QuestionTokenizer,
        bf16: bool,
        distillation: DistillationBatches | None = None,
        worker: Worker | None = None,
    ) -> None:
        self.scheduler, self.tokenizer, self.bf16, self.distillation = scheduler, tokenizer, bf16, distillation
        self.worker = worker or Worker()

    def __call__(self, run: Run, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        """Losses of a batch by name, each a scalar with gradient."""
        asks = self.scheduler.asks(run.step)
        with torch.autocast(self.worker.device.type, torch.bfloat16, enabled=self.bf16):
            state = run.network.encode_image(normalise(batch.pixels)) if asks else _pixels_only(run, batch)
            dense = run.heads["dense"](state.mask_features).float()
            labels, known = class_shares(batch, dense.shape[1], dense.shape[-1])
            parts = {"dense": dense_loss(dense, labels, known, self.worker.all_reduce)}
            if state.window is not None:
                parts["seen"] = seen_loss(run.heads["presence"](state.window).float(), labels, known, self.worker.all_reduce)
            if asks:
                parts |= self._asked(run, state, dense, batch, generator)
            if self.distillation is not None and self.scheduler.learns_language(run.step):
                parts["distil"] = self._distilled(run, self.distillation, generator)
        return parts

    @staticmethod
    def total(parts: dict[str, Tensor]) -> Tensor:
        """The weighted sum to minimise."""
        return torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()

    def _asked(self, run: Run, state: ImageState, dense: Tensor, batch: Batch, generator: torch.Generator) -> dict[str, Tensor]:
        if not batch.texts:
            raise TrainError(f"step {run.step}: none of {len(batch.pixels)} windows has a question")
        with torch.set_grad_enabled(self.scheduler.learns_language(run.step)):
            description = self._described(run, state, batch, generator)
        stages, presence = run.network.segment(state, batch.image_index, description)
        target, decided = question_targets(batch, 2 * stages[-1].shape[-1])
        stages = [stage.float() for stage in stages]
        all_reduce = self.worker.all_reduce
        entropy, dice = stages_loss(stages, target, decided, batch.present, all_reduce)
        asked = dense_of_questions(dense, batch)
        parts = {"entropy": entropy, "dice": dice, "agreement": agreement_loss(stages, asked, batch.present, all_reduce)}
        if presence is not None:
            parts["presence"] = presence_loss(presence.float(), batch.present, all_reduce)
        return parts

    def _described(self, run: Run, state: ImageState, batch: Batch, generator: torch.Generator) -> Tensor:
        """Descriptions `[N, H]` of the questions; each text is encoded once, with a random one of its windows as context.

        This makes the meaning of a text independent of the window.
        """
        device = self.worker.device
        order = torch.randperm(len(batch.text_index), generator=generator).to(device)
        window = torch.zeros(len(batch.texts), dtype=torch.int64, device=device)
        window[batch.text_index[order]] = batch.image_index[order]
        task: Task = "REASONING" if torch.rand((), generator=generator) < REASONING_SHARE else "REFERRING"
        ids, mask = (tensor.to(device) for tensor in self.tokenizer.batch(batch.texts))
        return run.network.describe(state, window, task, ids, mask)[batch.text_index].float()

    def _distilled(self, run: Run, distillation: DistillationBatches, generator: torch.Generator) -> Tensor:
        """Distillation loss averaged over the processes; sentences depend on step and rank alone."""
        batch = distillation.numbered(run.step * self.worker.world_size + self.worker.rank)
        task: Task = "REASONING" if torch.rand((), generator=generator) < REASONING_SHARE else "REFERRING"
        ids, mask, teacher = (tensor.to(self.worker.device) for tensor in batch)
        found = run.heads["sentence"](run.network.describe_text(ids, mask, task)).float()
        return self.worker.all_reduce(distillation_loss(found, teacher)) / self.worker.world_size


def class_shares(batch: Batch, classes: int, side: int) -> tuple[Tensor, Tensor]:
    """Covered and decided share of every class on every cell of the windows, `[B, classes, side, side]` each."""
    labels, known = (class_maps(bits[:, 1::2, 1::2], classes, side) for bits in (batch.labels, batch.known))
    return labels, known


def dense_of_questions(dense: Tensor, batch: Batch) -> Tensor:
    """Dense-head logits `[N, s, s]` of each question's category, from `[B, classes, s, s]`; a union takes its maximum."""
    numbers = torch.arange(dense.shape[1], dtype=torch.int32, device=dense.device)
    asked = (batch.category_bits[:, None] >> numbers & 1).bool()
    return dense[batch.image_index].masked_fill(~asked[:, :, None, None], -torch.inf).amax(1)


def _pixels_only(run: Run, batch: Batch) -> ImageState:
    """The image state without tokens for the language model."""
    maps = run.network.model.vision_tower(normalise(batch.pixels))
    mask_features, ms = run.network.pixel_decoder(maps)
    return ImageState(maps[-4:], mask_features.new_zeros(0), mask_features, ms, run.network.predictor.window(maps[-1]))
