"""Writes a data set as a folder with `dataset.json` (see `data.readers.folder`), which `terraql evaluate` reads.

Image files are copied as they are, windows of packs are written as PNG. Labels become 0 and 255: where the published
evaluation counts a target pixel as background, it is target here.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from segmenter.data.readers.folder import FILE
from segmenter.data.samples import KINDS, DataSetError, Mask, Sample, SampleError, open_dataset
from segmenter.report.report_published import manifest_facts


def write_folder(samples: Iterable[Sample], out: Path, name: str) -> list[str]:
    """Writes the samples; returns the problems of those that were left out. Raises DataSetError where `out` is in use."""
    if out.exists() and any(out.iterdir()):
        raise DataSetError(f"{out} is not empty")
    for part in ("images", "masks"):
        (out / part).mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    problems: list[str] = []
    images: dict[str, str] = {}
    for number, sample in enumerate(samples):
        try:
            entries.append(_write(sample, number, out, images))
        except SampleError as error:
            problems.append(f"{sample.name}: {error}")
    if not entries:
        raise DataSetError(f"no sample could be written to {out}")
    content = {"name": name, "samples": entries}
    (out / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return problems


def _write(sample: Sample, number: int, out: Path, images: dict[str, str]) -> dict[str, Any]:
    labels = sample.labels()
    if sample.image not in images:
        images[sample.image] = _write_image(sample, len(images), out)
    entry: dict[str, Any] = {"id": sample.name, "image": images[sample.image], "mask": None}
    if labels.any():
        entry["mask"] = _write_mask(labels > 0, out, f"masks/{number:06}.png")
    if sample.known is not None:
        known = sample.known()
        if not known.all():
            entry["unlabelled"] = _write_mask(~known, out, f"masks/{number:06}-unlabelled.png")
    entry.update(questions=list(sample.questions), task=sample.task)
    entry.update({key: value for key, value in (("category", sample.category), ("group", sample.group)) if value})
    return entry


def _write_image(sample: Sample, number: int, out: Path) -> str:
    if sample.file is not None:
        place = f"images/{number:06}{sample.file.suffix.lower()}"
        shutil.copyfile(sample.file, out / place)
    else:
        place = f"images/{number:06}.png"
        Image.fromarray(sample.pixels()).save(out / place)
    return place


def _write_mask(mask: Mask, out: Path, place: str) -> str:
    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(out / place, optimize=True)
    return place


def held_out_samples(data: Path, side: int, split: str, every: int) -> Iterator[Sample]:
    """What `evaluate` asks of the packs' held-out places, one sample a question: see `evaluation.held_out.questions_of`."""
    # The packs' reader is needed for nothing else here.
    from segmenter.evaluation.held_out import Wordings, held_out_windows, numbered, questions_of, target_and_known
    from segmenter.language.bank import QuestionBank

    wordings = Wordings(QuestionBank.load())
    for number, held_out in numbered(held_out_windows(data, side, split), every):
        window = held_out.cut()
        for question in questions_of(window, wordings, number):
            target, known = target_and_known(window, question.category)
            yield Sample(
                name=f"{held_out.source}-{number}-{question.category}-{question.group}",
                image=f"{held_out.source}-{number}",
                pixels=lambda window=window: window.pixels,  # type: ignore[misc]
                labels=lambda target=target: target.astype(np.uint8),  # type: ignore[misc]
                questions=(question.text,),
                task="REASONING",
                category=question.category,
                group=question.group,
                known=lambda known=known: known,  # type: ignore[misc]
            )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `export-dataset`."""
    parser.add_argument("--dataset", choices=(*KINDS, "packs"), required=True, help="layout of the data")
    parser.add_argument("--data", type=Path, required=True, help="the data set's folder, or that of the packs")
    parser.add_argument("--split", help="data sets: val (default) or test; packs: validation (default) or calibration")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; it must be empty or new")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--model", type=Path, help="packs: exported model, whose window decides the side")
    size.add_argument("--side", type=int, default=512, help="packs: side of the windows, px")
    parser.add_argument("--every", type=int, default=1, help="packs: one window in so many")


def main(args: argparse.Namespace) -> None:
    """Writes the folder and says what was left out."""
    try:
        if args.dataset == "packs":
            split = args.split or "validation"
            side = args.side if args.model is None else manifest_facts(args.model).window_px
            samples: Iterable[Sample] = held_out_samples(args.data, side, split, args.every)
            name, listed = f"held-out places ({split}, one window in {args.every})", []
        else:
            dataset = open_dataset(args.dataset, args.data, args.split or "val")
            samples, name, listed = dataset.samples, f"{dataset.name} ({dataset.split})", dataset.problems
        problems = [*listed, *write_folder(tqdm(samples, unit="sample"), args.out, name)]
    except (DataSetError, FileNotFoundError) as error:
        raise SystemExit(f"segmenter export-dataset: {error}") from error
    print(f"wrote {args.out / FILE}")
    for problem in problems:
        print(f"left out: {problem}")
