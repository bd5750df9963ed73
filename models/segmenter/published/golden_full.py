"""The full-size network with random weights, converted and exported like a release, and the reference vectors as JSON.

The output is the input of the runtime's test (`npm run test:golden`): a model folder, and `golden.json` with the published
code's results for the same weights. It needs the vectors (`golden.npz` and its image), 13 GB of disk and 8 GB of memory.
"""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from segmenter.export.export import export_model
from segmenter.export.manifest import Release
from segmenter.language.tokenizer import PAD, SEG
from segmenter.network.config import ModelConfig, Task
from segmenter.published.random_weights import write_release
from segmenter.published.release_weights import ReleaseWeights

#: Tasks of the prompts in the vectors.
TASKS: tuple[Task, ...] = ("REASONING", "REASONING", "REFERRING")

#: Maximum absolute difference of each tensor (section 4 of the description of the vectors).
LIMITS = {"tokens": 5e-5, "mask_features": 1e-4, "d": 5e-5, "logits": 5e-4}


def prepare(vectors: Path, out: Path, config: ModelConfig) -> None:
    """Writes `model/` and `golden.json` to `out`; removes intermediate files after use."""
    golden = np.load(vectors / "golden.npz")
    drawn, tokenizer = out / "release", out / "tokenizer.json"
    print(f"wrote {write_release(drawn, config, int(golden['seed']))} random tensors")
    numbered_tokenizer(config).save(str(tokenizer))
    weights = ReleaseWeights(drawn, config.language.heads)
    weights.check(config)
    facts = Release("golden", "Apache-2.0", (0.5, 153.0), [], {})
    differences = export_model(config, weights.read, out / "model", tokenizer, facts, "fp32")
    shutil.rmtree(drawn)
    print(f"exported, largest relative difference to torch {max(differences.values()):.1e}")
    image = vectors / str(golden["image"])
    shutil.copyfile(image, out / "image.png")
    (out / "golden.json").write_text(json.dumps(reference_values(golden)), encoding="utf-8")


def numbered_tokenizer(config: ModelConfig) -> Tokenizer:
    """A tokenizer with numbers as tokens: the vectors hold token ids, so no text is encoded."""
    size = config.vocabulary.size
    words = {str(number): number for number in range(size - 2)}
    return Tokenizer(WordLevel({**words, PAD: size - 2, SEG: size - 1}, unk_token="0"))


def reference_values(golden: Any) -> dict[str, Any]:
    """Results of the published code: probes of image tensors, descriptions, logits, and the final masks."""
    return {
        "letterbox": {"sha256": str(golden["letterbox_sha256"])},
        "limits": LIMITS,
        "image_tokens": _probes(golden, "tokens"),
        "mask_features": _probes(golden, "mask_features"),
        "prompts": [
            {
                "task": task,
                "ids": golden[f"p{prompt}_ids"].tolist(),
                "description": golden[f"p{prompt}_d"].ravel().tolist(),
                "logits": _packed(golden["final_logits"][prompt].astype("<f4")),
                "mask": _packed(golden["mask_bits"][prompt]),
            }
            for prompt, task in enumerate(TASKS)
        ],
    }


def _probes(golden: Any, name: str) -> dict[str, Any]:
    return {"at": golden[f"{name}_idx"].tolist(), "value": golden[f"{name}_val"].tolist()}


def _packed(values: Any) -> str:
    """Base64 of the bytes, row-major; float32 little-endian, masks eight pixels a byte from the highest bit."""
    return base64.b64encode(values.tobytes()).decode()
