"""Hard negatives: where a trained image side sees something in training pictures that their labels rule out.

`mine` writes the places of its strongest false alarms beside the packs; the mixture then draws a share of its windows around
them (Shrivastava et al. 2016, "Training Region-based Object Detectors with Online Hard Example Mining", section 4, done between
two trainings and not within one).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from segmenter.data.mixture import DECIDED, Places
from segmenter.data.windows import CATEGORIES, Source, Window, bits, labelled_window
from segmenter.errors import TrainError
from segmenter.network.checkpoint import network_of, read_checkpoint
from segmenter.network.mask_generator import evidence
from segmenter.network.network import SegEarthR1, normalise

#: Mean of the surest logits from which a class is seen, and false alarms kept of one picture.
LEAST_EVIDENCE, MOST_A_PICTURE = 0.0, 3


def false_alarms(logits: Tensor, window: Window) -> list[tuple[float, int, int]]:
    """The classes seen in a window that is decided to be without them: evidence, and row and column of the surest cell.

    `logits` are the dense head's [classes, h, w]; the strongest come first.
    """
    known, labels = int(np.bitwise_and.reduce(window.known, axis=None)), int(np.bitwise_or.reduce(window.labels, axis=None))
    found = []
    for number, one in enumerate(logits):
        if known >> number & 1 and not labels >> number & 1 and (seen := float(evidence(one))) > LEAST_EVIDENCE:
            row, column = divmod(int(one.argmax()), one.shape[1])
            found.append((seen, row, column))
    return sorted(found, reverse=True)[:MOST_A_PICTURE]


@torch.inference_mode()
def mined(
    network: SegEarthR1, head: Tensor, bias: Tensor, source: Source, every: int
) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Per training picture with false alarms its key and their places (row, column in px of the picture)."""
    side, decided = network.config.window_px, bits(DECIDED[source.name])
    for entry in source.entries[::every]:
        extent = min(entry.height, entry.width)
        window = labelled_window(source, decided, entry, (0, 0, extent, extent), side)
        state = network.encode_image(normalise(torch.from_numpy(window.pixels.copy())[None]))
        logits = torch.einsum("kc,cyx->kyx", head, state.mask_features[0]) + bias[:, None, None]
        scale = extent / logits.shape[-1]
        places = [(int((row + 0.5) * scale), int((column + 0.5) * scale)) for _, row, column in false_alarms(logits, window)]
        if places:
            yield entry.key, places


def mine(checkpoint: Path, data: Path, names: list[str], every: int) -> Places:
    """Places of false alarms by source and picture. Raises TrainError for a checkpoint without a dense head."""
    entries = read_checkpoint(checkpoint)
    if "dense.weight" not in entries.get("heads", {}):
        raise TrainError(f"{checkpoint} holds no dense head; it must be of `segmenter train`")
    network = network_of(entries["config"], entries["weights"])
    head, bias = entries["heads"]["dense.weight"].flatten(1), entries["heads"]["dense.bias"]
    if len(head) != len(CATEGORIES):
        raise TrainError(f"{checkpoint} names {len(head)} classes; there are {len(CATEGORIES)}")
    return {name: dict(mined(network, head, bias, Source(data / name, "train"), every)) for name in names}
