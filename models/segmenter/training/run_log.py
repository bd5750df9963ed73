"""The record of a run beside its checkpoint: one JSON object a line, and the curves drawn from it."""

from __future__ import annotations

import json
import math
from pathlib import Path

from segmenter.errors import TrainError

LOG_FILE, CURVES_FILE = "log.jsonl", "curves.svg"
#: What a row says about the run itself; the other entries are drawn against the step.
_KEYS = ("step", "seconds")

Row = dict[str, float]


def read_log(folder: Path) -> list[Row]:
    """The rows of a run; raises TrainError where there is no log or a line of it is no JSON object with a step."""
    path = folder / LOG_FILE
    if not path.is_file():
        raise TrainError(f"{folder} holds no {LOG_FILE}; `segmenter train --out {folder}` writes it")
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise TrainError(f"{path} line {number} is no JSON: {error}") from error
        if not isinstance(row, dict) or "step" not in row:
            raise TrainError(f"{path} line {number} is no object with a step: {line[:60]!r}")
        rows.append(row)
    return rows


class RunLog:
    """Writes the log of a run that stands at `step`: what an earlier run logged beyond it never happened and is dropped."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        kept = [row for row in read_log(folder) if row["step"] <= step] if step and (folder / LOG_FILE).is_file() else []
        (folder / LOG_FILE).write_text("".join(map(_line, kept)), encoding="utf-8")
        self.rows = len(kept)

    def add(self, step: int, seconds: float, values: Row) -> None:
        """Appends a row: `values` are running means."""
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(_line({"step": step, "seconds": round(seconds, 1), **values}))
        self.rows += 1


def _line(row: Row) -> str:
    return json.dumps({key: None if math.isnan(value) else value for key, value in row.items()}) + "\n"


def draw_curves(folder: Path) -> Path:
    """Draws every value of the log against the step, one small plot each, to `curves.svg` beside it."""
    # Only a run that draws needs the plotting library.
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = read_log(folder)
    names = list(dict.fromkeys(name for row in rows for name in row if name not in _KEYS))
    if not names:
        raise TrainError(f"{folder / LOG_FILE} has no row yet; a run logs every --log-every steps")
    columns = min(3, len(names))
    lines = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4 * columns, 2.4 * lines), layout="constrained")
    for number, name in enumerate(names, 1):
        shown = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        axes = figure.add_subplot(lines, columns, number)
        axes.plot(*zip(*shown, strict=True), linewidth=1.2)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    path = folder / CURVES_FILE
    FigureCanvasSVG(figure).print_svg(str(path))
    return path
