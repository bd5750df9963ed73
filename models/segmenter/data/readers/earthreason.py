"""EarthReason: `{train,val,test}/{images,labels,QAs}`, the three files of a sample share a stem.

The published loader joins the three sorted listings by position; this one joins by stem and reports files without a
partner. Labels are PNG, non-zero is the target; QAs are JSON (suffix .json or .txt) with `questions` and `answer`.
Li et al. 2025, arXiv 2504.09644; the layout is that of the authors' data release.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segmenter.data.samples import (
    DataSet,
    Sample,
    SampleError,
    clean_questions,
    find_folder,
    image_file,
    image_files,
    target_file,
)

_PARTS = ("images", "labels", "QAs")


def read(data: Path, split: str) -> DataSet:
    """Lists one split; `data` is the folder of the parts, of the splits, or the root of the release."""
    candidates = ("", split, f"RSReasonSeg/{split}", f"rs_reason_seg/RSReasonSeg/{split}")
    folder = find_folder(data, candidates, _PARTS, "EarthReason")
    images, labels = image_files(folder / "images"), image_files(folder / "labels")
    answers = {path.stem: path for path in sorted((folder / "QAs").iterdir()) if path.suffix in (".json", ".txt")}
    dataset = DataSet("EarthReason", split, folder)
    for stem in sorted(images.keys() | labels.keys() | answers.keys()):
        missing = [part for part, there in zip(_PARTS, (images, labels, answers), strict=True) if stem not in there]
        if missing:
            dataset.problems.append(f"{stem} is not in {' and '.join(missing)}")
            continue
        try:
            content = _qa(answers[stem])
            questions = clean_questions(content.get("questions"), answers[stem].name)
            replies = _replies(content, answers[stem].name)
        except SampleError as error:
            dataset.problems.append(str(error))
            continue
        image, target = image_file(images[stem]), target_file(labels[stem])
        dataset.samples.append(Sample(stem, stem, image, target, questions, "REASONING", file=images[stem], answers=replies))
    return dataset


def _replies(content: dict[str, Any], where: str) -> tuple[str, ...] | None:
    """The strings of `answer`, empty if the image has no target; None if the file has no `answer`."""
    if "answer" not in content or content["answer"] == []:
        return () if "answer" in content else None
    if not isinstance(content["answer"], list) or not all(isinstance(one, str) and one.strip() for one in content["answer"]):
        raise SampleError(f"{where}: answer must be a list of non-blank strings, not {str(content['answer'])[:60]!r}")
    return tuple(one.strip() for one in content["answer"])


def _qa(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise SampleError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise SampleError(f"{path.name} holds a {type(content).__name__}; must be an object with `questions`")
    return content
