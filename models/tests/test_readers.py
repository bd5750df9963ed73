"""Readers of labelled data sets on tiny sets in each layout, and on what is wrong with them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segmenter.data.readers import open_dataset
from segmenter.data.readers.pickle import load_plain
from segmenter.data.samples import DataSetError, SampleError, read_rgb, read_values

HEIGHT, WIDTH = 20, 30


def rgb_image(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def square(value: int = 255) -> NDArray[np.uint8]:
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[4:10, 6:16] = value
    return labels


def save(values: NDArray[np.uint8], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def write_json(value: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def earthreason(root: Path) -> Path:
    """Two samples of val, one of them without a target and with its QA in a .txt; a third lacks its label."""
    folder = root / "rs_reason_seg" / "RSReasonSeg" / "val"
    for number, labels in enumerate((square(), np.zeros((HEIGHT, WIDTH), np.uint8))):
        save(rgb_image(number), folder / "images" / f"{number}.png")
        save(labels, folder / "labels" / f"{number}.png")
    save(rgb_image(2), folder / "images" / "2.jpg")
    write_json({"questions": ["Where to land?", "Which field is flat?"], "answer": ["There."]}, folder / "QAs" / "0.json")
    write_json({"questions": ["Where is the sea?"], "answer": []}, folder / "QAs" / "1.txt")
    write_json({"questions": ["What?"], "answer": []}, folder / "QAs" / "2.json")
    return folder


def refsegrs(root: Path) -> Path:
    folder = root / "RefSegRS"
    labels = square()
    labels[0, 0] = 128
    save(rgb_image(0), folder / "images" / "7.tif")
    save(labels, folder / "masks" / "7.tif")
    lines = ["7 the road along the river", "7\tvehicles  near the road ", "", "no number here", "8 a phrase without an image"]
    (folder / "output_phrase_test.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def rrsisd(root: Path, change: Callable[[dict[str, Any]], None] = lambda ref: None) -> Path:
    """One ref of testA with two overlapping rectangles, one of val in runs."""
    folder = root / "rs_ref_seg" / "RRSIS-D"
    save(rgb_image(0), folder / "images" / "rrsisd" / "JPEGImages" / "00001.png")
    rectangles = [[2, 2, 12, 2, 12, 8, 2, 8], [8, 4, 20, 4, 20, 10, 8, 10]]
    runs = {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * 3, HEIGHT * 2, HEIGHT * (WIDTH - 5)]}
    instances = {
        "images": [{"id": 1, "file_name": "00001.png", "height": HEIGHT, "width": WIDTH}],
        "annotations": [
            {"id": 10, "image_id": 1, "category_id": 5, "segmentation": rectangles},
            {"id": 11, "image_id": 1, "category_id": 5, "segmentation": runs},
        ],
        "categories": [{"id": 5, "name": "vehicle"}],
    }
    write_json(instances, folder / "rrsisd" / "instances.json")
    sentences = [{"raw": "The vehicle on the left", "sent": "the vehicle"}, {"raw": "a car", "sent": "a car"}]
    refs = [
        {"ref_id": 1, "ann_id": ann, "image_id": 1, "split": split, "sentences": sentences}
        for ann, split in ((10, "testA"), (11, "val"))
    ]
    change(refs[0])
    (folder / "rrsisd" / "refs(unc).p").write_bytes(pickle.dumps(refs, protocol=2))
    return folder


def own(root: Path, **change: Any) -> Path:
    save(rgb_image(0), root / "images" / "a.png")
    save(square(1), root / "masks" / "a.png")
    save(square(9), root / "masks" / "a-unlabelled.png")
    first = {"image": "images/a.png", "mask": "masks/a.png", "questions": [" ships "], "category": "ship", "group": "explicit"}
    second = {
        "image": "images/a.png",
        "mask": None,
        "questions": ["planes"],
        "task": "REFERRING",
        "unlabelled": "masks/a-unlabelled.png",
    }
    write_json({"name": "Quays", "samples": [{**first, **change}, second]}, root / "dataset.json")
    return root


def test_earthreason_is_joined_by_stem_and_says_what_has_no_partner(tmp_path: Path) -> None:
    earthreason(tmp_path)
    dataset = open_dataset("earthreason", tmp_path, "val")
    assert [(s.name, s.questions, s.task) for s in dataset.samples] == [
        ("0", ("Where to land?", "Which field is flat?"), "REASONING"),
        ("1", ("Where is the sea?",), "REASONING"),
    ]
    assert dataset.problems == ["2 is not in labels"]
    assert np.array_equal(dataset.samples[0].labels(), square(1))
    assert not dataset.samples[1].labels().any()
    assert np.array_equal(dataset.samples[0].pixels(), rgb_image(0))


def test_earthreason_is_also_found_from_the_folder_of_a_split(tmp_path: Path) -> None:
    assert len(open_dataset("earthreason", earthreason(tmp_path), "val").samples) == 2


def test_earthreason_with_broken_questions_leaves_the_sample_out(tmp_path: Path) -> None:
    folder = earthreason(tmp_path)
    (folder / "QAs" / "0.json").write_text("{questions", encoding="utf-8")
    write_json({"questions": [" "]}, folder / "QAs" / "1.txt")
    with pytest.raises(DataSetError, match=r"no usable sample of split 'val'.*first of 3 problems: 0\.json is not JSON"):
        open_dataset("earthreason", tmp_path, "val")


def test_refsegrs_has_a_sample_a_line_and_keeps_other_mask_values(tmp_path: Path) -> None:
    refsegrs(tmp_path)
    dataset = open_dataset("refsegrs", tmp_path, "test")
    assert [(s.name, s.image, s.questions) for s in dataset.samples] == [
        ("7-1", "7", ("the road along the river",)),
        ("7-2", "7", ("vehicles  near the road",)),
    ]
    assert [p.split(":")[0] for p in dataset.problems] == [
        "output_phrase_test.txt line 4 must be an id, a space and a phrase",
        "output_phrase_test.txt line 5",
    ]
    labels = dataset.samples[0].labels()
    assert labels[0, 0] == 128 and labels[5, 8] == 1 and labels.dtype == np.uint8


def test_rrsisd_adds_polygons_up_and_asks_every_sentence(tmp_path: Path) -> None:
    rrsisd(tmp_path)
    (sample,) = open_dataset("rrsisd", tmp_path, "test").samples
    assert sample.questions == ("The vehicle on the left", "a car")
    assert (sample.category, sample.task) == ("vehicle", "REFERRING")
    labels = sample.labels()
    assert labels[3, 4] == 1 and labels[6, 10] == 2 and labels[9, 18] == 1 and labels[15, 25] == 0
    (runs,) = open_dataset("rrsisd", tmp_path, "val").samples
    assert runs.labels().sum(0).tolist() == [0, 0, 0, HEIGHT, HEIGHT] + [0] * (WIDTH - 5)


def test_rrsisd_names_what_a_ref_lacks(tmp_path: Path) -> None:
    folder = rrsisd(tmp_path, lambda ref: ref.update(ann_id=99))
    with pytest.raises(DataSetError, match=r"ref 1: annotation 99 is not in instances\.json"):
        open_dataset("rrsisd", folder, "test")
    rrsisd(tmp_path / "b", lambda ref: ref.update(sentences=[{"raw": 5}]))
    with pytest.raises(DataSetError, match="ref 1: a question must be a non-blank string, not 5"):
        open_dataset("rrsisd", tmp_path / "b", "test")


class Burglar:
    """Its pickle asks for a file to be made."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.trace,))


