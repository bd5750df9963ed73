"""The mask generator's last layer and its presence, fitted to a dense head that has learnt the classes already.

A question's query ought to become the row of the dense head that names its category: then its mask is the dense head's. That
is a regression, solved in one go over the questions of some windows, where training by masks would take hours.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from segmenter.data.batches import Batch
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.mask_generator import Presence
from segmenter.network.network import SegEarthR1, normalise, question_slots
from segmenter.training.fitting import fit


def class_rows(heads: dict[str, Tensor], batch: Batch) -> Tensor:
    """What each question's query ought to become [N, dim + window + 1]: its category's row of the dense head, and its row and
    bias of the presence head; of a union the mean of its parts."""
    rows = torch.cat((heads["dense.weight"].flatten(1), heads["presence.weight"], heads["presence.bias"][:, None]), 1)
    numbers = torch.arange(len(rows), dtype=torch.int32)
    asked = (batch.category_bits[:, None] >> numbers & 1).float()
    return asked @ rows / asked.sum(1, keepdim=True)


class Taps:
    """What went into a network's last mask layer and out of its last norm, by the questions of a batch."""

    def __init__(self, network: SegEarthR1, tokenizer: QuestionTokenizer) -> None:
        self.network, self.tokenizer = network, tokenizer
        self.last = network.predictor.mask_embed.layers[-1]
        self._hidden = self._normed = torch.zeros(0)

    def read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Both for each question, [N, dim] each."""
        hooks = (
            self.last.register_forward_pre_hook(self._keep_hidden),
            self.network.predictor.decoder_norm.register_forward_hook(self._keep_normed),
        )
        try:
            state = self.network.encode_image(normalise(batch.pixels))
            ids, mask = self.tokenizer.batch([batch.texts[int(number)] for number in batch.text_index])
            description = self.network.describe(state, batch.image_index, "REASONING", ids, mask)
            self.network.segment(state, batch.image_index, description, every_stage=False)
        finally:
            for hook in hooks:
                hook.remove()
        slot, _ = question_slots(batch.image_index, len(batch.pixels))
        return self._hidden[batch.image_index, slot], self._normed[batch.image_index, slot]

    def _keep_hidden(self, _module: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._hidden = given[0]

    def _keep_normed(self, _module: nn.Module, _given: tuple[Tensor, ...], made: Tensor) -> None:
        self._normed = made


@torch.no_grad()
def align(network: SegEarthR1, heads: dict[str, Tensor], batches: Iterable[Batch], tokenizer: QuestionTokenizer) -> float:
    """Fits the mask generator's last layer and its presence to the classes' rows, in place; returns the explained share.

    The layers before keep their weights; as they attend to what earlier masks show, it is worth a second round.
    """
    taps = Taps(network, tokenizer)
    hidden, normed, rows = [], [], []
    for batch in batches:
        if batch.texts:
            read = taps.read(batch)
            hidden.append(read[0])
            normed.append(read[1])
            rows.append(class_rows(heads, batch))
    wanted, dim = torch.cat(rows), network.config.pixel_decoder.dim
    masks, seen = fit(torch.cat(hidden), wanted[:, :dim]), fit(torch.cat(normed), wanted[:, dim:])
    presence = network.predictor.presence
    assert isinstance(presence, Presence)
    _put(taps.last, masks.matrix, masks.offset)
    _put(presence.looks_for, seen.matrix[:-1], seen.offset[:-1])
    _put(presence, seen.matrix[-1:], seen.offset[-1:])
    presence.evidence.zero_()
    return masks.explained


def _put(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    layer.get_parameter("weight").copy_(weight)
    layer.get_parameter("bias").copy_(bias)
