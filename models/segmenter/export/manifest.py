"""The manifest of an exported model: files with checksums, tensors, and measured accuracy.

The service loads a model only if its files match the checksums.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from segmenter.export.graphs import Graph
from segmenter.language.tokenizer import QuestionTokenizer, prompt_pieces
from segmenter.network.config import PIXEL_MEAN, PIXEL_STD, TASKS, ModelConfig


@dataclass(frozen=True)
class Release:
    """Manifest entries about a model besides its tensors."""

    version: str
    license: str
    gsd_m: tuple[float, float]  # smallest and largest ground sampling distance it was trained for, metres per pixel
    training_data: Sequence[dict[str, str]]  # name, licence, use
    accuracy: dict[str, Any]  # as measured by `segmenter evaluate`
    converted_from: dict[str, Any] | None = None  # the published release and the sha256 of its files, by name


def file_entry(path: Path) -> dict[str, Any]:
    """Path (relative to the manifest), SHA-256 and size of a file beside the manifest."""
    return {
        "path": path.name,
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
    }


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_path(folder: Path, name: str) -> Path:
    """Path of the weights of a graph that is too large for a single ONNX file."""
    return folder / f"{name}.weights"


def copy_tokenizer(source: Path, folder: Path, config: ModelConfig) -> Path:
    """Copies the tokenizer beside the graphs; raises ValueError if it does not match `config`."""
    tokenizer = QuestionTokenizer(Tokenizer.from_file(str(source)))
    words = config.vocabulary
    facts: list[tuple[str, object, object]] = [
        ("vocabulary size", tokenizer.vocabulary_size, words.size),
        ("[PAD] id", tokenizer.pad_id, words.pad_id),
        ("[SEG] id", tokenizer.seg_id, words.seg_id),
    ]
    if not config.published_layout:  # the published prompt is fixed in ids
        before, after = prompt_pieces(tokenizer)
        facts.append(("prompt before the image", tuple(before), words.before_image))
        facts.extend((f"{task} prompt", tuple(after[task]), words.after_image[task]) for task in TASKS)
    for what, here, wanted in facts:
        if here != wanted:
            raise ValueError(f"{source} is not the checkpoint's tokenizer: {what} is {here}, expected {wanted}")
    target = folder / "tokenizer.json"
    shutil.copyfile(source, target)
    return target


def write_manifest(
    folder: Path, config: ModelConfig, exported: Sequence[Graph], opset: int, tokenizer: Path, release: Release
) -> Path:
    """Writes `manifest.json` for graphs that lie in `folder` as `<name>.onnx`."""
    files: dict[str, Any] = {}
    for graph in exported:
        files[graph.name] = {
            **file_entry(folder / f"{graph.name}.onnx"),
            "inputs": [dataclasses.asdict(tensor) for tensor in graph.inputs],
            "outputs": [dataclasses.asdict(tensor) for tensor in graph.outputs],
        }
        weights = weights_path(folder, graph.name)
        if weights.exists():
            files[graph.name]["weights"] = file_entry(weights)
    files["tokenizer"] = file_entry(tokenizer)
    manifest = {
        "name": config.name,
        "version": release.version,
        "license": release.license,
        "windowPx": config.window_px,
        "logitsPx": config.logits_px,
        "gsdM": {"min": release.gsd_m[0], "max": release.gsd_m[1]},
        "mean": PIXEL_MEAN,
        "std": PIXEL_STD,
        "opset": opset,
        "vocabSize": config.vocabulary.size,
        "padTokenId": config.vocabulary.pad_id,
        "segTokenId": config.vocabulary.seg_id,
        "imageTokens": config.image_tokens,
        "maxQuestionTokens": config.max_question_tokens,
        "prompt": {task: config.prompt(task) for task in TASKS},
        "files": files,
        "trainingData": list(release.training_data),
        "accuracy": release.accuracy,
    }
    if release.converted_from is not None:
        manifest["convertedFrom"] = release.converted_from
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
