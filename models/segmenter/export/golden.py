"""Reference values of an exported model from the Python pipeline, for comparison with the TypeScript pipeline.

They include intermediate values: the letterboxed window, token ids, description embeddings and logits.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.data.letterbox import Pixels, letterbox, letterbox_geometry
from segmenter.export.graph_check import Feeds, open_graph, run_graph
from segmenter.export.manifest import file_entry
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import TASKS, Task

#: Questions: both tasks, capitals, double spaces, umlauts, emoji, other scripts, text that looks like special tokens.
QUESTIONS: tuple[tuple[Task, str], ...] = (
    ("REFERRING", "the lake"),
    ("REFERRING", "ROADS"),
    ("REASONING", "Where could migrating ducks  land to rest?"),
    ("REASONING", "Welche Straße führt zum Fluss, und wo könnte ein Boot anlegen?"),
    ("REASONING", "Où les agriculteurs font-ils passer leurs tracteurs ? 🚜"),
    ("REASONING", "飞机可以停在哪里？"),
    ("REFERRING", "can't, it's 12,345.6 m²\tof\nwater"),
    ("REFERRING", "[SEG] <|endoftext|> [PAD]"),
    ("REASONING", "x"),
)

_CROP_PX = 32
_PROBES = 256


def golden_values(model: Path, image: Pixels) -> dict[str, Any]:
    """Values of the model in folder `model` for `image` [height, width, 3] and each of `QUESTIONS`."""
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    sessions = {name: open_graph(model / manifest["files"][name]["path"]) for name in ("vision", "language", "mask")}
    tokenizer = QuestionTokenizer.load(model / manifest["files"]["tokenizer"]["path"])
    window = letterbox(image, manifest["windowPx"])
    seen = run_graph(sessions["vision"], {"image": window[None]})
    answers: dict[int, dict[str, Any]] = {}
    for task in TASKS:
        numbers = [number for number, (asked, _) in enumerate(QUESTIONS) if asked == task]
        ids, mask = tokenizer.batch([QUESTIONS[number][1] for number in numbers])
        past = _prefix(sessions["language"], seen, manifest["prompt"][task])
        described = run_graph(sessions["language"], {**seen, **past, "input_ids": ids.numpy(), "attention_mask": mask.numpy()})[
            "description"
        ]
        logits = run_graph(sessions["mask"], {**seen, "description": described})["logits"]
        for row, number in enumerate(numbers):
            answers[number] = {
                "task": task,
                "text": QUESTIONS[number][1],
                "ids": ids[row, : int(mask[row].sum())].tolist(),
                "description": _probes(described[row]),
                "logits": {**_probes(logits[row]), "positives": int((logits[row] > 0).sum())},
            }
    return {
        "model": {"name": manifest["name"], "version": manifest["version"], **file_entry(model / "manifest.json")},
        "letterbox": _letterbox_values(image, window),
        "vision": {name: _probes(value) for name, value in seen.items()},
        "questions": [answers[number] for number in range(len(QUESTIONS))],
    }


def _prefix(language: Any, seen: Feeds, ids: list[int]) -> Feeds:
    """Keys and values of the prompt, as the past of questions."""
    layers, heads, _, head_dim = next(taken.shape for taken in language.get_inputs() if taken.name == "past_keys")
    none = np.zeros((layers, heads, 0, head_dim), np.float32)
    prefix = np.array([ids], np.int64)
    feeds = {"input_ids": prefix, "attention_mask": np.ones_like(prefix), "past_keys": none, "past_values": none}
    first = run_graph(language, {**seen, **feeds})
    return {"past_keys": first["present_keys"][:, 0], "past_values": first["present_values"][:, 0]}


def _letterbox_values(image: Pixels, window: Pixels) -> dict[str, Any]:
    """Geometry, checksum, and two crops: across the edge between bar and image, and at the centre."""
    fitted = letterbox_geometry(image.shape[0], image.shape[1], window.shape[0])
    edge = (max(fitted.top - _CROP_PX // 2, 0), max(fitted.left - _CROP_PX // 2, 0))
    centre = ((window.shape[0] - _CROP_PX) // 2, (window.shape[1] - _CROP_PX) // 2)
    return {
        "heightPx": fitted.height,
        "widthPx": fitted.width,
        "topPx": fitted.top,
        "leftPx": fitted.left,
        "sha256": hashlib.sha256(window.tobytes()).hexdigest(),
        "crops": [
            {
                "row": row,
                "column": column,
                "sidePx": _CROP_PX,
                "rgbBase64": base64.b64encode(window[row : row + _CROP_PX, column : column + _CROP_PX].tobytes()).decode(),
            }
            for row, column in (edge, centre)
        ],
    }


def _probes(value: NDArray[Any]) -> dict[str, Any]:
    """Shape, largest absolute value, and values at evenly spaced indices of the flattened tensor."""
    flat = value.ravel()
    indices = np.unique(np.linspace(0, flat.size - 1, _PROBES).astype(np.int64))
    return {
        "shape": list(value.shape),
        "absMax": float(np.abs(flat).max()),
        "at": indices.tolist(),
        "value": [float(f"{number:.7g}") for number in flat[indices]],
    }
