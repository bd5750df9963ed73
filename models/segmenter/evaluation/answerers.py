"""Answerers: a checkpoint run with torch, or an exported model run with ONNX Runtime."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor

from segmenter.data.windows import Pixels
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.checkpoint import load_network
from segmenter.network.config import Task
from segmenter.network.mask_generator import joined_logits
from segmenter.network.network import SegEarthR1, normalise


class TorchAnswerer:
    """The network of a checkpoint. `side` is the window size, px."""

    def __init__(self, network: SegEarthR1, tokenizer: QuestionTokenizer, task: Task = "REASONING") -> None:
        self.network, self.tokenizer, self.task = network.eval(), tokenizer, task
        self.side = network.config.window_px

    @classmethod
    def load(cls, path: Path) -> "TorchAnswerer":
        """Reads a checkpoint; raises as `checkpoint.read_checkpoint`."""
        return cls(load_network(path), QuestionTokenizer.load())

    @torch.inference_mode()
    def logits(self, pixels: Pixels, texts: list[str], task: Task | None = None) -> Tensor:
        """RGB uint8 `[S, S, 3]` and N questions to mask logits float32 `[N, S/4, S/4]`; `task` overrides the default."""
        state = self.network.encode_image(normalise(torch.from_numpy(np.ascontiguousarray(pixels))[None]))
        ids, mask = self.tokenizer.batch(texts)
        index = torch.zeros(len(texts), dtype=torch.int64)
        description = self.network.describe(state, index, task or self.task, ids, mask)
        stages, presence = self.network.segment(state, index, description, every_stage=False)
        return stages[-1] if presence is None else joined_logits(stages[-1], presence[:, None, None])


class OnnxAnswerer:
    """The three exported graphs, connected by tensor name as in the service."""

    def __init__(self, folder: Path, threads: int, task: Task = "REASONING") -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._sessions = {
            part: ort.InferenceSession(str(folder / manifest["files"][part]["path"]), options, ["CPUExecutionProvider"])
            for part in ("vision", "language", "mask")
        }
        self._prompts = {name: np.array([ids], np.int64) for name, ids in manifest["prompt"].items()}
        self.task = task
        self.tokenizer = QuestionTokenizer.load(folder / manifest["files"]["tokenizer"]["path"])
        self.side = int(manifest["windowPx"])

    @classmethod
    def load(cls, folder: Path, threads: int) -> "OnnxAnswerer":
        """Opens an exported model; raises FileNotFoundError if its manifest or a graph is missing."""
        return cls(folder, threads)

    def _run(self, part: str, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        session = self._sessions[part]
        feeds = {need.name: tensors[need.name] for need in session.get_inputs()}
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds), strict=True))

    def logits(self, pixels: Pixels, texts: list[str], task: Task | None = None) -> Tensor:
        """RGB uint8 `[S, S, 3]` and N questions to mask logits float32 `[N, S/4, S/4]`; `task` overrides the default."""
        prompt = self._prompts[task or self.task]
        seen = self._run("vision", {"image": np.ascontiguousarray(pixels)[None]})
        past = next(i for i in self._sessions["language"].get_inputs() if i.name == "past_keys")
        layers, heads, _, width = (int(n) if isinstance(n, int) else 0 for n in past.shape)
        nothing = np.zeros((layers, heads, 0, width), np.float32)
        prefix = self._run(
            "language",
            {
                **seen,
                "input_ids": prompt,
                "attention_mask": np.ones_like(prompt),
                "past_keys": nothing,
                "past_values": nothing,
            },
        )
        ids, mask = (tensor.numpy() for tensor in self.tokenizer.batch(texts))
        asked = self._run(
            "language",
            {
                **seen,
                "input_ids": ids,
                "attention_mask": mask,
                "past_keys": prefix["present_keys"][:, 0],
                "past_values": prefix["present_values"][:, 0],
            },
        )
        answer = self._run("mask", {**seen, "description": asked["description"]})
        return torch.from_numpy(answer["logits"])
