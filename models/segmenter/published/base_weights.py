"""Initial weights of the published training: Phi-1.5 for the language model, Mask2Former for the image side.

Connector, projectors, D-Projector and the convolution biases that Mask2Former lacks are random. Of the two new tokens,
`[PAD]` starts as the mean of all others, `[SEG]` at random. Li et al. 2025, arXiv 2504.09644; their scripts take the
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

#: Standard deviation of the initial `[SEG]` embedding.
NEW_TOKEN_STD = 0.02
#: Objects allowed in a pickle of arrays; they only build arrays.
_ARRAYS = {"_reconstruct", "ndarray", "dtype", "scalar", "OrderedDict", "encode"}
_MODULES = {"numpy", "numpy.core.multiarray", "numpy._core.multiarray", "collections", "_codecs"}
#: Parameter names in Mask2Former's file and in the network; the first match applies.
_RENAMED = (
    (re.compile(r"backbone\.(.*)"), r"model.vision_tower.\1"),
    (re.compile(r"sem_seg_head\.pixel_decoder\.(adapter_1|layer_1)\.norm\.(.*)"), r"pixel_decoder.\1.1.\2"),
    (re.compile(r"sem_seg_head\.pixel_decoder\.(adapter_1|layer_1)\.(weight|bias)"), r"pixel_decoder.\1.0.\2"),
    (re.compile(r"sem_seg_head\.predictor\.static_query\.(.*)"), r"predictor.query_feat.\1"),
    (re.compile(r"sem_seg_head\.((?:pixel_decoder|predictor)\..*)"), r"\1"),
)


class BaseWeightsError(ValueError):
    """The network cannot be initialised from a file."""


class _Arrays(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if module_name not in _MODULES or global_name not in _ARRAYS:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}; only arrays are allowed")
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)


def mask2former_weights(path: Path) -> dict[str, Tensor]:
    """Arrays of a Mask2Former model file by the network's parameter names; unused arrays keep their own names.

    Raises BaseWeightsError if the file is not a pickle of arrays under `model`. Runs no code from the file.
    """
    try:
        with path.open("rb") as file:
            content = _Arrays(file, encoding="latin1").load()
        arrays = {str(key): torch.from_numpy(np.array(value)) for key, value in content["model"].items()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BaseWeightsError(f"{path} is not a Mask2Former model file: {error!r}") from error
    return {_renamed(key): value for key, value in arrays.items()}


def _renamed(key: str) -> str:
    for pattern, name in _RENAMED:
        if match := pattern.fullmatch(key):
            return match.expand(name)
    return key


def base_weights(config: ModelConfig, phi: Path, mask2former: Path, seed: int = 0) -> dict[str, Tensor]:
    """All weights of the published layout. Raises BaseWeightsError if the language model or the encoder do not match."""
    torch.manual_seed(seed)
    bare = dataclasses.replace(config, language=dataclasses.replace(config.language, layers=0))
    weights = SegEarthR1(bare).state_dict()  # all but the layers of the language model
    image_side = mask2former_weights(mask2former)
    tower = {key for key in weights if key.startswith("model.vision_tower.")}
    wrong = sorted(key for key in tower if key not in image_side or image_side[key].shape != weights[key].shape)
    if wrong:
        raise BaseWeightsError(f"{mask2former} lacks {len(wrong)} weights of the vision encoder or has other shapes: {wrong[:3]}")
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
        raise BaseWeightsError(f"{len(wrong)} weights of {phi} have another shape: {wrong[:3]}")
    return {key: release.read(key) for key in layers} | {
        key: widened(release.read(key), config.vocabulary.pad_id, config.vocabulary.seg_id) for key in tables
    }


def widened(table: Tensor, pad: int, seg: int) -> Tensor:
    """A token table `[rows, width]` cut to the `pad` used tokens, with rows for `[PAD]` and `[SEG]` appended."""
    if len(table) < pad or seg != pad + 1:
        raise BaseWeightsError(f"a table of {len(table)} tokens has no room for [PAD] at {pad} and [SEG] at {seg}")
    used = table[:pad].float()
    return torch.cat((used, used.mean(0, keepdim=True), NEW_TOKEN_STD * torch.randn(1, used.shape[1])))


def widened_tokenizer(phi: Path, config: ModelConfig) -> Tokenizer:
    """Phi's tokenizer with `[PAD]` and `[SEG]` appended."""
    path = phi / "tokenizer.json"
    if not path.is_file():
        raise BaseWeightsError(f"{path} does not exist")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_special_tokens([AddedToken(PAD, special=True, normalized=False)])
    tokenizer.add_tokens([AddedToken(SEG, normalized=False)])
    for token, wanted in ((PAD, config.vocabulary.pad_id), (SEG, config.vocabulary.seg_id)):
        if tokenizer.token_to_id(token) != wanted:
            raise BaseWeightsError(f"{token} appended to {path} has the id {tokenizer.token_to_id(token)}; expected {wanted}")
    return tokenizer
