"""Augmentation of training windows: orientation, colour, blur, noise and compression."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from segmenter.data.shards import Pixels
from segmenter.data.windows import Window


def turned(window: Window, rng: np.random.Generator) -> Window:
    """One of the eight rotations and reflections, applied to pixels and labels."""
    quarter, mirror = int(rng.integers(4)), rng.random() < 0.5

    def turn(values: NDArray[np.generic]) -> NDArray[np.generic]:
        values = np.rot90(values, quarter)
        return np.ascontiguousarray(values[:, ::-1] if mirror else values)

    return Window(turn(window.pixels).astype(np.uint8), turn(window.labels).astype(np.int32), turn(window.known).astype(np.int32))


def recoloured(pixels: Pixels, rng: np.random.Generator, strength: float) -> Pixels:
    """Gain, contrast and offset per channel, saturation down to grey, haze, gamma. `strength` 0 changes nothing.

    All but gamma form one affine map of the three channels.
    """
    mean = pixels.reshape(-1, 3).mean(0)
    gain = np.exp(strength * (rng.normal(0, 0.18) + rng.normal(0, 0.1, 3)))
    brightness = np.exp(strength * rng.normal(0, 0.2))
    offset = 255 * strength * (rng.normal(0, 0.05) + rng.normal(0, 0.03, 3))
    kept = 0.0 if rng.random() < 0.08 * strength else np.clip(1 + strength * rng.normal(0, 0.25), 0, 1.8)
    mixing = kept * np.eye(3) + (1 - kept) / 3
    matrix, shift = mixing * gain, mixing @ (mean * (brightness - gain) + offset)
    if rng.random() < 0.15 * strength:
        haze, veil = rng.uniform(0.1, 0.45), 255 * rng.uniform(0.6, 0.95)
        matrix, shift = matrix * (1 - haze), shift * (1 - haze) + veil * haze
    changed = pixels.reshape(-1, 3).astype(np.float32) @ matrix.T.astype(np.float32) + shift.astype(np.float32)
    x: Pixels = np.clip(changed + 0.5, 0, 255).astype(np.uint8).reshape(pixels.shape)
    if rng.random() < 0.3:
        gamma = np.exp(strength * rng.normal(0, 0.25))
        x = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)[x]
    return x


def degraded(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Occasional blur, downsampling, JPEG artefacts or sensor noise."""
    kind = rng.random()
    if kind < 0.08:
        blurred = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.5))))
        return np.asarray(blurred)
    if kind < 0.14:
        side = pixels.shape[0]
        coarse = Image.fromarray(pixels).resize((round(side * rng.uniform(0.4, 0.8)),) * 2, Image.Resampling.BILINEAR)
        return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    if kind < 0.22:
        packed = io.BytesIO()
        Image.fromarray(pixels).save(packed, "JPEG", quality=int(rng.integers(30, 80)))
        return np.asarray(Image.open(packed))
    if kind < 0.28:
        noise = rng.normal(0, rng.uniform(3, 12), pixels.shape)
        return np.clip(pixels + noise, 0, 255).astype(np.uint8)
    return pixels


def augmented(window: Window, rng: np.random.Generator, strength: float = 1.0) -> Window:
    """The window with all augmentations of this module at random."""
    window = turned(window, rng)
    return Window(degraded(recoloured(window.pixels, rng, strength), rng), window.labels, window.known)
