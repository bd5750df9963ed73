"""The import graph of the package's folders, and the modules of the command line."""

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import segmenter
from segmenter.__main__ import VERBS

PACKAGE = Path(segmenter.__file__).parent

#: Folders that each folder imports, lowest folder first. Nothing imports `commands`.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "network": set(),
    "language": {"errors", "network"},
    "data": {"errors", "language", "network"},
    "evaluation": {"data", "language", "network"},
    "export": {"data", "language", "network"},
    "published": {"export", "language", "network"},
    "report": {"data", "evaluation", "language", "network", "published"},
    "training": {"data", "errors", "evaluation", "language", "network", "published"},
    "commands": {"data", "errors", "evaluation", "export", "language", "network", "published", "report", "training"},
    "__main__": set(),
}


def imported(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """Modules of `segmenter` imported by the source of a module in `package`, also inside functions; without the prefix."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(("segmenter", *package)[: len(package) + 2 - node.level]) if node.level else ""
            module = ".".join(part for part in (above, node.module) if part)
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("segmenter.") for name in names if name.startswith("segmenter."))


def folder_graph() -> dict[str, set[str]]:
    """Folders that each folder imports, including imports for types only."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        room = parts[0]
        if room == "__init__":
            continue
        graph[room] |= {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"), parts[:-1])} - {room}
    return dict(graph)


def test_folders_import_exactly_what_the_list_allows() -> None:
    """Fails for an import missing from the list, and for a listed one that does not occur."""
    assert folder_graph() == ALLOWED


def test_arrows_run_downwards_only() -> None:
    order = list(TopologicalSorter(folder_graph()).static_order())  # raises CycleError
    assert order.index("network") < order.index("language") < order.index("data") < order.index("training")
    assert order.index("export") < order.index("commands")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from segmenter.data.pack import SOURCES", "data.pack.SOURCES"),
        ("from segmenter import errors", "errors"),
        ("import segmenter.report.card as card", "report.card"),
        ("def f():\n    from segmenter.export import fuse", "export.fuse"),
        ("from ..network import config", "network.config"),
        ("from .pack import SOURCES", "data.pack.SOURCES"),
    ],
)
def test_every_form_of_import_is_seen(line: str, found: str) -> None:
    assert list(imported(line, ("data",))) == [found]


def test_every_verb_has_a_file_in_commands() -> None:
    files = {path.stem for path in (PACKAGE / "commands").glob("*.py")} - {"__init__", "model_options"}
    assert files == {verb.replace("-", "_") for verb in VERBS}


def test_help_loads_no_framework() -> None:
    """Parsing the options of all verbs does not import torch, onnx or matplotlib, which takes seconds."""
    script = (
        "import argparse, importlib, json, sys\n"
        f"for verb in {list(VERBS)!r}:\n"
        "    module = importlib.import_module('segmenter.commands.' + verb.replace('-', '_'))\n"
        "    module.add_arguments(argparse.ArgumentParser())\n"
        "print(json.dumps(sorted(name for name in sys.modules if '.' not in name)))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = set(json.loads(run.stdout))
    assert "segmenter" in loaded
    assert not loaded & {"torch", "onnx", "onnxruntime", "onnxscript", "matplotlib", "scipy", "pycocotools", "transformers"}
