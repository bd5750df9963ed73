"""A new image side under an old language half: what reads res5 goes on reading what it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segmenter.data.batches import Batch
from segmenter.data.windows import CATEGORIES, bits
from segmenter.errors import TrainError
from segmenter.language.tokenizer import QuestionTokenizer
from segmenter.network.network import SegEarthR1, normalise
from segmenter.training.align import align, class_rows
from segmenter.training.fitting import AffineMap, fit
from segmenter.training.graft import behind, biased_features, deepest, graft
from tiny import tiny, tiny_lite

CLASSES = len(CATEGORIES)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def checkpoint(network: SegEarthR1, classes: int = CLASSES) -> dict[str, Any]:
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.3)
    parts = nn.ModuleDict({"dense": nn.Conv2d(16, classes, 1), "presence": nn.Linear(6, classes)})
    heads = {name: value.detach() for name, value in parts.named_parameters()}
    return {"config": network.config, "weights": {k: v.clone() for k, v in network.state_dict().items()}, "heads": heads}


def test_the_map_is_found_where_there_is_one() -> None:
    new, matrix, offset = torch.randn(900, 12), torch.randn(8, 12), torch.randn(8)
    found = fit(new, new @ matrix.T + offset)
    torch.testing.assert_close(found.matrix, matrix, atol=0.01, rtol=0.01)
    torch.testing.assert_close(found.offset, offset, atol=0.01, rtol=0.01)
    assert found.explained > 0.999
    assert fit(new, torch.randn(900, 8)).explained < 0.1


def test_layers_behind_the_map_read_the_new_features_as_the_old_ones() -> None:
    """Off the border, where the convolution's padding stands for no features."""
    old = SegEarthR1(tiny())
    weights = checkpoint(old)["weights"]
    found = AffineMap(torch.randn(64, 20), torch.randn(64), 1.0)
    layers = behind(weights, found)
    new = torch.randn(2, 20, 9, 9)
    as_old = torch.einsum("on,bnyx->boyx", found.matrix, new) + found.offset[:, None, None]
    for given, read in ((as_old, weights), (new, layers)):
        name = "model.mm_projector.proj1"
        read["tokens"] = F.conv2d(given, read[f"{name}.weight"], read[f"{name}.bias"], 2, 1)[:, :, 1:-1, 1:-1]
        cells = given.flatten(2).transpose(1, 2)
        read["media"] = F.linear(cells, read["local_project.weight"], read["local_project.bias"])
    for name in ("tokens", "media"):
        torch.testing.assert_close(layers[name], weights[name], atol=1e-3, rtol=1e-3)


def test_a_class_row_as_query_gives_the_dense_head_s_logits() -> None:
    image = checkpoint(SegEarthR1(tiny_lite()), classes=7)
    features = torch.randn(1, 16, 8, 8)
    heads, name = image["heads"], "pixel_decoder.mask_features.bias"
    expected = F.conv2d(features, heads["dense.weight"], heads["dense.bias"])
    changed, own = biased_features(image["weights"], heads)
    moved = features + (changed[name] - image["weights"][name])[:, None, None]
    torch.testing.assert_close(torch.einsum("kc,bcyx->bkyx", heads["dense.weight"][:, :, 0, 0], moved), expected)
    torch.testing.assert_close(F.conv2d(moved, heads["dense.weight"], own["dense.bias"]), expected)


def test_the_joined_network_has_the_image_side_of_one_and_the_words_of_the_other() -> None:
    image, words = checkpoint(SegEarthR1(tiny_lite())), checkpoint(SegEarthR1(tiny()))
    pixels = [torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8) for _ in range(3)]
    weights, heads, explained = graft(image, words, pixels)
    network = SegEarthR1(tiny_lite())
    network.load_state_dict(weights)
    assert 0 < explained <= 1 and set(heads) == set(image["heads"])
    changed = {"pixel_decoder.mask_features.bias", "local_project.weight", "local_project.bias"}
    changed |= {f"model.mm_projector.proj1.{part}" for part in ("weight", "bias")}
    new = {"predictor.presence.looks_for.weight", "predictor.presence.looks_for.bias"}
    for name, value in weights.items():
        if name in changed:
            continue
        from_image = name in new or name.startswith(("model.vision_tower.", "pixel_decoder.", "predictor.whole_window."))
        assert torch.equal(value, (image if from_image else words)["weights"][name]), name

    def seen(side: dict[str, Tensor], kind: SegEarthR1) -> Tensor:
        kind.load_state_dict(side)
        return F.linear(deepest(kind.eval(), pixels[0]), side["local_project.weight"], side["local_project.bias"])

    before = seen(words["weights"], SegEarthR1(tiny()))
    assert F.mse_loss(seen(weights, network), before) < 0.9 * before.var()


