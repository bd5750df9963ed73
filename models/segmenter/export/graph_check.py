"""Compares exported graphs in ONNX Runtime with their network in torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from segmenter.export.graphs import Graph
from segmenter.network.config import TASKS
from segmenter.network.network import SegEarthR1

Feeds = dict[str, NDArray[Any]]

#: Maximum difference relative to the largest absolute value of the tensor.
RELATIVE_LIMIT = 1e-4

#: Pixels with a smaller absolute logit may change sign.
UNDECIDED_LOGIT = 1e-3


def open_graph(path: Path, threads: int = 1, lean: bool = False) -> onnxruntime.InferenceSession:
    """A CPU session of an exported graph.

    A `lean` session uses less memory and more time: weights stay in their file as stored and are converted one at a time.
    Optimisations beyond the basic ones would convert all of them at once.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if lean:
        options.enable_cpu_mem_arena = False
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.add_session_config_entry("session.disable_prepacking", "1")
    disabled = ["ConstantFolding"] if lean else []
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled)


def run_graph(session: onnxruntime.InferenceSession, feeds: Feeds) -> Feeds:
    """Outputs by name; ignores surplus `feeds`."""
    names = [output.name for output in session.get_outputs()]
    wanted = {taken.name: feeds[taken.name] for taken in session.get_inputs()}
    return dict(zip(names, session.run(names, wanted), strict=True))


def check_graphs(network: SegEarthR1, exported: Sequence[Graph], folder: Path) -> dict[str, float]:
    """Largest relative difference of each graph to its module, over a complete pass with cached prefix.

    Raises ValueError if a difference exceeds `RELATIVE_LIMIT` or a decided pixel changes sign.
    """
    vision, language, mask = exported
    config = network.config
    rng = np.random.default_rng(0)
    image = {"image": rng.integers(0, 256, (1, config.window_px, config.window_px, 3), dtype=np.uint8)}
    seen = run_module(vision, image)
    worst = {"vision": compare(vision, folder, [(image, seen)])}

    asked: list[tuple[Feeds, Feeds]] = []
    for task, lengths in zip(TASKS, ((4, 9, 6), (5,)), strict=True):
        past = np.zeros((config.language.layers, config.language.heads, 0, config.language.head_dim), np.float32)
        prefix = {**seen, **_unpadded(np.array([config.prompt(task)])), "past_keys": past, "past_values": past}
        first = run_module(language, prefix)
        cached = {"past_keys": first["present_keys"][:, 0], "past_values": first["present_values"][:, 0]}
        question = {**seen, **cached, **_questions(config.vocabulary.seg_id, lengths, rng)}
        asked += [(prefix, first), (question, run_module(language, question))]
    worst["language"] = compare(language, folder, asked)

    described = [{**seen, "description": asked[number][1]["description"]} for number in (1, 3)]
    worst["mask"] = compare(mask, folder, [(feeds, run_module(mask, feeds)) for feeds in described])
    return worst


def compare(graph: Graph, folder: Path, passes: Sequence[tuple[Feeds, Feeds]]) -> float:
    """Largest relative difference of an exported graph to its module (feeds and outputs of each pass).

    Only one graph is open at a time: at full size they do not fit in memory together. Raises ValueError as :func:`check_graphs`.
    """
    worst = 0.0
    session = open_graph(folder / f"{graph.name}.onnx", lean=True)
    for feeds, expected in passes:
        for name, value in run_graph(session, feeds).items():
            difference = relative_difference(value, expected[name])
            if not difference <= RELATIVE_LIMIT:
                raise ValueError(f"{graph.name}.{name} is {difference:.1e} off torch's; the limit is {RELATIVE_LIMIT}")
            worst = max(worst, difference)
            if name == "logits" and (moved := decided_pixels_moved(value, expected[name])):
                raise ValueError(f"{moved} pixels of the mask graph differ from torch beyond {UNDECIDED_LOGIT}")
    return worst


def decided_pixels_moved(logits: NDArray[Any], expected: NDArray[Any]) -> int:
    """Number of pixels whose sign differs although the expected logit is at least `UNDECIDED_LOGIT` in magnitude."""
    return int((((logits > 0) != (expected > 0)) & (np.abs(expected) >= UNDECIDED_LOGIT)).sum())


def run_module(graph: Graph, feeds: Feeds) -> Feeds:
    """Outputs of the graph's torch module by name."""
    with torch.no_grad():
        outputs = graph.module(*(torch.from_numpy(feeds[tensor.name]) for tensor in graph.inputs))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return {tensor.name: output.numpy() for tensor, output in zip(graph.outputs, outputs, strict=True)}


def relative_difference(value: NDArray[Any], expected: NDArray[Any]) -> float:
    """Largest absolute difference relative to the largest absolute expected value."""
    if value.shape != expected.shape:
        raise ValueError(f"shape is {value.shape}, expected {expected.shape}")
    return float(np.abs(value - expected).max() / max(float(np.abs(expected).max()), 1e-12))


def _unpadded(ids: NDArray[np.int64]) -> Feeds:
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def _questions(seg_id: int, lengths: Sequence[int], rng: np.random.Generator) -> Feeds:
    """Random questions of the given token counts, each ended by `[SEG]` and padded on the right."""
    ids = rng.integers(0, seg_id - 1, (len(lengths), max(lengths)))
    mask = np.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, length - 1] = seg_id
        mask[row, :length] = 1
    return {"input_ids": ids, "attention_mask": mask}
