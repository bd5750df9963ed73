"""The bundled model's graphs as one against the three of them, and its Triton configuration against the graph."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.external_data_helper import convert_model_to_external_data

from segmenter.export.fuse import fuse, repository_of
from segmenter.export.graph_check import RELATIVE_LIMIT, UNDECIDED_LOGIT, Feeds, open_graph, relative_difference, run_graph
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.config import TASKS

MODEL = Path(__file__).parents[1] / "segearth-r1-compact" / "1"
MANIFEST = json.loads((MODEL / "manifest.json").read_text(encoding="utf-8"))
SIDE = MANIFEST["windowPx"]
QUESTIONS = (
    ("REASONING", "where could a pilot land?"),
    ("REFERRING", "boats"),
    ("REASONING", "which parts flood first when the river rises?"),
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("repository")
    assert fuse(MODEL, made) == made / "segearth-r1-compact" / "1" / "model.onnx"
    return made


@pytest.fixture(scope="module")
def image() -> NDArray[np.uint8]:
    smooth = np.random.default_rng(1).integers(0, 256, (1, SIDE // 16, SIDE // 16, 3))
    return np.kron(smooth, np.ones((1, 16, 16, 1))).astype(np.uint8)


def rows(questions: tuple[tuple[str, str], ...]) -> Feeds:
    """Whole rows of token ids padded on the right; the mask is 1 on the question alone."""
    tokenizer = QuestionTokenizer.load(MODEL / "tokenizer.json")
    asked = [(MANIFEST["prompt"][task], tokenizer.question(text)) for task, text in questions]
    longest = max(len(prompt) + len(ids) for prompt, ids in asked)
    input_ids = np.full((len(asked), longest), MANIFEST["padTokenId"], np.int64)
    mask = np.zeros_like(input_ids)
    for row, (prompt, ids) in enumerate(asked):
        input_ids[row, : len(prompt) + len(ids)] = [*prompt, *ids]
        mask[row, len(prompt) : len(prompt) + len(ids)] = 1
    return {"input_ids": input_ids, "attention_mask": mask}


def by_three_graphs(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits of `QUESTIONS` the way the service makes them: prefix cached, the questions of a task together."""
    vision, language, mask = (open_graph(MODEL / f"{name}.onnx") for name in ("vision", "language", "mask"))
    seen = run_graph(vision, {"image": image})
    tokenizer = QuestionTokenizer.load(MODEL / "tokenizer.json")
    shape = [axis if isinstance(axis, int) else 0 for axis in MANIFEST["files"]["language"]["inputs"][3]["shape"]]
    none = np.zeros(shape, np.float32)
    logits = np.empty((len(QUESTIONS), SIDE // 4, SIDE // 4), np.float32)
    for task in TASKS:
        numbers = [number for number, (asked, _) in enumerate(QUESTIONS) if asked == task]
        prefix = np.array([MANIFEST["prompt"][task]])
        begun = {"input_ids": prefix, "attention_mask": np.ones_like(prefix), "past_keys": none, "past_values": none}
        first = run_graph(language, {**seen, **begun})
        past = {"past_keys": first["present_keys"][:, 0], "past_values": first["present_values"][:, 0]}
        ids, kept = tokenizer.batch([QUESTIONS[number][1] for number in numbers])
        asked = {**seen, **past, "input_ids": ids.numpy(), "attention_mask": kept.numpy()}
        logits[numbers] = run_graph(mask, {**seen, **run_graph(language, asked)})["logits"]
    return logits


def assert_same(found: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    assert relative_difference(found, expected) <= RELATIVE_LIMIT
    assert not (((found > 0) != (expected > 0)) & (np.abs(expected) >= UNDECIDED_LOGIT)).any()


def test_one_graph_of_whole_rows_gives_what_three_with_a_cached_prefix_give(repository: Path, image: NDArray[np.uint8]) -> None:
    session = open_graph(repository / "segearth-r1-compact" / "1" / "model.onnx")
    together = run_graph(session, {"image": image, **rows(QUESTIONS)})["logits"]
    assert_same(together, by_three_graphs(image))
    for number in range(len(QUESTIONS)):
        alone = run_graph(session, {"image": image, **rows(QUESTIONS[number : number + 1])})["logits"]
        assert_same(alone, together[number : number + 1])


def test_the_one_graph_takes_and_gives_the_contract_and_computes_nothing_more(repository: Path) -> None:
    graph = onnx.load(repository / "segearth-r1-compact" / "1" / "model.onnx").graph
    assert [value.name for value in graph.input] == ["image", "input_ids", "attention_mask"]
    assert [value.name for value in graph.output] == ["logits"]
    read = {name for node in graph.node for name in node.input} | {"logits"}
    assert all(read.intersection(node.output) for node in graph.node)


def test_the_configuration_is_read_by_tritons_own_message_and_matches_the_graph(repository: Path) -> None:
    model_config = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'segmenter[dev]'")
    from google.protobuf import text_format  # type: ignore[import-untyped]

    text = (repository / "segearth-r1-compact" / "config.pbtxt").read_text(encoding="utf-8")
    config = text_format.Parse(text, model_config.ModelConfig())
    assert (config.name, config.backend, config.max_batch_size) == ("segearth-r1-compact", "onnxruntime", 0)
    assert config.default_model_filename == "model.onnx"
    assert not config.HasField("dynamic_batching")
    assert config.parameters["manifest_sha256"].string_value == hashlib.sha256((MODEL / "manifest.json").read_bytes()).hexdigest()
    graph = onnx.load(repository / "segearth-r1-compact" / "1" / "model.onnx").graph
    for stated, values in ((config.input, graph.input), (config.output, graph.output)):
        assert [tensor.name for tensor in stated] == [value.name for value in values]
        for tensor, value in zip(stated, values, strict=True):
            kind = value.type.tensor_type
            dtype = {onnx.TensorProto.FLOAT: "FP32"}.get(kind.elem_type, onnx.TensorProto.DataType.Name(kind.elem_type))
            assert model_config.DataType.Name(tensor.data_type) == f"TYPE_{dtype}"
            assert list(tensor.dims) == [axis.dim_value if axis.HasField("dim_value") else -1 for axis in kind.shape.dim]
    assert [list(tensor.dims) for tensor in config.input] == [[1, SIDE, SIDE, 3], [-1, -1], [-1, -1]]
    assert [list(tensor.dims) for tensor in config.output] == [[-1, SIDE // 4, SIDE // 4]]


def test_weights_in_a_file_of_their_own_are_read_from_where_they_lie(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    model = tmp_path / "repository" / "segearth-r1-compact" / "1"
    shutil.copytree(MODEL, model)
    language = onnx.load(model / "language.onnx")
    convert_model_to_external_data(language, location="language.weights")
    onnx.save(language, model / "language.onnx")
    facts: dict[str, Any] = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    facts["files"]["language"]["weights"] = {"path": "language.weights"}
    (model / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    inside, elsewhere = fuse(model, tmp_path / "repository"), fuse(model, tmp_path / "other")
    assert sorted(path.name for path in model.iterdir() if path.name.endswith(".weights")) == ["language.weights"]
    assert inside.stat().st_size < (MODEL / "vision.onnx").stat().st_size + (MODEL / "language.onnx").stat().st_size
    expected = by_three_graphs(image)
    for path in (inside, elsewhere):
        assert_same(run_graph(open_graph(path), {"image": image, **rows(QUESTIONS)})["logits"], expected)


@pytest.mark.parametrize("place", ["full/1", "segearth-r1/one", "segearth-r1/0", "segearth-r1"])
def test_a_folder_that_no_server_would_find_is_refused(tmp_path: Path, place: str) -> None:
    assert repository_of(tmp_path / "segearth-r1" / "3", "segearth-r1") == tmp_path.resolve()
    with pytest.raises(ValueError, match=r"must end in segearth-r1/VERSION with a version of 1 or more"):
        repository_of(tmp_path / place, "segearth-r1")