def test_a_pickle_that_would_run_code_is_refused_unread(tmp_path: Path) -> None:
    path, trace = tmp_path / "refs.p", tmp_path / "was-here"
    for value in (Burglar(trace), [{"ok": 1}, Burglar(trace)], np.zeros(2), Path):
        path.write_bytes(pickle.dumps(value))
        with pytest.raises(DataSetError, match="only plain data is allowed"):
            load_plain(path)
    assert not trace.exists()
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(DataSetError, match=r"it names posix\.system"):
        load_plain(path)
    path.write_bytes(b"no pickle")
    with pytest.raises(DataSetError, match="is not a pickle of plain data"):
        load_plain(path)
    plain = [{"a": (1, 2.5, "ü", None, True, b"x", {3})}]
    path.write_bytes(pickle.dumps(plain))
    assert load_plain(path) == plain


def test_a_folder_of_ones_own_names_image_mask_and_questions(tmp_path: Path) -> None:
    dataset = open_dataset("folder", own(tmp_path), "")
    first, second = dataset.samples
    assert (dataset.name, dataset.problems) == ("Quays", [])
    assert (first.questions, first.task, first.category, first.group) == (("ships",), "REASONING", "ship", "explicit")
    assert np.array_equal(first.labels(), square(1)) and first.known is None
    assert second.task == "REFERRING" and not second.labels().any() and second.labels().shape == (HEIGHT, WIDTH)
    assert second.known is not None and np.array_equal(~second.known(), square(1) == 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": "../a.png"}, "image: .*is outside"),
        ({"mask": "masks/none.png"}, "mask: masks/none.png does not exist"),
        ({"mask": 3}, "mask is 3; must be a path"),
        ({"questions": []}, r"questions must be a non-empty list of strings, not \[\]"),
        ({"task": "GUESSING"}, "task is 'GUESSING'; must be one of REASONING, REFERRING"),
        ({"colour": "red"}, "has colour; allowed keys are"),
    ],
)
def test_a_bad_sample_of_ones_own_is_left_out_and_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    dataset = open_dataset("folder", own(tmp_path, **change), "")
    assert len(dataset.samples) == 1
    (problem,) = dataset.problems
    assert problem.startswith("samples[0]")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(problem)


