"""The log of a run beside its checkpoint, one JSON object per line, and its training curves."""

from __future__ import annotations

import json
import math
from pathlib import Path

from segmenter.errors import TrainError

LOG_FILE, CURVES_FILE = "log.jsonl", "curves.svg"
#: Keys of a row that are not plotted.
_KEYS = ("step", "seconds")

Row = dict[str, float]


def read_log(folder: Path) -> list[Row]:
    """The rows of a log; raises TrainError if it is missing or a line is not a JSON object with a step."""
    path = folder / LOG_FILE
    if not path.is_file():
        raise TrainError(f"{folder} has no {LOG_FILE}; write it with `segmenter train --out {folder}`")
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise TrainError(f"{path} line {number} is not JSON: {error}") from error
        if not isinstance(row, dict) or "step" not in row:
            raise TrainError(f"{path} line {number} is not an object with a step: {line[:60]!r}")
        rows.append(row)
    return rows


class RunLog:
    """Appends to the log of a run at `step`; drops later rows of an earlier, unsaved run."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        kept = [row for row in read_log(folder) if row["step"] <= step] if step and (folder / LOG_FILE).is_file() else []
        (folder / LOG_FILE).write_text("".join(map(_line, kept)), encoding="utf-8")
        self.rows = len(kept)

    def add(self, step: int, seconds: float, values: Row) -> None:
        """Appends a row; `values` are running means."""
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(_line({"step": step, "seconds": round(seconds, 1), **values}))
        self.rows += 1


def _line(row: Row) -> str:
    return json.dumps({key: None if math.isnan(value) else value for key, value in row.items()}) + "\n"


def draw_curves(folder: Path) -> Path:
    """Plots every value of the log against the step to `curves.svg` beside it."""
    # Imported here: only the main process plots.
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = read_log(folder)
    names = list(dict.fromkeys(name for row in rows for name in row if name not in _KEYS))
    if not names:
        raise TrainError(f"{folder / LOG_FILE} has no rows yet; a run logs every --log-every steps")
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
