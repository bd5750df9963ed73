"""Restricted unpickling of plain data, so that a downloaded file cannot run code.

Unpickling runs code only through objects found by name (`find_class`), which is always refused. Plain values and
containers need no lookup. See "Restricting Globals" in Python's pickle documentation.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from segmenter.data.samples import DataSetError


class _PlainData(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}; only plain data is allowed")

    def persistent_load(self, pid: Any, /) -> Any:
        raise pickle.UnpicklingError("it refers to an object outside the file; only plain data is allowed")


def load_plain(path: Path) -> Any:
    """The plain data of a pickle (Python 2 strings as Latin-1); raises DataSetError for anything else."""
    try:
        with path.open("rb") as file:
            return _PlainData(file, encoding="latin1").load()
    except FileNotFoundError as error:
        raise DataSetError(f"{path} does not exist") from error
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise DataSetError(f"{path} is not a pickle of plain data: {error}") from error