def test_folders_of_another_layout_are_refused_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"no EarthReason data: no folder contains images, labels, QAs; looked in "):
        open_dataset("earthreason", tmp_path, "val")
    with pytest.raises(DataSetError, match="is not a folder"):
        open_dataset("folder", tmp_path / "absent", "")
    with pytest.raises(DataSetError, match="unknown data set 'coco'; must be one of earthreason, refsegrs, rrsisd, folder"):
        open_dataset("coco", tmp_path, "val")
    write_json({"samples": 1}, tmp_path / "dataset.json")
    with pytest.raises(DataSetError, match="must be an object with a list `samples`"):
        open_dataset("folder", tmp_path, "")


def test_images_are_read_as_eight_bit_rgb_or_refused(tmp_path: Path) -> None:
    grey, deep, text = tmp_path / "grey.png", tmp_path / "deep.png", tmp_path / "text.png"
    Image.fromarray(square(200)).save(grey)
    Image.fromarray(square().astype(np.uint16) * 100).save(deep)
    text.write_text("no image")
    assert read_rgb(grey)[5, 8].tolist() == [200, 200, 200]
    transparent = np.dstack((rgb_image(3), np.zeros((HEIGHT, WIDTH), np.uint8)))
    Image.fromarray(transparent).save(grey)
    assert np.array_equal(read_rgb(grey), rgb_image(3))
    for path, message in (
        (deep, "8 bits per channel"),
        (text, "cannot be read as an image"),
        (tmp_path / "no.png", "does not exist"),
    ):
        with pytest.raises(SampleError, match=message):
            read_rgb(path)
    with pytest.raises(SampleError, match="labels must have at most 8 bits"):
        read_values(deep)
    Image.fromarray(square() > 0).save(grey)
    assert np.array_equal(read_values(grey), square())
    coloured = Image.fromarray(square(3), "P")
    coloured.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 128, 0])
    coloured.save(grey)
    assert np.array_equal(read_values(grey), square(128))
