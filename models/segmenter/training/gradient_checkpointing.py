"""Gradient checkpointing: layers keep their inputs alone and compute the rest again in the backward pass.

Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from segmenter.network.language_model import PhiLayer
from segmenter.network.mask_generator import CrossAttentionLayer, FeedForwardLayer
from segmenter.network.pixel_decoder import DeformableLayer
from segmenter.network.vision_encoder import SwinBlock

#: Convolutional blocks are not among them: computed twice, their batch norms would count a batch twice.
_LAYERS = (PhiLayer, SwinBlock, DeformableLayer, CrossAttentionLayer, FeedForwardLayer)


def save_memory(network: nn.Module) -> None:
    """Makes the layers of a network recompute; its weights, names and results stay. Random choices are drawn again alike."""
    for module in network.modules():
        if isinstance(module, _LAYERS) and "forward" not in vars(module):
            module.forward = partial(checkpoint, module.forward, use_reentrant=False)  # type: ignore[method-assign]
