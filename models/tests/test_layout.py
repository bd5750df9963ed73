"""The rooms of the package: which may import which, and that every verb has a file which starts quickly."""

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

#: What each room imports, the lowest first. `commands` is at the top: nothing imports it.
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
    """Modules of `segmenter` that the source of a module of `package` imports, in functions too, without the prefix."""
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
    """The rooms that each room imports, as the sources say; types included."""
    graph: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        room = parts[0]
        if room == "__init__":
            continue
        graph[room] |= {name.split(".")[0] for name in imported(path.read_text(encoding="utf-8"), parts[:-1])} - {room}
    return dict(graph)


def test_rooms_import_what_the_list_allows_and_no_other() -> None:
    """An arrow that the list lacks and one that is listed but not drawn are both errors."""
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
    """Options of all verbs are known without torch, onnx and matplotlib, which take seconds to import."""
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
