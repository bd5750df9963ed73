"""Weak pixel labels for images with only a scene label (RSSCN7, AID).

A small convolutional classifier with a receptive field of about 40 px predicts the scene of every pixel. River scenes
differ from fields, forests and towns by their water, so pixels with a confident water prediction become water, pixels
that look like another scene become land, and the rest stays unknown. Scenes of a single cover (forest, desert) keep
their label on every pixel.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from segmenter.data.shards import Shards, label_bytes, write_index

#: Scenes of RSSCN7 and AID grouped by the appearance of their pixels.
GROUPS: dict[str, tuple[str, ...]] = {
    "water": ("RiverLake", "River", "Pond", "Beach", "Port"),
    "forest": ("Forest", "Mountain"),
    "grass": ("Grass", "Meadow"),
    "field": ("Field", "Farmland"),
    "bare": ("BareLand", "Desert"),
    "town": ("Resident", "DenseResidential", "MediumResidential", "SparseResidential", "Industry", "Industrial"),
    "paved": ("Parking", "Viaduct", "RailwayStation", "Airport"),
}
WATER = list(GROUPS).index("water")
SCENE_GROUP = {scene: index for index, scenes in enumerate(GROUPS.values()) for scene in scenes}
CROP = 128

#: Water probability above which a pixel is water, and below which it is land.
SURE_WATER, SURE_LAND = 0.6, 0.12
#: Minimum share of sure water in a water scene for its labels to be used.
MIN_WATER_SHARE = 0.12


@dataclass(frozen=True)
class SceneImages:
    """Images of one source as uint8 `[N, 3, side, side]` with the group index of each."""

    pixels: Tensor
    groups: Tensor


def classifier() -> nn.Sequential:
    """Classifies each 4 x 4 px cell from its surrounding 43 px: `[B, 3, H, W]` in 0..1 to logits `[B, groups, H/4, W/4]`."""

    def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]

    return nn.Sequential(
        *block(3, 32, 2), *block(32, 48, 2), *block(48, 64, 1), *block(64, 64, 1), *block(64, 64, 1), *block(64, 64, 1),
        nn.Conv2d(64, len(GROUPS), 1),
    )  # fmt: skip


def load_images(folder: Path) -> SceneImages:
    """The images of one packed scene source whose scene belongs to a group, training split only."""
    shards = Shards(folder)
    chosen = [e for e in shards.entries if e.scene in SCENE_GROUP and e.split == "train"]
    pixels = np.stack([shards.pixels(e).transpose(2, 0, 1) for e in chosen])
    return SceneImages(torch.from_numpy(pixels), torch.tensor([SCENE_GROUP[str(e.scene)] for e in chosen]))


def _batch(sources: list[SceneImages], size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random colour-jittered crops, balanced over the groups: `[size, 3, CROP, CROP]` in 0..1, groups `[size]`."""
    crops, groups = [], []
    for i in range(size):
        group = i % len(GROUPS)
        holders = [source for source in sources if (source.groups == group).any()]
        source = holders[int(torch.randint(len(holders), (1,), generator=generator))]
        candidates = torch.nonzero(source.groups == group)[:, 0]
        image = source.pixels[candidates[torch.randint(len(candidates), (1,), generator=generator)]][0]
        side = image.shape[-1]
        top, left = torch.randint(side - CROP + 1, (2,), generator=generator).tolist()
        crop = image[:, top : top + CROP, left : left + CROP].float() / 255
        gain = 1 + 0.25 * (torch.rand(3, 1, 1, generator=generator) * 2 - 1)
        shift = 0.1 * (torch.rand(3, 1, 1, generator=generator) * 2 - 1)
        crop = (crop - crop.mean()) * gain + crop.mean() + shift
        if torch.rand(1, generator=generator) < 0.5:
            crop = crop.transpose(1, 2)
        crops.append(crop)
        groups.append(group)
    return torch.stack(crops).clamp(0, 1), torch.tensor(groups)


def train_classifier(sources: list[SceneImages], steps: int, seed: int = 0) -> nn.Sequential:
    """Trains the classifier on random crops; deterministic for a seed. Returns it in evaluation mode."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = classifier()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    for step in range(steps):
        pixels, groups = _batch(sources, 28, generator)
        logits = network(pixels)
        target = groups[:, None, None].expand(-1, *logits.shape[-2:])
        loss = F.cross_entropy(logits, target, label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            print(f"weak labels: step {step} loss {loss.item():.3f}", flush=True)
    return network.eval()


@torch.inference_mode()
def water_probability(network: nn.Sequential, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probability `[h, w]` that each pixel of an RGB image `[h, w, 3]` belongs to a water scene.

    Averaged over the four mirrored versions of the image.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None].float() / 255
    total = torch.zeros(image.shape[:2])
    for flips in ((), (2,), (3,), (2, 3)):
        logits = network(pixels.flip(flips))
        logits = F.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)
        total += logits.softmax(1)[:, WATER].flip([f - 1 for f in flips])[0]
    return (total / 4).numpy()


def water_bits(probability: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Pixel labels of a water scene `[h, w]`: 1 water, 2 land, 0 unknown.

    All pixels are unknown if the classifier finds little water (a muddy river between muddy fields).
    """
    water = probability > SURE_WATER
    if water.mean() < MIN_WATER_SHARE:
        return np.zeros(probability.shape, np.uint16)
    return np.where(water, 1, np.where(probability < SURE_LAND, 2, 0)).astype(np.uint16)


def label_scenes(data: Path, names: tuple[str, ...], watery: frozenset[str], steps: int) -> None:
    """Writes `labels.bin` of the packed scene sources `names`: bit 1 is water, bit 2 land, in the scenes `watery`."""
    network = train_classifier([load_images(data / name) for name in names], steps)
    for name in names:
        write_scene_labels(network, data / name, watery)


def write_scene_labels(network: nn.Sequential, folder: Path, watery: frozenset[str]) -> None:
    """Writes `labels.bin` of one source; images of other scenes get no labels."""
    shards = Shards(folder)
    entries = []
    with (folder / "labels.bin").open("wb") as file:
        for entry in shards.entries:
            span = None
            if entry.scene in watery:
                labels = water_bits(water_probability(network, shards.pixels(entry)))
                span = (file.tell(), file.write(label_bytes(labels, shards.raw)))
            entries.append(replace(entry, labels=span))
    write_index(folder, shards.classes, entries, shards.raw)
