"""What may be packed, and that labels land where the files say."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from images import png
from segmenter.data.pack import (
    DUBAI_COLOURS,
    ISAID_CLASSES,
    EncodedImage,
    PackError,
    colour_labels,
    dubai_split,
    epfl_split,
    isaid_split,
    polygon_labels,
    write_pack,
)
from segmenter.data.weak_labels import SURE_LAND, SURE_WATER, classifier, water_bits, write_scene_labels
from segmenter.data.windows import BIT, Source


def test_isaid_exam_blocks_follow_the_published_rule() -> None:
    for tile in range(0, 16_000, 7):
        exam = ((tile // 150) * 2654435761) % 97 < 14
        assert (isaid_split(tile) == "exam") == exam


def test_neighbouring_isaid_tiles_share_a_split() -> None:
    for block in range(105):
        assert len({isaid_split(tile) for tile in range(block * 150, block * 150 + 150)}) == 1


def test_each_isaid_split_holds_blocks() -> None:
    blocks = Counter(isaid_split(block * 150) for block in range(105))
    assert set(blocks) == {"exam", "calibration", "validation", "train"}
    assert blocks["train"] > 70


def test_dubai_and_epfl_exam_images() -> None:
    assert [area for area in range(1, 9) if dubai_split(area) == "exam"] == [5, 8]
    assert [number for number in range(1, 101) if epfl_split(number) == "exam"] == list(range(81, 101))
    assert epfl_split(80) == "validation" and epfl_split(70) == "train" and dubai_split(3) == "validation"


def test_an_exam_image_is_refused(tmp_path: Path) -> None:
    encoded = png(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(PackError, match="tile_9 is reserved for the exam"):
        write_pack(iter([EncodedImage("tile_9", "exam", encoded, None, "Forest")]), (), tmp_path / "x")


def test_labels_of_another_size_are_refused(tmp_path: Path) -> None:
    encoded_image = EncodedImage("d1", "train", png(np.zeros((4, 5, 3), np.uint8)), np.zeros((5, 4), np.uint16), None)
    with pytest.raises(PackError, match=r"d1: image \(4, 5\) but labels \(5, 4\)"):
        write_pack(iter([encoded_image]), ("road",), tmp_path / "x")


def test_polygons_become_bits_of_their_class() -> None:
    plane = ISAID_CLASSES.index("plane")
    labels = polygon_labels(f"{plane} 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n9 0 0 0.25 0 0 0.25\n\n", 64)
    assert labels[32, 32] == 1 << plane
    assert labels[2, 2] == 1 << 9
    assert labels[60, 60] == 0
    assert 32 * 32 <= np.count_nonzero(labels >> plane & 1) <= 33 * 33


@pytest.mark.parametrize("line", ["15 0 0 1 0 1 1", "3 0 0 1 0", "3 0 0 1 0 1"])
def test_a_malformed_polygon_is_an_error(line: str) -> None:
    with pytest.raises(PackError, match="polygon line"):
        polygon_labels(line, 64)


def test_colours_take_the_nearest_class() -> None:
    mask = np.array([[DUBAI_COLOURS["water"], (60, 18, 150)], [(155, 155, 155), DUBAI_COLOURS["road"]]], np.uint8)
    names = list(DUBAI_COLOURS)
    expected = [["water", "building"], ["unlabelled", "road"]]
    assert colour_labels(mask).tolist() == [[1 << names.index(n) for n in row] for row in expected]


@pytest.mark.parametrize("raw", [False, True])
def test_a_pack_reads_back(tmp_path: Path, raw: bool) -> None:
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (5 + i, 7, 3), np.uint8) for i in range(3)]
    encoded_images = [
        EncodedImage(f"p{i}", split, png(images[i]), np.full((5 + i, 7), 1 << 7, np.uint16), None)
        for i, split in enumerate(("train", "validation", "train"))
    ]
    assert write_pack(iter(encoded_images), ISAID_CLASSES, tmp_path / "isaid", raw) == 3
    source = Source(tmp_path / "isaid", "train")
    assert [entry.key for entry in source.entries] == ["p0", "p2"]
    for entry, image in zip(source.entries, images[::2], strict=True):
        assert np.array_equal(source.pixels(entry), image)
        assert (source.translate(source.source_labels(entry)) == BIT["plane"]).all()
    assert json.loads((tmp_path / "isaid" / "index.json").read_text())["classes"] == list(ISAID_CLASSES)


def test_doubtful_water_is_unknown_and_an_image_without_any_says_nothing() -> None:
    probability = np.full((10, 10), (SURE_WATER + SURE_LAND) / 2, np.float32)
    probability[:3], probability[7:] = SURE_WATER + 0.1, SURE_LAND - 0.05
    bits = water_bits(probability)
    assert (bits[:3] == 1).all() and (bits[3:7] == 0).all() and (bits[7:] == 2).all()
    probability[1:] = SURE_LAND - 0.05
    assert not water_bits(probability).any()


@pytest.mark.parametrize("raw", [False, True])
def test_only_water_scenes_get_weak_labels(tmp_path: Path, raw: bool) -> None:
    encoded = png(np.zeros((16, 16, 3), np.uint8))
    encoded_images = [EncodedImage("r", "train", encoded, None, "River"), EncodedImage("f", "train", encoded, None, "Forest")]
    write_pack(iter(encoded_images), (), tmp_path / "aid", raw)
    write_scene_labels(classifier().eval(), tmp_path / "aid", frozenset({"River"}))
    source = Source(tmp_path / "aid", "train")
    assert source.source_labels(source.entries[0]).shape == (16, 16)
    with pytest.raises(ValueError, match="aid f has no pixel labels"):
        source.source_labels(source.entries[1])
