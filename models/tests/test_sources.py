"""Readers of the public repositories: what becomes of their files, and which of them are held out."""

from __future__ import annotations

import argparse
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from images import png
from repositories import repository
from segmenter.commands import pack
from segmenter.data import weak_labels
from segmenter.data.blobs import EncodedImage, PackError, raster
from segmenter.data.compose import bordered, pasted
from segmenter.data.duplicates import drop_duplicates, hash_of, orientations
from segmenter.data.mixture import ANYWHERE, DECIDED, MONTAGES, SCALES, SCENE_PACKS, SHARES
from segmenter.data.pack import ISAID_CLASSES, SOURCES, write_pack
from segmenter.data.shards import Shards
from segmenter.data.sources import buildings, landsat, roads, solar_green
from segmenter.data.windows import BIT, CATEGORIES, Labelled, Source, Window, bits


@pytest.fixture(autouse=True)
def any_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The readers' commits are those of the public repositories; those of the tests have others."""
    for module in (buildings, landsat, roads, solar_green):
        for name in vars(module):
            if name.endswith("_COMMIT"):
                monkeypatch.setattr(module, name, "HEAD")


def noise(side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (side, side, 3)).astype(np.uint8)


def mask(side: int, box: tuple[slice, slice]) -> np.ndarray:
    found = np.zeros((side, side), np.uint8)
    found[box] = 255
    return found


