"""Gradient checkpointing: layers keep only their inputs and recompute activations in the backward pass.

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

#: Not convolutional blocks: recomputing would update the statistics of their batch norms twice.
_LAYERS = (PhiLayer, SwinBlock, DeformableLayer, CrossAttentionLayer, FeedForwardLayer)


def save_memory(network: nn.Module) -> None:
    """Makes the layers of a network recompute activations. Weights, names, results and random draws stay the same."""
    for module in network.modules():
        if isinstance(module, _LAYERS) and "forward" not in vars(module):
            module.forward = partial(checkpoint, module.forward, use_reentrant=False)  # type: ignore[method-assign]