@pytest.mark.parametrize("lack", ["heads", "language"])
def test_halves_that_do_not_fit_are_refused(lack: str) -> None:
    image, words = checkpoint(SegEarthR1(tiny_lite())), checkpoint(SegEarthR1(tiny()))
    if lack == "heads":
        image["heads"] = {}
    else:
        config = replace(tiny(), language=replace(tiny().language, layers=1))
        words = checkpoint(SegEarthR1(config))
    with pytest.raises(TrainError, match="dense head" if lack == "heads" else "other language models"):
        graft(image, words, [])


def asked(texts: dict[str, str], windows: int) -> Batch:
    """Each text asked of every window."""
    pixels = torch.randint(0, 256, (windows, 128, 128, 3), dtype=torch.uint8)
    count = windows * len(texts)
    return Batch(
        pixels, torch.zeros(windows, 128, 128, dtype=torch.int32), torch.zeros(windows, 128, 128, dtype=torch.int32), list(texts),
        torch.arange(len(texts)).repeat(windows), torch.arange(windows).repeat_interleave(len(texts)),
        torch.tensor([int(bits([name])) for name in texts.values()], dtype=torch.int32).repeat(windows), torch.ones(count),
    )  # fmt: skip


def test_a_union_s_row_is_the_mean_of_its_parts() -> None:
    heads = checkpoint(SegEarthR1(tiny_lite()))["heads"]
    batch = asked({"vehicles": "vehicle", "cars": "small_vehicle", "trucks": "large_vehicle"}, 1)
    union, car, truck = class_rows(heads, batch)
    torch.testing.assert_close(union, (car + truck) / 2)
    place = CATEGORIES.index("small_vehicle")
    torch.testing.assert_close(car[:16], heads["dense.weight"][place, :, 0, 0])
    torch.testing.assert_close(car[16:-1], heads["presence.weight"][place])
    assert car[-1] == heads["presence.bias"][place]


def test_aligned_questions_give_the_masks_and_the_presence_of_their_classes() -> None:
    """Fewer questions than the layers have numbers are told apart; without attention to earlier masks, in one round."""
    config = replace(tiny_lite(), language=replace(tiny_lite().language, max_positions=256))
    network = SegEarthR1(replace(config, mask_generator=replace(config.mask_generator, layers=0))).eval()
    entries = checkpoint(network)
    tokenizer = QuestionTokenizer.load()
    batch = asked({"show the river": "water", "where are the planes": "plane", "roads": "road"}, 2)
    assert align(network, entries["heads"], [batch], tokenizer) > 0.9
    with torch.no_grad():
        state = network.encode_image(normalise(batch.pixels))
        ids, mask = tokenizer.batch([batch.texts[int(n)] for n in batch.text_index])
        description = network.describe(state, batch.image_index, "REASONING", ids, mask)
        stages, presence = network.segment(state, batch.image_index, description)
        rows = class_rows(entries["heads"], batch)
        expected = torch.einsum("nc,ncyx->nyx", rows[:, :16], state.mask_features[batch.image_index])
        assert state.window is not None and presence is not None
        seen = (rows[:, 16:-1] * state.window[batch.image_index]).sum(1) + rows[:, -1]
    assert torch.corrcoef(torch.stack((stages[-1].flatten(), expected.flatten())))[0, 1] > 0.9
    assert torch.corrcoef(torch.stack((presence, seen)))[0, 1] > 0.9
