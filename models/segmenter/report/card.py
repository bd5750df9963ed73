"""The measured part of a model card: a block of its README between two markers, and its images.

All numbers in the block come from an evaluation, so the card cannot drift from the weights. `card.md.jinja` is its template.
"""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from segmenter.data.batches import MIN_PIXELS
from segmenter.evaluation.examination import MODEL, Answerer
from segmenter.evaluation.held_out import ABSENT_A_WINDOW
from segmenter.evaluation.intervals import ROUNDS
from segmenter.evaluation.reliability import expected_error
from segmenter.report.gallery import Shown, failures, picture
from segmenter.report.results import Evaluation
from segmenter.report.score_tables import Table, held_out_kinds, percent, weak_categories
from segmenter.report.service_report import ServiceReport, agreement_table

START, END = "<!-- measured: written by `segmenter evaluate --card`, not by hand -->", "<!-- end of what was measured -->"
GALLERY = "gallery"
_SHOWN = 12
_TIMED = 15


class CardError(ValueError):
    """The README has no valid markers for the block."""


@dataclass(frozen=True)
class Timing:
    """Median seconds per answer on one thread: including encoding the window, and per further question."""

    first_s: float
    further_s: float
    processor: str


def timed(answerer: Answerer, side: int) -> Timing:
    """Times questions about noise windows; a further question is the added cost per question in a batch of 9."""
    rng = np.random.default_rng(0)
    texts = ["the ships", *(f"harbour crane number {n}" for n in range(8))]
    one: list[float] = []
    many: list[float] = []
    for _ in range(_TIMED):
        pixels = rng.integers(0, 256, (side, side, 3), np.uint8)
        for asked, seconds in ((texts[:1], one), (texts, many)):
            start = time.perf_counter()
            answerer.logits(pixels, asked)
            seconds.append(time.perf_counter() - start)
    first = statistics.median(one)
    return Timing(first, max(0.0, statistics.median(many) - first) / (len(texts) - 1), _processor())


def _processor() -> str:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def graph_table(model: Path) -> Table:
    """Header and one row per graph of an exported model: weights in millions, size, and outputs."""
    # Imported here: only the card reads the graphs.
    import onnx

    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    table = [["graph", "weights, million", "MB", "outputs"]]
    for part in ("vision", "language", "mask"):
        file = manifest["files"][part]
        graph = onnx.load(str(model / file["path"]), load_external_data=False).graph
        count = sum(int(np.prod(weight.dims)) for weight in graph.initializer)
        outputs = ", ".join(f"{one['name']} {' x '.join(map(str, one['shape']))}" for one in file["outputs"][:3])
        more = len(file["outputs"]) - 3
        outputs += f" and {more} more" if more > 0 else ""
        table.append([part, f"{count / 1e6:.1f}", f"{file['bytes'] / 1e6:.1f}", outputs])
    return table


def write_card(
    folder: Path,
    evaluation: Evaluation,
    shown: Sequence[Shown],
    timing: Timing,
    model: Path,
    command: str,
    service: ServiceReport | None = None,
) -> None:
    """Writes plots and gallery beside the README of `folder`, and the block into it.

    Raises CardError before writing anything if the README is missing or lacks the two markers, once each and in order.
    """
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    replaced(text, "", readme)
    worst = failures(shown, _SHOWN)
    plots = evaluation.plots()
    for name, svg in plots.items():
        (folder / name).write_text(svg, encoding="utf-8")
    shutil.rmtree(folder / GALLERY, ignore_errors=True)
    (folder / GALLERY).mkdir()
    names = [f"{GALLERY}/{number:02}.jpg" for number in range(1, len(worst) + 1)]
    for name, one in zip(names, worst, strict=True):
        (folder / name).write_bytes(picture(one))
    environment = Environment(loader=PackageLoader("segmenter.report", "."), undefined=StrictUndefined, trim_blocks=True)
    block = environment.get_template("card.md.jinja").render(
        command=command,
        evaluation=evaluation,
        tables=dict(evaluation.tables()),
        weak=weak_categories(evaluation.scores[MODEL]),
        graphs=graph_table(model) if model.is_dir() else None,
        timing=timing,
        plots=plots,
        kinds=held_out_kinds(),
        rounds=ROUNDS,
        least_pixels=MIN_PIXELS,
        absent=ABSENT_A_WINDOW,
        errors=[percent(expected_error(evaluation.feature_bins, by)) for by in (False, True)],
        asked=len(shown),
        right=sum(one.wrong == 0 for one in shown),
        rows=_threes(list(zip(names, worst, strict=True))),
        service=service,
        agreement=agreement_table(service, evaluation.native.answers) if service else None,
        markdown=markdown,
    )
    readme.write_text(replaced(text, block, readme), encoding="utf-8")


def replaced(text: str, block: str, where: Path) -> str:
    """The text with the block between its markers; raises CardError naming `where`."""
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise CardError(f"{where} must contain the lines {START!r} and {END!r} once each, in this order")
    return f"{text[: text.index(START)]}{START}\n\n{block.strip()}\n\n{text[text.index(END) :]}"


def markdown(table: Table) -> str:
    """A table as Markdown."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]])


def _threes(cells: list[tuple[str, Shown]]) -> list[list[tuple[str, Shown]]]:
    return [cells[start : start + 3] for start in range(0, len(cells), 3)]