def grey_png(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def has(picture: EncodedImage, classes: tuple[str, ...], name: str) -> np.ndarray:
    assert picture.labels is not None
    return (picture.labels >> classes.index(name) & 1).astype(bool)


def test_eth_roads_are_masks_and_its_validation_folder_is_held_out(tmp_path: Path) -> None:
    road = mask(40, np.s_[10:20, :])
    files = {}
    for folder, number in (("training", 3), ("validation", 4)):
        files[f"data/{folder}/images/satimage_{number}.png"] = png(noise(40))
        files[f"data/{folder}/groundtruth/satimage_{number}.png"] = grey_png(road)
    files["data/test/images/satimage_9.png"] = png(noise(40))
    found = list(roads.eth_roads(repository(tmp_path / "r", files)))
    assert [(p.key, p.split) for p in found] == [("satimage_3", "train"), ("satimage_4", "validation")]
    assert np.array_equal(has(found[0], roads.ROAD_CLASSES, "road"), road > 0)
    assert not has(found[0], roads.ROAD_CLASSES, "?road").any()


def test_massachusetts_roads_leave_their_edges_and_the_outside_of_the_photograph_open(tmp_path: Path) -> None:
    place = "data/road_segmentation_ideal_subset_cropped"
    road, pixels = mask(60, np.s_[30:37, :]), noise(60)
    pixels[:12] = 255
    pixels[50, 50] = 255  # one bright pixel is a roof
    files: dict[str, bytes] = {}
    for folder in ("training", "validation", "testing"):
        files |= {f"{place}/{folder}/input/img-7.png": png(pixels), f"{place}/{folder}/output/img-7.png": grey_png(road)}
    found = list(roads.massachusetts_roads(repository(tmp_path / "r", files)))
    assert {p.key: p.split for p in found} == {
        "training_img-7": "train", "validation_img-7": "validation", "testing_img-7": "validation",
    }  # fmt: skip
    unsure = has(found[0], roads.ROAD_CLASSES, "?road")[:, 20]
    expected = np.zeros(60, bool)
    expected[:12] = True
    expected[30 - roads.OUTER_PX : 30 + roads.INNER_PX] = True
    expected[37 - roads.INNER_PX : 37 + roads.OUTER_PX] = True
    assert np.array_equal(unsure, expected)
    assert not has(found[0], roads.ROAD_CLASSES, "?road")[50, 50]


def test_places_are_split_by_place_and_only_potsdam_speaks_of_vegetation(tmp_path: Path) -> None:
    house = mask(32, np.s_[4:12, 4:12])
    colours = np.zeros((32, 32, 3), np.uint8)
    colours[20:] = (0, 255, 0)
    files = {
        "datasets/inria/images/kitsap8_26.png": png(noise(32)), "datasets/inria/gt/kitsap8_26.png": grey_png(house),
        "datasets/isprs/images/top_potsdam_3.png": png(noise(32)), "datasets/isprs/gt/top_potsdam_3.png": grey_png(house),
        "datasets/isprs/masks/top_potsdam_3.png": png(colours),
        "datasets/crowdai/image/2_img.png": png(noise(32)), "datasets/crowdai/gt/22.png": grey_png(house),
        "datasets/whu_sample/cairo.png": png(noise(32)), "datasets/whu_sample/cairo_gt.png": grey_png(house),
        "datasets/whu_sample/whu_global_cities.png": png(noise(32)),
        "datasets/spacenet/paris.png": png(noise(32)),
    }  # fmt: skip
    found = {p.key: p for p in buildings.places(repository(tmp_path / "r", files))}
    assert {key: p.split for key, p in found.items()} == {
        "inria_kitsap8_26": "validation", "isprs_top_potsdam_3": "train", "crowdai_2": "train", "whu_sample_cairo": "train",
    }  # fmt: skip
    for key, picture in found.items():
        assert np.array_equal(has(picture, buildings.PLACE_CLASSES, "building"), house > 0)
        assert has(picture, buildings.PLACE_CLASSES, "?vegetation").all() == (key != "isprs_top_potsdam_3")
    green = has(found["isprs_top_potsdam_3"], buildings.PLACE_CLASSES, "vegetation")
    assert green[20:].all() and not green[:20].any()


def test_the_village_is_put_together_and_never_split(tmp_path: Path) -> None:
    files: dict[str, bytes] = {}
    side = buildings.VILLAGE_TILE_PX
    for row in range(2):
        for column in range(3):
            shade = np.full((side, side, 3), 40 * row + 10 * column, np.uint8)
            files[f"data/training_raw_data/barnarp_{row}_{column}.png"] = png(shade)
            house = mask(side, np.s_[: side // 2, :]) if (row, column) == (1, 2) else np.zeros((side, side), np.uint8)
            files[f"data/training_label_data/barnarp_{row}_{column}.png"] = grey_png(house)
    (picture,) = buildings.village(repository(tmp_path / "r", files))
    half = side // buildings.VILLAGE_SHRINK
    pixels = np.asarray(Image.open(io.BytesIO(picture.encoded)))
    assert pixels.shape == (2 * half, 3 * half, 3) and picture.split == "train"
    assert [[int(pixels[half * r + 5, half * c + 5, 0]) for c in range(3)] for r in range(2)] == [[0, 10, 20], [40, 50, 60]]
    house_here = has(picture, buildings.VILLAGE_CLASSES, "building")
    assert house_here[half : half + half // 2, 2 * half :].all() and house_here.sum() == half * half // 2


def landsat_tile(elevation: np.ndarray, cover: int = 10) -> np.ndarray:
    bands = np.full((128, 128, 12), 600, np.int16)
    bands[..., landsat.ELEVATION], bands[..., landsat.COVER] = elevation, cover
    return bands


def test_landsat_dates_of_one_place_share_a_split() -> None:
    rng = np.random.default_rng(2)
    hills = [rng.normal(0, 100, (8, 8)).repeat(16, 0).repeat(16, 1).astype(np.int16) + 300 for _ in range(3)]
    tiles = {5: hills[0], 9: hills[1], 11: hills[0] + 1, 20: hills[2], 31: (hills[1] * 1.01).astype(np.int16)}
    assert landsat.same_places(tiles) == {5: 5, 9: 9, 11: 5, 20: 20, 31: 9}


def test_landsat_water_comes_from_its_masks_and_the_rest_from_worldcover(tmp_path: Path) -> None:
    bands = landsat_tile(np.full((128, 128), 100))
    bands[:, 64:, landsat.COVER] = landsat.CROP
    bands[100:, :, landsat.COVER] = landsat.COVER_WATER
    bands[0, 0, landsat.BLUE] = landsat.CLOUD + 1
    water = np.zeros((128, 128), np.uint8)
    water[:20] = 1
    file = io.BytesIO()
    tifffile.imwrite(file, bands)
    content = file.getvalue()
    files = {f"data/images/{n}.tif": content for n in (0, 4)} | {f"data/labels/{n}.png": grey_png(water) for n in (0, 4)}
    files["data/labels/0_1.png"] = grey_png(water)
    (picture,) = landsat.landsat(repository(tmp_path / "r", files))  # tile 4 is left out
    assert picture.key == "tile_0" and picture.split == "validation"

    def at(name: str, row: int, column: int) -> bool:
        return bool(has(picture, landsat.LANDSAT_CLASSES, name)[row, column])

    assert at("water", 10, 5) and not at("forest", 10, 5) and not at("?forest", 10, 5)
    assert at("forest", 50, 5) and at("vegetation", 50, 5) and not at("field", 50, 5)
    assert at("field", 50, 90) and not at("vegetation", 50, 90) and at("?vegetation", 50, 90)
    assert not at("water", 110, 5) and at("?forest", 110, 5) and not at("?water", 110, 5)  # no water in the mask
    assert all(at(f"?{name}", 0, 0) for name in ("water", "forest", "vegetation", "field"))


def test_solar_boxes_are_sure_inside_and_open_at_their_edges(tmp_path: Path) -> None:
    files = {}
    for number in (68, 131):
        files[f"test/images/sp0{number}_png.rf.ab{number}.jpg"] = png(noise(100))
        files[f"test/labels/sp0{number}_png.rf.ab{number}.txt"] = b"0 0.5 0.5 0.4 0.2\n"
    found = list(solar_green.solar(repository(tmp_path / "r", files)))
    assert [p.split for p in found] == ["train", "train"]
    panel, unsure = (has(found[0], solar_green.SOLAR_CLASSES, name) for name in ("solar_panel", "?solar_panel"))
    assert panel.sum() == 24 * 12 and (panel | unsure).sum() == 40 * 20 and not (panel & unsure).any()
    assert panel[50, 50] and unsure[50, 31] and not (panel | unsure)[50, 29]
    with pytest.raises(PackError, match="box line with class and 3 numbers"):
        solar_green.box_labels("0 0.5 0.5 0.4", 10, 10)


def test_solar_pictures_are_held_out_in_runs() -> None:
    splits = {run: {solar_green.solar_split(number) for number in range(10 * run, 10 * run + 10)} for run in range(6, 27)}
    assert all(len(found) == 1 for found in splits.values())
    assert [run for run, found in splits.items() if found == {"validation"}] == [10, 17, 24]


def test_green_space_is_a_mask_of_vegetation(tmp_path: Path) -> None:
    files = {
        "Karachi_new/images/ges_1_2_20_jpg.rf.a.jpg": png(noise(16)),
        "Karachi_new/masks/ges_1_2_20_jpg.rf.a_mask.png": grey_png(mask(16, np.s_[:8, :])),
        "AUG/HRNET/Karachi/ges_1_2_20_jpg.rf.a_mask.png": grey_png(mask(16, np.s_[8:, :])),
    }
    (picture,) = solar_green.green_space(repository(tmp_path / "r", files))
    assert picture.key == "karachi_1_2" and has(picture, solar_green.GREEN_CLASSES, "vegetation")[:8].all()


def test_every_source_is_drawn_from_and_says_what_it_decides() -> None:
    """A source that is packed but never drawn, or decides a category that its bits do not name, teaches nothing."""
    assert {*DECIDED, *SCENE_PACKS} == set(SOURCES)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == {*DECIDED, "scenes"} == set(MONTAGES) and set(SCALES) == set(DECIDED) >= set(ANYWHERE)
    for name, decided in DECIDED.items():
        classes = SOURCES[name][2]
        assert set(decided) <= set(CATEGORIES) and {c for c in classes if c in BIT} <= set(decided), name
        assert {c[1:] for c in classes if c.startswith("?")} <= set(decided), name


def test_what_a_source_leaves_open_is_not_known(tmp_path: Path) -> None:
    labels = raster(("road", "?road"), road=mask(16, np.s_[:4, :]) > 0, unsure_road=mask(16, np.s_[2:8, :]) > 0)
    write_pack(iter([EncodedImage("a", "train", png(noise(16)), labels, None)]), ("road", "?road"), tmp_path / "eth")
    source = Source(tmp_path / "eth", "train")
    window = Labelled(source, ("road",), (1, 1), 16).window(source.entries[0], (0, 0, 16, 16))
    known, road = (window.known & BIT["road"]) != 0, (window.labels & BIT["road"]) != 0
    assert road[:4].all() and not road[4:].any()
    assert known[:2].all() and not known[2:8].any() and known[8:].all()


def test_rare_categories_are_drawn_almost_as_often_as_frequent_ones(tmp_path: Path) -> None:
    def tile(number: int, name: str) -> EncodedImage:
        labels = np.zeros((32, 32), np.uint16)
        labels[8:24, 8:24] = 1 << ISAID_CLASSES.index(name)
        return EncodedImage(f"t{number}", "train", png(noise(32, number)), labels, None)

    pictures = [tile(number, "helicopter" if number == 0 else "plane") for number in range(17)]
    write_pack(iter(pictures), ISAID_CLASSES, tmp_path / "isaid")
    labelled = Labelled(Source(tmp_path / "isaid", "train"), ("plane", "helicopter"), (1, 1), 16, anywhere=0)
    rng = np.random.default_rng(0)
    helicopters = sum(bool((labelled.draw(rng).labels & BIT["helicopter"]).any()) for _ in range(300))
    assert helicopters == pytest.approx(300 / (1 + 16**0.25), rel=0.2)


def test_a_pasted_object_brings_its_labels_and_what_is_known_about_it(tmp_path: Path) -> None:
    pixels = np.full((64, 64, 3), 30, np.uint8)
    pixels[28:36, 28:36] = 250
    labels = np.zeros((64, 64), np.uint16)
    labels[28:36, 28:36] = 1 << ISAID_CLASSES.index("helicopter")
    write_pack(iter([EncodedImage("h", "train", png(pixels), labels, None)]), ISAID_CLASSES, tmp_path / "isaid")
    source = Labelled(Source(tmp_path / "isaid", "train"), ("helicopter",), (1, 1), 64)
    plain = Window(np.full((64, 64, 3), 120, np.uint8), np.zeros((64, 64), np.int32), np.zeros((64, 64), np.int32))
    window = pasted(plain, source, np.random.default_rng(1))
    here = (window.labels & BIT["helicopter"]) != 0
    assert here.sum() == 64 and (window.pixels[here] == 250).all()
    known = (window.known & BIT["helicopter"]) != 0
    assert here.sum() < known.sum() == (8 + 2 * 8) ** 2
    assert (window.pixels[~known] == 120).all() and not plain.labels.any()


def test_where_there_is_no_picture_there_is_nothing() -> None:
    rng = np.random.default_rng(0)
    window = Window(noise(64) // 2 + 20, np.full((64, 64), BIT["water"], np.int32), np.full((64, 64), BIT["water"], np.int32))
    shades = set()
    for _ in range(40):
        changed = bordered(window, rng)
        empty = changed.labels == 0
        assert 0.02 < empty.mean() < 0.98
        assert (changed.known[empty] == bits(CATEGORIES)).all() and (changed.known[~empty] == BIT["water"]).all()
        (shade,) = np.unique(changed.pixels[empty])
        shades.add(int(shade))
    assert shades == {0, 255}


def scenery(seed: int) -> np.ndarray:
    """A picture of blobs: smooth enough to have low frequencies, different for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC))


def test_pictures_that_look_like_held_out_ones_leave_training(tmp_path: Path) -> None:
    changed = np.clip(np.rot90(scenery(0)).astype(int) * 0.8 + 20, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(changed).save(file, "JPEG", quality=50)
    held_out = [EncodedImage(f"v{seed}", "validation", png(scenery(seed)), None, "Forest") for seed in range(2)]
    training = [EncodedImage(f"t{seed}", "train", png(scenery(seed)), None, "Forest") for seed in range(2, 12)]
    flat = EncodedImage("flat", "train", png(np.full((96, 96, 3), 7, np.uint8)), None, "Forest")
    write_pack(iter([*training, EncodedImage("copy", "train", file.getvalue(), None, "Forest"), flat]), (), tmp_path / "aid")
    write_pack(iter([*held_out, replace(flat, key="flat_held_out", split="calibration")]), (), tmp_path / "rsscn7")
    for _ in range(2):
        assert drop_duplicates(tmp_path, ["aid", "rsscn7"]) == {"aid": 1, "rsscn7": 0}
        left = [entry.key for entry in Shards(tmp_path / "aid").entries if entry.split == "train"]
        assert left == [*(f"t{seed}" for seed in range(2, 12)), "flat"]
    assert (tmp_path / "duplicates.json").read_text().count("1") == 1


def test_orientations_are_eight_different_pictures() -> None:
    square = np.asarray(Image.fromarray(scenery(4)).convert("L").resize((32, 32)), np.float64)
    assert len({hash_of(turned) for turned in orientations(square)}) == 8


def test_packing_one_source_leaves_the_scenes_labels_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled: list[object] = []
    monkeypatch.setattr(weak_labels, "label_scenes", lambda *given: labelled.append(given))
    repository(tmp_path / "m" / "MohtashimButt+spatial_analysis" / "repo", {"a": b"b"})
    for name in ("rsscn7", "aid"):
        write_pack(iter([EncodedImage("f", "train", png(scenery(1)), None, "Forest")]), (), tmp_path / "d" / name)
    git = (tmp_path / "m" / "MohtashimButt+spatial_analysis" / "repo" / ".git").rename(tmp_path / "git")
    monkeypatch.setitem(SOURCES, "green", (str(git), *SOURCES["green"][1:]))
    parser = argparse.ArgumentParser()
    pack.add_arguments(parser)
    pack.main(parser.parse_args(["--mirrors", str(tmp_path), "--data", str(tmp_path / "d"), "--source", "green"]))
    assert labelled == [] and Shards(tmp_path / "d" / "green").entries == []
