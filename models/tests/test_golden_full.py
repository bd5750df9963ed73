"""What the runtime's golden test is prepared from, on a tiny network: drawn, converted and exported like a release."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from images import png
from segmenter.__main__ import main
from segmenter.published.golden_full import TASKS, prepare
from segmenter.published.random_weights import random_weight
from tiny import tiny


def write_vectors(folder: Path) -> None:
    """Vectors in the format of the reference vectors, with arbitrary values."""
    (folder / "image.png").write_bytes(png(np.zeros((10, 20, 3), np.uint8)))
    probes = {f"{name}_{part}": np.arange(4) for name in ("tokens", "mask_features") for part in ("idx", "val")}
    prompts = {f"p{n}_ids": np.array([5, 6, 7 + n]) for n in range(3)} | {
        f"p{n}_d": np.ones((1, 16), np.float32) for n in range(3)
    }
    logits, bits = np.full((3, 32, 32), 0.5, np.float32), np.full((3, 2), 129, np.uint8)
    facts = {"seed": 4, "image": "image.png", "letterbox_sha256": "ab", "final_logits": logits, "mask_bits": bits}
    arrays: dict[str, Any] = facts | probes | prompts
    np.savez(folder / "golden.npz", **arrays)


def test_a_drawn_release_becomes_a_model_folder_and_reference_values(tmp_path: Path) -> None:
    write_vectors(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    prepare(tmp_path, out, dataclasses.replace(tiny(presence=False), published_layout=True))
    assert sorted(path.name for path in out.iterdir()) == ["golden.json", "image.png", "model", "tokenizer.json"]
    vision = onnx.load(out / "model" / "vision.onnx")
    stored = {array.name: numpy_helper.to_array(array) for array in vision.graph.initializer}
    kernel = next(value for name, value in stored.items() if name.endswith("vision_tower.patch_embed.proj.weight"))
    assert np.array_equal(kernel, random_weight("model.vision_tower.patch_embed.proj.weight", (8, 3, 4, 4), 4))
    values = json.loads((out / "golden.json").read_text(encoding="utf-8"))
    assert [prompt["task"] for prompt in values["prompts"]] == list(TASKS)
    assert values["prompts"][2]["ids"] == [5, 6, 9] and len(values["prompts"][0]["description"]) == 16
    assert np.frombuffer(base64.b64decode(values["prompts"][0]["logits"]), "<f4").tolist() == [0.5] * 1024
    assert base64.b64decode(values["prompts"][1]["mask"]) == bytes([129, 129])


def test_vectors_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"segmenter golden-full: .* has no golden\.npz"):
        main(["golden-full", "--vectors", str(tmp_path), "--out", str(tmp_path / "out")])
