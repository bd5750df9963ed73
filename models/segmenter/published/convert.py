"""Conversion of published SegEarth-R1 weights to a checkpoint, and the record of their origin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from segmenter.export.manifest import sha256_of
from segmenter.network.checkpoint import save_checkpoint
from segmenter.network.config import ModelConfig
from segmenter.published.release_weights import ReleaseWeights, weight_files


def published_origin(folder: Path, name: str | None) -> dict[str, Any] | None:
    """Origin of the weights for a manifest or checkpoint; None without `name`.

    Evaluations compare scores with published ones only if it is known.
    """
    if name is None:
        return None
    return {"release": name, "sha256": {path.name: sha256_of(path) for path in weight_files(folder)}}


def write_checkpoint(weights: ReleaseWeights, path: Path, config: ModelConfig, origin: dict[str, Any] | None) -> None:
    """Writes the checkpoint of a validated release; weights keep their dtype."""
    extra = {} if origin is None else {"converted_from": origin}
    save_checkpoint(path, config, {key: weights.read(key) for key in weights.layouts}, **extra)
