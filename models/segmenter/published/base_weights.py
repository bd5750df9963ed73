"""The weights that the published training starts from: Phi-1.5 for the language model, Mask2Former for the image side.

Connector, projectors and D-Projector start at random, as do the convolution biases that Mask2Former lacks. Two tokens are
new: `[PAD]` starts as the mean of all others, `[SEG]` at random. Li et al. 2025, arXiv 2504.09644; their scripts take the
Swin-B Mask2Former of COCO panoptic segmentation (IN21k, `model_final_54b88a.pkl`).
"""

from __future__ import annotations

import dataclasses
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer
from torch import Tensor

from segmenter.language.tokenizer import PAD, SEG
from segmenter.network.config import ModelConfig
from segmenter.network.network import SegEarthR1
from segmenter.published.release_weights import ReleaseWeights

#: Spread of the values that `[SEG]` starts with.
NEW_TOKEN_STD = 0.02
#: Objects that a pickle of arrays may name. They build arrays, and run nothing else.
_ARRAYS = {"_reconstruct", "ndarray", "dtype", "scalar", "OrderedDict", "encode"}
_MODULES = {"numpy", "numpy.core.multiarray", "numpy._core.multiarray", "collections", "_codecs"}
#: Names of Mask2Former's file and of the network, the first that fits.
_RENAMED = (
    (re.compile(r"backbone\.(.*)"), r"model.vision_tower.\1"),
    (re.compile(r"sem_seg_head\.pixel_decoder\.(adapter_1|layer_1)\.norm\.(.*)"), r"pixel_decoder.\1.1.\2"),
    (re.compile(r"sem_seg_head\.pixel_decoder\.(adapter_1|layer_1)\.(weight|bias)"), r"pixel_decoder.\1.0.\2"),
    (re.compile(r"sem_seg_head\.predictor\.static_query\.(.*)"), r"predictor.query_feat.\1"),
    (re.compile(r"sem_seg_head\.((?:pixel_decoder|predictor)\..*)"), r"\1"),
)


class BaseWeightsError(ValueError):
    """A file is not what the network can start from."""


class _Arrays(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name not in _MODULES or global_name not in _ARRAYS:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}; only arrays are read")
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)


def mask2former_weights(path: Path) -> dict[str, Tensor]:
    """The arrays of a Mask2Former model file by the network's names; what has no part in the network keeps its own.

    Raises BaseWeightsError for what is no pickle of arrays under `model`. No code of the file is run.
    """
    try:
        with path.open("rb") as file:
            content = _Arrays(file, encoding="latin1").load()
        arrays = {str(key): torch.from_numpy(np.array(value)) for key, value in content["model"].items()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BaseWeightsError(f"{path} is no model file of Mask2Former: {error!r}") from error
    return {_renamed(key): value for key, value in arrays.items()}


def _renamed(key: str) -> str:
    for pattern, name in _RENAMED:
        if match := pattern.fullmatch(key):
            return match.expand(name)
    return key


def base_weights(config: ModelConfig, phi: Path, mask2former: Path, seed: int = 0) -> dict[str, Tensor]:
    """All weights of the published layout. Raises BaseWeightsError where the language model or the encoder do not fit."""
    torch.manual_seed(seed)
    bare = dataclasses.replace(config, language=dataclasses.replace(config.language, layers=0))
    weights = SegEarthR1(bare).state_dict()  # all but the layers of the language model
    image_side = mask2former_weights(mask2former)
    tower = {key for key in weights if key.startswith("model.vision_tower.")}
    wrong = sorted(key for key in tower if key not in image_side or image_side[key].shape != weights[key].shape)
    if wrong:
        raise BaseWeightsError(f"{mask2former} lacks {len(wrong)} weights of the vision encoder or has others: {wrong[:3]}")
    weights |= {key: value for key, value in image_side.items() if key in weights and weights[key].shape == value.shape}
    return weights | _language_weights(config, phi)


def _language_weights(config: ModelConfig, phi: Path) -> dict[str, Tensor]:
    release = ReleaseWeights(phi, config.language.heads)
    with torch.device("meta"):
        expected = SegEarthR1(config).state_dict()
    tables = ("model.embed_tokens.weight", "lm_head.weight")
    layers = [key for key in expected if key.startswith(("model.layers.", "model.final_layernorm."))]
    missing = sorted({*tables, *layers} - release.layouts.keys())
    if missing:
        raise BaseWeightsError(f"{phi} lacks {len(missing)} weights of Phi-1.5: {missing[:3]}")
    wrong = [key for key in layers if release.layouts[key].shape != tuple(expected[key].shape)]
    if wrong:
        raise BaseWeightsError(f"{len(wrong)} weights of {phi} are of another shape: {wrong[:3]}")
    return {key: release.read(key) for key in layers} | {
        key: widened(release.read(key), config.vocabulary.pad_id, config.vocabulary.seg_id) for key in tables
    }


def widened(table: Tensor, pad: int, seg: int) -> Tensor:
    """A token table `[rows, width]` cut to the `pad` tokens that are used, with a row for `[PAD]` and, behind it, `[SEG]`."""
    if len(table) < pad or seg != pad + 1:
        raise BaseWeightsError(f"a table of {len(table)} tokens has no room for [PAD] at {pad} and [SEG] at {seg}")
    used = table[:pad].float()
    return torch.cat((used, used.mean(0, keepdim=True), NEW_TOKEN_STD * torch.randn(1, used.shape[1])))


def widened_tokenizer(phi: Path, config: ModelConfig) -> Tokenizer:
    """Phi's tokenizer with `[PAD]` and `[SEG]` behind its tokens."""
    path = phi / "tokenizer.json"
    if not path.is_file():
        raise BaseWeightsError(f"there is no {path}")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_special_tokens([AddedToken(PAD, special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(SEG, normalized=False)])
    for token, wanted in ((PAD, config.vocabulary.pad_id), (SEG, config.vocabulary.seg_id)):
        if tokenizer.token_to_id(token) != wanted:
            raise BaseWeightsError(f"{token} behind {path} gets the id {tokenizer.token_to_id(token)}; the network has {wanted}")
    return tokenizer
