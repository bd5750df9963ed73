"""A new image side under a language half that knows another: the checkpoint that joint training starts from.

The language half was taught on the res5 of its own encoder. What reads res5 there, the connector's first convolution and
the D-Projector's first layer, is linear: it is put behind the affine map that tells the old res5 from the new one best (ridge
regression over the cells of training windows), and so reads the new res5 as if it were the old. The last layer of the mask
generator, and what presence looks for, are fitted likewise to the rows of the heads that name classes: a question then
gives about the mask that the dense head has for its category, and training begins from there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from segmenter.errors import TrainError
from segmenter.network.checkpoint import network_of
from segmenter.network.network import SegEarthR1, normalise
from segmenter.training.fitting import AffineMap, fit

#: Parts of the network that come from the image side's checkpoint.
IMAGE_PARTS = ("model.vision_tower.", "pixel_decoder.", "predictor.whole_window.")


@torch.inference_mode()
def deepest(network: SegEarthR1, pixels: Tensor) -> Tensor:
    """res5 of windows uint8 [B, S, S, 3] as rows [cells, C]."""
    maps: list[Tensor] = network.model.vision_tower(normalise(pixels))
    return maps[-1].permute(0, 2, 3, 1).flatten(0, 2)


def behind(weights: dict[str, Tensor], found: AffineMap) -> dict[str, Tensor]:
    """The two layers of the old network that read res5, put behind the map."""
    kernel, rows = weights["model.mm_projector.proj1.weight"], weights["local_project.weight"]
    return {
        "model.mm_projector.proj1.weight": torch.einsum("oikl,in->onkl", kernel, found.matrix),
        "model.mm_projector.proj1.bias": weights["model.mm_projector.proj1.bias"] + kernel.sum((2, 3)) @ found.offset,
        "local_project.weight": rows @ found.matrix,
        "local_project.bias": weights["local_project.bias"] + rows @ found.offset,
    }


def biased_features(weights: dict[str, Tensor], heads: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Moves the dense head's biases into those of the mask features: a query that equals a class's row gives its mask whole."""
    rows, bias = heads["dense.weight"].flatten(1), heads["dense.bias"]
    added = torch.linalg.pinv(rows) @ bias
    name = "pixel_decoder.mask_features.bias"
    return {name: weights[name] + added}, {"dense.bias": bias - rows @ added}


def graft(
    image: dict[str, Any], words: dict[str, Any], pixels: list[Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor], float]:
    """Weights and heads of the joined network, and how much of the old res5 the new one tells.

    `image` and `words` are the entries of two checkpoints, `pixels` batches of training windows. Raises TrainError where the
    halves do not belong to networks that differ in their image side alone.
    """
    new, old = (network_of(entries["config"], entries["weights"]) for entries in (image, words))
    if new.config.language != old.config.language or new.config.vocabulary != old.config.vocabulary:
        raise TrainError(f"{new.config.name} and {old.config.name} have other language models; one cannot take the other's")
    if "dense.weight" not in image.get("heads", {}):
        raise TrainError("the checkpoint of the image side holds no dense head; it must be of `segmenter train --stage vision`")
    found = fit(*(torch.cat([deepest(network, batch) for batch in pixels]) for network in (new, old)))
    theirs = {name: value for name, value in words["weights"].items() if not name.startswith(IMAGE_PARTS)}
    own: dict[str, Tensor] = dict(image["weights"])
    taken = {name: value for name, value in theirs.items() if name in own and own[name].shape == value.shape}
    changed, heads = biased_features(own, image["heads"])
    joined = {**own, **taken, **behind(words["weights"], found), **changed}
    return joined, {**image["heads"], **heads}, found.explained
