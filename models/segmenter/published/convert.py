"""Published SegEarth-R1 weights, as their authors release them, to a model folder that the service runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segmenter.export.manifest import sha256_of
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.config import ModelConfig
from segmenter.published.release_weights import ReleaseWeights, weight_files


def published_origin(folder: Path, name: str | None) -> dict[str, Any] | None:
    """What a manifest or checkpoint keeps of where its weights came from; None where `name` is not given.

    An evaluation sets scores beside published ones only where it is known.
    """
    if name is None:
        return None
    return {"release": name, "sha256": {path.name: sha256_of(path) for path in weight_files(folder)}}


def write_checkpoint(weights: ReleaseWeights, path: Path, config: ModelConfig, origin: dict[str, Any] | None) -> None:
    """Writes the checkpoint of a checked release, weights in the dtype that they came in."""
    extra = {} if origin is None else {"converted_from": origin}
    save_checkpoint(path, config, {key: weights.read(key) for key in weights.layouts}, **extra)
