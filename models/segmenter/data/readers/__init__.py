"""Readers of labelled data sets, one module a layout, each imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from segmenter.data.samples import DataSet, DataSetError

#: Layouts that `open_dataset` reads.
KINDS = ("earthreason", "refsegrs", "rrsisd", "folder")


def open_dataset(kind: str, data: Path, split: str) -> DataSet:
    """Lists a data set; raises DataSetError for an unknown kind, for another layout, and where no sample is left."""
    if kind not in KINDS:
        raise DataSetError(f"data set {kind!r} is unknown; it must be one of {', '.join(KINDS)}")
    reader = import_module(f"{__name__}.{kind}")
    dataset: DataSet = reader.read(data, split)
    if not dataset.samples:
        first = f"; the first of {len(dataset.problems)} problems: {dataset.problems[0]}" if dataset.problems else ""
        raise DataSetError(f"{dataset.folder} has no sample of split {dataset.split!r} that can be used{first}")
    return dataset
