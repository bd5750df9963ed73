"""Readers of labelled data sets, one module per layout, imported on demand."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from segmenter.data.samples import DataSet, DataSetError

#: Layouts that `open_dataset` reads.
KINDS = ("earthreason", "refsegrs", "rrsisd", "folder")


def open_dataset(kind: str, data: Path, split: str) -> DataSet:
    """Lists a data set; raises DataSetError for an unknown kind, a wrong layout, or no usable sample."""
    if kind not in KINDS:
        raise DataSetError(f"unknown data set {kind!r}; must be one of {', '.join(KINDS)}")
    reader = import_module(f"{__name__}.{kind}")
    dataset: DataSet = reader.read(data, split)
    if not dataset.samples:
        first = f"; the first of {len(dataset.problems)} problems: {dataset.problems[0]}" if dataset.problems else ""
        raise DataSetError(f"{dataset.folder} has no usable sample of split {dataset.split!r}{first}")
    return dataset
