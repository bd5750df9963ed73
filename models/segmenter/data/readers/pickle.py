"""A pickle that may hold plain data and nothing else, so that a downloaded one can run no code.

Unpickling runs code only through objects looked up by name (`find_class`). None is allowed here: lists, tuples, dicts, sets,
strings, bytes, numbers, booleans and None need no look-up. See "Restricting Globals" in Python's pickle documentation.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from segmenter.data.samples import DataSetError


class _PlainData(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}; only plain data is read")

    def persistent_load(self, pid: Any, /) -> Any:
        raise pickle.UnpicklingError("it refers to an object outside the file; only plain data is read")


def load_plain(path: Path) -> Any:
    """The plain data of a pickle (Python 2 strings as Latin-1); raises DataSetError for anything that is more than data."""
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
        raise DataSetError(f"{path} is no pickle of plain data: {error}") from error
